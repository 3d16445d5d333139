"""The built front end and one browser, once per run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from webapp.frontend.build import build

OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def _built_frontend() -> None:
    build()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as tool:
        chromium = tool.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
        yield chromium
        chromium.close()
