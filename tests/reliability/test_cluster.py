"""Issue 4, "Past one machine" and "Unharmed": three web and three worker processes under load, killed at random."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import socket
import time
from collections.abc import Iterator

import pytest
import requests

from tests.reliability.cluster import PASSWORD, USER, Cluster, running, until
from tests.reliability.load import Caller, Count, Ledger, Load, count, race
from tests.support_documents import image

#: Twenty kills. The workers' come early: what they had in hand is taken back after ten seconds.
VICTIMS = ["worker", "web", "handlers", "web", "worker", "master", "web", "handlers", "web", "worker"] + ["web"] * 10


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    seed = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**6))
    print(f"CRASH_SEED={seed}")
    with running(seed=seed, s3=True) as made:
        yield made


def test_nothing_is_lost_doubled_or_stuck_when_processes_are_killed(cluster: Cluster) -> None:
    began = time.monotonic()
    load = Load(cluster)
    for number, victim in enumerate(VICTIMS):
        if number % 2 == 0:
            load.more()
        cluster.kill(victim)
    load.finish()
    until("nothing is left to do", lambda: count(cluster, load.ledger).stuck == 0, cluster)
    found = count(cluster, load.ledger)
    print(
        f"killed {dict(cluster.killed)}; answers {dict(load.ledger.answers)}; {time.monotonic() - began:.1f} s; {found}"
    )
    assert found == Count(cases=len(load.ledger.started), lost=0, doubled=0, stuck=0)
    assert sum(cluster.killed.values()) == 20
    assert len(load.ledger.completed) == 2 * len(load.ledger.started) > 0


def test_of_sixteen_who_complete_a_task_at_once_one_is_told_that_he_did(cluster: Cluster) -> None:
    ledger = Ledger()
    for answers in race(cluster, ledger, rounds=4):
        assert answers == {204: 1, 409: 15}
    until("nothing is left to do", lambda: count(cluster, ledger).stuck == ledger.answers[204], cluster)
    found = count(cluster, ledger)
    assert (found.doubled, ledger.answers[204]) == (0, 4)


def signed_in(cluster: Cluster) -> tuple[requests.Session, str, str]:
    """A person at a browser, signed in by the first web process: the session, its address, the CSRF token."""
    page, person = cluster.of("web")[0].address, requests.Session()

    def token(path: str) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', person.get(f"{page}{path}").text)
        assert found is not None
        return found[1]

    form = {"username": USER, "password": PASSWORD, "csrf_token": token("/login")}
    assert person.post(f"{page}/login", data=form).url.endswith("/tasks")
    return person, page, token("/account")


def test_who_signed_in_at_one_process_works_at_every_other_and_finds_his_documents_there(cluster: Cluster) -> None:
    """No sticky sessions; the documents lie on S3, the data directories are each machine's own."""
    person, _page, token = signed_in(cluster)
    content = image()
    for node in cluster.of("web"):
        sent = person.post(
            f"{node.address}/documents",
            files={"file": ("scan.png", content)},
            data={"csrf_token": token},
            headers={"Accept": "application/json"},
        )
        assert sent.status_code == 201, sent.text
        for other in cluster.of("web"):
            found = person.get(f"{other.address}/documents/{sent.json()['id']}")
            assert (found.status_code, found.content) == (200, content)


def test_failures_to_sign_in_are_counted_over_all_processes(cluster: Cluster) -> None:
    answers = []
    for number in range(9):
        node = cluster.of("web")[number % 3]
        wrong = requests.get(f"{node.address}/engine-rest/task", auth=("somebody", f"wrong {number}"), timeout=90)
        answers.append(wrong.status_code)
    assert answers == [401] * 5 + [429] * 4


def test_a_file_that_is_too_large_is_refused_before_it_is_read(cluster: Cluster) -> None:
    person, page, token = signed_in(cluster)
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    head = (
        f"POST /documents HTTP/1.1\r\nHost: {page.removeprefix('http://')}\r\nCookie: {cookies}\r\n"
        f"X-CSRFToken: {token}\r\nAccept: application/json\r\nContent-Length: {50 * 2**20}\r\n"
        "Content-Type: multipart/form-data; boundary=part\r\n\r\n--part\r\n"
    )
    with socket.create_connection(("127.0.0.1", cluster.of("web")[0].port)) as connection:
        connection.sendall(head.encode())  # and nothing of the file
        told = http.client.HTTPResponse(connection)
        told.begin()
        assert told.status == 413
        assert json.loads(told.read())["message"] == "上传内容超过 21 MB，请压缩后再传。"


def test_everyone_is_told_while_the_database_is_away_and_all_goes_on_afterwards(cluster: Cluster) -> None:
    person, page, _token = signed_in(cluster)
    before = {str(key) for (key,) in cluster.rows("select business_key from process_instance")}
    load = Load(cluster)
    load.more(4)
    cluster.server.stop()
    try:
        program = Caller(cluster, load.ledger, cluster.random)
        for node in cluster.of("web"):
            assert program.once("GET", "/task", port=node.port)[0] == 503
            answer = requests.get(f"http://127.0.0.1:{node.port}/healthz", timeout=90)
            assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")
            assert answer.json()["worker"] == "unknown"
        shown = person.get(f"{page}/tasks", headers={"Accept": "text/html"})
        assert (shown.status_code, shown.headers["Retry-After"]) == (503, "5")
        assert "系统暂时繁忙，请稍后再试。" in shown.text
        assert "再试一次" in shown.text
    finally:
        cluster.server.start()
    load.more(8)
    assert person.get(f"{page}/tasks").status_code == 200  # still signed in
    load.finish()
    until("all is well again", cluster.ready, cluster)
    until("nothing is left to do", lambda: count(cluster, load.ledger, before).stuck == 0, cluster)
    found = count(cluster, load.ledger, before)
    print(f"answers {dict(load.ledger.answers)}; {found}")
    assert found == Count(cases=len(load.ledger.started), lost=0, doubled=0, stuck=0)
    assert set(load.ledger.unavailable) == {"5"}
