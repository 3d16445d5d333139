"""Issue 2, "Done when" 4: kill -9 of web or worker at any point of the filing story loses and doubles nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import requests

from tests.browser.product import Product, running, waited
from webapp.demo.people import PASSWORD


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running(WEB_WORKERS="2") as started:
        yield started


def test_a_killed_web_worker_is_replaced_and_nothing_of_the_demo_is_lost(product: Product) -> None:
    before = product.rows("select count(*) from process_instance")
    killed = product.pids("gunicorn")[1:]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    waited(lambda: not set(killed) & set(product.pids("gunicorn")) and len(product.pids("gunicorn")) == 3, "replaced")
    answer = requests.get(f"{product.address}/engine-rest/process-instance/count", auth=("manager", PASSWORD))
    assert (answer.status_code, answer.json()["count"]) == (200, before[0][0])
