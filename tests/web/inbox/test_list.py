"""The list: whose tasks, in which order, page after page; claiming, bulk actions, live counts, views, starting."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import openpyxl
import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from tests.support import Client
from tests.web.inbox.conftest import PREPARED
from webapp import clock, db
from webapp.accounts.service import actor_of
from webapp.engine.search import bigrams
from webapp.engine.tables import process_instance, user_task
from webapp.errors import Conflict, QianyinError
from webapp.inbox import queries, service
from webapp.inbox.queries import PAGE, Filter


def titles(page: str) -> list[str]:
    return re.findall(r'<a class="title" href="/tasks/[^"]+">([^<]+)</a>', page)


def copies(session: Session, task_id: UUID, count: int, **columns: Any) -> list[UUID]:
    """More open tasks like one, each an hour later due and every fifth without a deadline."""
    t = user_task.c
    one = session.execute(select(user_task).where(t.id == task_id)).one()._mapping
    base = datetime(2026, 12, 1, tzinfo=UTC)
    rows = [
        {
            **one,
            "id": uuid4(),
            "node": uuid4(),
            "business_key": f"BA-2026-{n:04}",
            "title": f"备案 {n}",
            "due_at": None if n % 5 == 4 else base + timedelta(hours=n // 2),
            **{k: v(n) if callable(v) else v for k, v in columns.items()},
        }
        for n in range(count)
    ]
    session.execute(insert(user_task), rows)
    session.commit()
    return [row["id"] for row in rows]


def every_page(session: Session, person: Any, **filter: Any) -> list[list[UUID]]:
    found: list[list[UUID]] = []
    cursor = ""
    for _n in range(20):
        page = queries.tasks(session, actor_of(person), Filter(**filter, cursor=cursor))
        found.append([row.id for row in page.rows])
        if not page.following:
            return found
        cursor = page.following
    raise AssertionError("the pages never end")


def in_order(session: Session, ids: list[UUID], falling: bool = False) -> list[UUID]:
    t = user_task.c
    order = (t.due_at.desc().nulls_last(), t.id.desc()) if falling else (t.due_at.asc().nulls_last(), t.id)
    return list(session.scalars(select(t.id).where(t.id.in_(ids)).order_by(*order)))


@pytest.mark.parametrize("falling", [False, True])
def test_pages_follow_each_other_without_gap_or_double(session: Any, people: Any, start: Any, falling: bool) -> None:
    ids = [start(people.one)]
    ids += copies(session, ids[0], 3 * PAGE + 2)
    pages = every_page(session, people.lin, descending=falling)
    assert [len(page) for page in pages] == [PAGE, PAGE, PAGE, 3]
    assert [task for page in pages for task in page] == in_order(session, ids, falling)


@pytest.mark.parametrize("falling", [False, True])
def test_one_can_page_back(session: Any, people: Any, start: Any, falling: bool) -> None:
    copies(session, start(people.one), 2 * PAGE + 5)
    actor = actor_of(people.lin)
    pages = every_page(session, people.lin, descending=falling)
    cursor = ""
    for _page in pages[:-1]:
        cursor = queries.tasks(session, actor, Filter(descending=falling, cursor=cursor)).following or ""
    back = queries.tasks(session, actor, Filter(descending=falling, cursor=cursor)).previous
    assert back
    page = queries.tasks(session, actor, Filter(descending=falling, cursor=back))
    assert [row.id for row in page.rows] == pages[-2]
    assert page.first == PAGE + 1
    first = queries.tasks(session, actor, Filter(descending=falling, cursor=page.previous or ""))
    assert ([row.id for row in first.rows], first.first, first.previous) == (pages[0], 1, None)


def test_a_page_stays_right_while_tasks_go(session: Any, people: Any, start: Any) -> None:
    first = start(people.one)
    ids = [first, *copies(session, first, 2 * PAGE)]
    actor = actor_of(people.lin)
    one = queries.tasks(session, actor, Filter())
    session.execute(
        update(user_task).where(user_task.c.id.in_([row.id for row in one.rows])).values(status="cancelled")
    )
    two = queries.tasks(session, actor, Filter(cursor=one.following or ""))
    assert {row.id for row in two.rows} <= set(ids)
    assert len(two.rows) == PAGE


def test_a_task_offered_for_two_reasons_stands_once(session: Any, people: Any, start: Any, task_row: Any) -> None:
    task = start(people.one)
    session.execute(
        update(user_task)
        .where(user_task.c.id == task)
        .values(candidate_groups=["lead_unit", "office"], candidate_users=[people.lin.id], org_id=None)
    )
    session.commit()
    for person, count in ((people.lin, 1), (people.chen, 1), (people.stranger, 0)):
        assert len(queries.tasks(session, actor_of(person), Filter()).rows) == count
        assert queries.counts(session, actor_of(person)).views["all"] == count


def test_views_and_filters(session: Any, people: Any, start: Any, clock_at: Any) -> None:
    clock_at(datetime(2026, 12, 1, 8, tzinfo=UTC))
    now = clock.now()
    ends = [now - timedelta(hours=2), now + timedelta(hours=1), now + timedelta(days=3), None]
    kinds = {"due_at": lambda n: ends[n], "assignee_id": lambda n: people.lin.id if n == 2 else None}
    texts = {"search": None, "definition_key": lambda n: "other" if n == 3 else "small_filing"}
    first = start(people.one)
    ids = copies(session, first, 4, **kinds, **texts)
    session.execute(update(user_task).where(user_task.c.id == first).values(status="cancelled"))
    words = bigrams("广州恒锐传感技术有限公司")
    session.execute(update(user_task).where(user_task.c.id == ids[2]).values(search=func.array_to_tsvector(words)))
    session.commit()

    def listed(**filter: Any) -> set[int]:
        rows = queries.tasks(session, actor_of(people.lin), Filter(**filter)).rows
        return {ids.index(row.id) for row in rows}

    assert listed() == {0, 1, 2, 3}
    assert listed(view="overdue") == {0}
    assert listed(view="today") == {1}
    assert listed(view="mine") == {2}
    assert listed(view="unclaimed") == {0, 1, 3}
    assert listed(process="other") == {3}
    assert listed(words="恒锐传感") == {2}
    assert listed(words="没有这家") == set()
    assert listed(unit=people.two.id) == set()
    counts = queries.counts(session, actor_of(people.lin))
    assert counts.views == {"all": 4, "unclaimed": 3, "mine": 1, "overdue": 1, "today": 1}
    assert counts.processes == {"small_filing": 3, "other": 1}


def test_the_soonest_due_stands_first_with_its_words(client: Any, session: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    now = clock.now()
    for hours, number in ((50, "BA-2026-0002"), (-28, "BA-2026-0003")):
        copies(session, task, 1, business_key=number, due_at=now + timedelta(hours=hours), title=number)
    client.sign_in(people.lin)
    page = client.get("/tasks").text
    assert titles(page) == ["BA-2026-0003", "BA-2026-0002", "备案：未填"]
    assert "超期 1 天 4 小时" in page
    assert "共 3 件" in page


def test_a_wrong_page_mark_or_view_is_told(client: Any, people: Any) -> None:
    client.sign_in(people.lin)
    for query in ("page=nonsense", "view=secret", "unit=1"):
        assert client.get(f"/tasks?{query}").status_code == 422


def test_an_empty_inbox_says_what_would_be_here(client: Any, people: Any) -> None:
    client.sign_in(people.lin)
    assert "需要您办理的事项会出现在这里" in client.get("/tasks").text


def test_only_one_of_two_claims_wins(people: Any, start: Any, task_row: Any) -> None:
    task = start(people.one)
    ready, outcomes = threading.Barrier(2), []

    def claim(person: Any) -> None:
        actor = actor_of(person)
        ready.wait()
        try:
            with db.transaction() as session:
                service.claim(session, actor, task)
            outcomes.append("won")
        except Conflict as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=claim, args=(person,)) for person in (people.lin, people.colleague)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("won") == 1
    winner = {people.lin.id: "林晓桐", people.colleague.id: "周启明"}[task_row(task).assignee_id]
    assert any(winner in words and "签收" in words for words in outcomes if words != "won")


def test_only_one_of_two_simultaneous_completions_wins(app: Any, people: Any, start: Any, task_row: Any) -> None:
    task = start(people.one)
    ready, found = threading.Barrier(2), []
    clients = []
    for person in (people.lin, people.colleague):
        client = Client(app)
        client.sign_in(person)
        clients.append(client)

    def send(client: Client) -> None:
        ready.wait()
        found.append(client.post(f"/tasks/{task}", data=PREPARED).status_code)

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [303, 409]
    assert task_row(task).status == "completed"


def test_claim_and_release(client: Any, people: Any, start: Any, task_row: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    assert client.post(f"/tasks/{task}/claim").status_code == 303
    assert client.post(f"/tasks/{task}/claim").status_code == 303  # again is no error
    assert task_row(task).assignee_id == people.lin.id
    client.sign_in(people.colleague)
    page = client.get(f"/tasks/{task}").text
    assert "已由林晓桐于" in page
    assert "您可以查看，不能办理" in page
    assert client.post(f"/tasks/{task}/release").status_code == 403
    assert client.post(f"/tasks/{task}", data=PREPARED).status_code == 409
    assert "BA-2026-0001" not in client.get("/tasks").text
    client.sign_in(people.lin)
    assert client.post(f"/tasks/{task}/release").status_code == 303
    assert task_row(task).assignee_id is None


def test_a_transfer_goes_only_to_whom_the_task_may_be(client: Any, people: Any, start: Any, task_row: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    page = client.get(f"/tasks/{task}").text
    assert "周启明（云锦数字）" in page
    assert "何立群" not in page
    stranger = client.post(f"/tasks/{task}/transfer", data={"to": str(people.stranger.id), "reason": "请假"})
    assert stranger.status_code == 422
    assert client.post(f"/tasks/{task}/transfer", data={"to": str(people.colleague.id)}).status_code == 422
    assert task_row(task).assignee_id is None
    client.post(f"/tasks/{task}/transfer", data={"to": str(people.colleague.id), "reason": "请假"})
    assert task_row(task).assignee_id == people.colleague.id


def test_bulk_actions_tell_each_result(client: Any, session: Any, people: Any, start: Any, task_row: Any) -> None:
    ids = [start(people.one, f"BA-2026-000{n}") for n in range(1, 4)]
    foreign = start(people.two, "BA-2026-0009")
    session.execute(update(user_task).where(user_task.c.id == ids[2]).values(assignee_id=people.colleague.id))
    session.commit()
    client.sign_in(people.lin)
    sent = {"action": "claim", "ids": [str(i) for i in (*ids, foreign)]}
    page = client.post("/tasks/bulk", data=sent, follow_redirects=True).text
    assert "已签收 2 件" in page
    assert "BA-2026-0003" in page
    assert "周启明" in page
    assert "BA-2026-0009" not in page  # what may not be seen has no number
    assert "没有找到该事项" in page
    assert [task_row(i).assignee_id for i in ids] == [people.lin.id, people.lin.id, people.colleague.id]
    assert task_row(foreign).assignee_id is None
    client.post("/tasks/bulk", data={"action": "release", "ids": [str(i) for i in ids[:2]]})
    assert task_row(ids[0]).assignee_id is None
    moved = {"action": "transfer", "ids": [str(ids[0])], "to": str(people.colleague.id), "reason": "出差"}
    client.post("/tasks/bulk", data=moved)
    assert task_row(ids[0]).assignee_id == people.colleague.id


@pytest.mark.parametrize(
    "sent", [{"action": "claim"}, {"action": "delete", "ids": str(uuid4())}, {"action": "claim", "ids": "x"}]
)
def test_a_bulk_action_without_sense_is_refused(client: Any, people: Any, sent: dict[str, str]) -> None:
    client.sign_in(people.lin)
    assert client.post("/tasks/bulk", data=sent).status_code == 422


def test_picked_tasks_are_exported(client: Any, people: Any, start: Any) -> None:
    mine, foreign = start(people.one, "BA-2026-0001"), start(people.two, "BA-2026-0009")
    client.sign_in(people.lin)
    answer = client.post("/tasks/bulk", data={"action": "export", "ids": [str(mine), str(foreign)]})
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    numbers = [row[1] for row in book.worksheets[0].iter_rows(values_only=True)]
    assert numbers == ["编号", "BA-2026-0001"]


def test_counts_answer_304_until_something_changes(client: Any, people: Any, start: Any) -> None:
    start(people.one)
    client.sign_in(people.lin)
    first = client.get("/tasks/counts")
    assert first.json["open"] == "1"
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get("/tasks/counts", headers=tag).status_code == 304
    start(people.one, "BA-2026-0002")
    again = client.get("/tasks/counts", headers=tag)
    assert (again.status_code, again.json["open"]) == (200, "2")


def test_a_view_is_kept_counted_and_forgotten(client: Any, session: Any, people: Any, start: Any) -> None:
    start(people.one)
    client.sign_in(people.lin)
    kept = client.post("/tasks/views", data={"name": "备案在办", "query": "view=unclaimed&process=small_filing&page=x"})
    assert kept.location == "/tasks?view=unclaimed&process=small_filing"
    assert "备案在办" in client.get("/tasks").text
    view = service.saved_views(session, actor_of(people.lin))[0]
    assert client.get("/tasks/counts").json[f"saved-{view.id}"] == "1"
    assert client.post("/tasks/views", data={"name": "", "query": "view=mine"}).status_code == 422
    client.sign_in(people.colleague)
    assert "备案在办" not in client.get("/tasks").text
    assert client.post(f"/tasks/views/{view.id}/delete").status_code == 404
    client.sign_in(people.lin)
    client.post(f"/tasks/views/{view.id}/delete")
    assert "备案在办" not in client.get("/tasks").text


def test_phrases_stand_under_the_text_boxes(client: Any, session: Any, people: Any, start: Any, open_task: Any) -> None:
    client.sign_in(people.lin)
    client.post(f"/tasks/{start(people.one)}", data=PREPARED)
    client.sign_in(people.chen)
    client.post("/tasks/phrases", data={"words": "材料齐全，同意。"})
    page = client.get(f"/tasks/{open_task('review').id}").text
    assert 'data-phrase="材料齐全，同意。"' in page
    assert client.post("/tasks/phrases", data={"words": " "}).status_code == 422


def test_a_case_is_started_by_whom_the_model_allows_and_opens_its_first_task(
    client: Any, session: Any, deployed: Any, people: Any, task_row: Any
) -> None:
    client.sign_in(people.lin)
    assert "小型备案" in client.get("/tasks").text
    page = client.get("/tasks/start/small_filing").text
    assert "第 4.6.1 条" in page
    answer = client.post("/tasks/start/small_filing")
    task = UUID(answer.location.rsplit("/", 1)[1])
    row = task_row(task)
    assert (row.element_id, row.assignee_id, row.case_org_id) == ("prepare", people.lin.id, people.one.id)
    assert session.scalar(select(process_instance.c.started_by)) == people.lin.id
    assert "填报" in client.get("/tasks/started").text
    client.sign_in(people.designer)
    assert client.get("/tasks/start/small_filing").status_code == 404
    assert client.post("/tasks/start/small_filing").status_code == 404
    assert "小型备案" not in client.get("/tasks").text


def test_what_i_did_is_listed(client: Any, people: Any, start: Any) -> None:
    client.sign_in(people.lin)
    client.post(f"/tasks/{start(people.one)}", data=PREPARED)
    page = client.get("/tasks/done").text
    assert "填报企业" in page
    assert "BA-2026-0001" in page
    client.sign_in(people.colleague)
    assert "BA-2026-0001" not in client.get("/tasks/done").text


def test_rest_completes_by_the_same_checks(session: Any, people: Any, start: Any, task_row: Any) -> None:
    task, actor = start(people.one), actor_of(people.lin)
    with pytest.raises(service.FormRefused) as refused:
        service.complete(session, actor, task, variables={"capital": -1, "enterprises": [{"name": ""}]})
    assert refused.value.fields.keys() == {"name", "capital", "enterprises[0].name"}
    session.rollback()
    with pytest.raises(QianyinError, match="没有找到"):
        service.complete(session, actor_of(people.stranger), task, variables={"name": "甲"})
    session.rollback()
    service.complete(session, actor, task, variables={"name": "甲", "capital": 10, "enterprises": [{"name": "乙"}]})
    session.commit()
    assert task_row(task).status == "completed"
