"""The built front end, once per run."""

import pytest

from webapp.frontend.build import build


@pytest.fixture(scope="session", autouse=True)
def _built_frontend() -> None:
    build()
