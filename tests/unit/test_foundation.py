"""Small promises of the ground floor: ids, settings, who commits, what the engine loads."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from webapp import config as settings
from webapp.config import ROOT
from webapp.ids import uuid7


def test_uuid7_sorts_by_time_and_is_unique_across_threads():
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [uuid7() for _ in range(2000)], range(4)))
    for batch in batches:
        assert batch == sorted(batch)
    assert len({made for batch in batches for made in batch}) == 8000
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) / 1000 - time.time()) < 60


def test_every_setting_is_documented_with_its_default():
    source = (ROOT / "webapp" / "config.py").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:env(?:iron)?\.get|number)\(\s*"([A-Z_]+)"', source))
    table = (
        (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Settings")[2].partition("\n## ")[0]
    )
    documented = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", table, re.MULTILINE))
    assert set(documented) == read
    defaults = dict(re.findall(r'env\.get\("([A-Z_]+)", "([^"]+)"\)', source))
    defaults |= dict(re.findall(r'number\("([A-Z_]+)", (\d+)\)', source))
    assert {name: f"`{value}`" for name, value in defaults.items()}.items() <= documented.items()


def test_settings_are_read_from_the_environment(tmp_path):
    config = settings.load({"DATA_DIR": str(tmp_path), "PORT": "8123", "DEMO": "0", "MAX_UPLOAD_MB": "3"})
    assert (config.port, config.demo, config.max_upload) == (8123, False, 3 * 2**20)
    assert config.documents_dir == tmp_path / "documents"
    with pytest.raises(ValueError, match="PORT must be a whole number, not 'many'"):
        settings.load({"DATA_DIR": str(tmp_path), "PORT": "many"})


def test_the_signing_key_is_made_once_and_kept_from_others(tmp_path):
    first = settings.load({"DATA_DIR": str(tmp_path)}).secret_key
    assert len(first) == 64
    assert settings.load({"DATA_DIR": str(tmp_path)}).secret_key == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert settings.load({"DATA_DIR": str(tmp_path), "SECRET_KEY": "mine"}).secret_key == "mine"


def _sources():
    for folder in ("webapp", "handlers"):
        for path in (ROOT / folder).rglob("*.py"):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def test_only_db_commits():
    found = {str(path) for path, source in _sources() if re.search(r"\.commit\(", source)}
    assert found == {"webapp/db.py", "webapp/driver.py"}  # the driver's own connection passes the word on
    callers = {str(path) for path, source in _sources() if "import driver" in source or "webapp.driver" in source}
    assert callers == {"webapp/db.py"}


def test_no_python_of_a_model_is_ever_evaluated():
    evaluated = re.compile(r"(?<![\w.])(?:eval|exec)\(")
    assert [str(path) for path, source in _sources() if evaluated.search(source)] == []


def test_nothing_but_the_clock_reads_the_machines_time():
    read = re.compile(r"datetime\.(?:now|utcnow|today)\(|date\.today\(|(?<![\w.])time\.time\(")
    found = {str(path) for path, source in _sources() if read.search(source)}
    # partitions follow the machine's months; the age of a file is the machine's too
    assert found <= {"webapp/clock.py", "webapp/migrate.py", "webapp/documents/stores.py"}


@pytest.mark.parametrize("module", ["webapp.engine.types", "webapp.engine.bpmn", "webapp.engine.runtime"])
def test_importing_the_engine_loads_neither_flask_nor_the_domain(module):
    program = (
        f"import sys, {module}\n"
        "rooms = ('accounts', 'inbox', 'registers', 'notices', 'documents', 'monitor', 'rest', 'http')\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'flask', 'handlers'} or"
        " m.startswith(tuple('webapp.' + r for r in rooms))]\n"
        "print(bad); sys.exit(bool(bad))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
