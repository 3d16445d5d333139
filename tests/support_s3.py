"""A real S3 server (SeaweedFS) for tests, with one identity and one bucket."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import free_port
from webapp.config import Config

ACCESS, SECRET, BUCKET = "AKQIANYIN", "secret-of-the-tests", "qianyin"


@dataclass
class S3:
    """A running server; `url` is what `DOCUMENTS_URL` is set to."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/office?endpoint=http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"DOCUMENTS_URL": self.url, "DOCUMENTS_ACCESS_KEY": ACCESS, "DOCUMENTS_SECRET_KEY": SECRET}

    def config(self, config: Config) -> Config:
        """The settings, with documents on this server."""
        from dataclasses import replace

        return replace(config, documents_url=self.url, documents_access_key=ACCESS, documents_secret_key=SECRET)


def start(folder: Path) -> S3:
    """Start a server that keeps its files in `folder` and answers already."""
    folder.mkdir(parents=True)
    identity = {"name": "qianyin", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}]}
    identity["actions"] = ["Admin", "Read", "Write", "List"]
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    ports: dict[str, Any] = {"-s3.port.iceberg": 0, "-s3.port.lance": 0}
    for name in ("master", "volume", "filer", "s3"):
        ports |= {f"-{name}.port": free_port(), f"-{name}.port.grpc": free_port()}
    weed = Path(sys.executable).with_name("weed")
    options = {"-dir": folder, "-ip": "127.0.0.1", "-s3.config": folder / "s3.json", "-volume.max": 20, **ports}
    options |= {"-master.volumeSizeLimitMB": 64, "-volume.minFreeSpace": 0}
    command = [str(weed), "server", "-s3", "-s3.iam=false", *(f"{k}={v}" for k, v in options.items())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    server = S3(ports["-s3.port"], process)
    for _ in range(600):
        assert process.poll() is None, (folder / "log").read_text(errors="replace")[-3000:]
        if _answers(server.port) and _bucket(server):
            return server
        time.sleep(0.1)
    raise AssertionError((folder / "log").read_text(errors="replace")[-3000:])


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/").close()
    except urllib.error.HTTPError as error:  # 403: it wants a signature
        error.close()
    except OSError:
        return False
    return True


def _bucket(server: S3) -> bool:
    """Make the bucket: the first file in it does (SeaweedFS makes it for an administrator)."""
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    store = S3Store(
        BUCKET,
        config={
            "endpoint": f"http://127.0.0.1:{server.port}",
            "access_key_id": ACCESS,
            "secret_access_key": SECRET,
            "region": "us-east-1",
        },
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    try:
        store.put("ready", b"yes")
    except BaseError:
        return False
    return True
