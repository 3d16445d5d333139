"""Make a release's fixture: `python -m tests.reliability.releases.make` writes `<version>.sql.zst` beside this file.

The demo is loaded by the program as it stands, into a database of its own, and dumped as SQL, tables and triggers
included: what an installation of this release holds, running cases, waiting timers and all. Run it once, when the
version is released and before its first new migration; a fixture is never made anew.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import zstandard

from webapp import composition, config, db, migrate
from webapp.postgres import Server, binaries
from webapp.supervisor import load_demo


def dump(target: Path) -> None:
    """Write the fixture. Errors: FileExistsError when this release has one."""
    with tempfile.TemporaryDirectory(prefix="qy-") as folder:
        server = Server(Path(folder) / "postgres", {"fsync": "off"})
        server.start()
        try:
            settings = replace(config.load({"DATA_DIR": folder, "DEMO": "1"}), database_url=server.url())
            migrate.upgrade(server.url())
            db.configure(server.url())
            composition.build_engine(settings)
            load_demo(settings)
            command = [str(binaries() / "pg_dump"), "--no-owner", "--no-privileges", "--inserts"]
            command += ["--rows-per-insert=50", server.url()]
            sql = subprocess.run(command, check=True, capture_output=True).stdout
        finally:
            db.dispose()
            server.stop()
    lines = [line for line in sql.splitlines(keepends=True) if not line.startswith((b"\\restrict", b"\\unrestrict"))]
    with target.open("xb") as file:
        file.write(zstandard.ZstdCompressor(level=19).compress(b"".join(lines)))


if __name__ == "__main__":
    made = Path(__file__).with_name(f"{version('qianyin')}.sql.zst")
    dump(made)
    print(f"{made} {made.stat().st_size} bytes", file=sys.stderr)
