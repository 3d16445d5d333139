"""Dashboard, analysis of a process, exports: every figure is what its list holds, counted again by other code."""

from __future__ import annotations

import csv
import html
import io
import re
import statistics
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from lxml import etree
from openpyxl import load_workbook
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from tests.support import Client
from webapp import clock
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.engine.tables import activity_history, process_instance, user_task
from webapp.monitor import figures, filters, list_page, live, mining, queries, sorting

STEPS = {"userTask", "serviceTask", "businessRuleTask", "receiveTask", "sendTask", "callActivity"}
LINK = re.compile(r'<a[^>]*href="(/instances\?[^"]*)"[^>]*>(.*?)</a>', re.S)


@pytest.fixture
def manager(demo_data: str, session: Session, app: Any) -> Client:
    return _signed_in(app, session, "manager")


def _signed_in(app: Any, session: Session, username: str) -> Client:
    client = Client(app)
    client.sign_in(session.scalars(select(Account).where(Account.username == username)).one())
    return client


def _links(page: str) -> list[tuple[str, int]]:
    """(address, figure) of every link to a list whose words are, or begin with, a figure."""
    found = []
    for address, words in LINK.findall(page):
        value = re.search(r'class="value">([^<]*)<', words)
        told = value.group(1) if value else re.sub(r"<[^>]*>", "", words).strip()
        if told.isdigit():
            found.append((html.unescape(address), int(told)))
    return found


def _holds(session: Session, address: str) -> int:
    actor = actor_of(session.scalars(select(Account).where(Account.username == "manager")).one())
    wanted = list_page.wanted(dict(parse_qsl(urlsplit(address).query)))
    return queries.count(session, actor, wanted, clock.now())


def test_each_figure_of_the_dashboard_is_the_number_of_cases_behind_it(manager: Client, session: Session) -> None:
    pages = [manager.get(f"/dashboard?weeks={weeks}").text for weeks in (4, 52)]
    found = {link for page in pages for link in _links(page)}
    assert len(found) > 40
    assert any(count for _address, count in found)
    assert {address: count for address, count in found if _holds(session, address) != count} == {}


def test_each_figure_of_an_analysis_is_the_number_of_cases_behind_it(manager: Client, session: Session) -> None:
    for key in ("change_review", "enterprise_review", "lead_unit_evaluation"):
        page = manager.get(f"/definitions/{key}?period=365&compare=before").text
        found = _links(page)
        assert found, key
        assert {address: count for address, count in found if _holds(session, address) != count} == {}, key


def test_a_list_shows_and_exports_as_many_as_the_figure_says(manager: Client, session: Session) -> None:
    address, count = max(_links(manager.get("/dashboard").text), key=lambda link: link[1])
    query = urlsplit(address).query
    page = manager.get(address).text
    assert f"共 {count} 件" in page
    told = list(csv.reader(io.StringIO(manager.get(f"/instances/export.csv?{query}").data.decode("utf-8-sig"))))
    assert len(told) - 1 == count
    sheet = load_workbook(io.BytesIO(manager.get(f"/instances/export.xlsx?{query}").data)).active
    assert sheet is not None
    assert sheet.max_row - 1 == count
    assert [sheet.cell(2, n + 1).value or "" for n in range(2)] == told[1][:2]


def test_the_figures_equal_a_recount(demo_data: str, session: Session, app: Any) -> None:
    now = clock.now()
    cases = {row.id: row for row in session.execute(select(process_instance))}
    overdue, today, running = defaultdict(set), defaultdict(set), Counter()
    end = datetime.combine(now.astimezone(clock.BEIJING).date() + timedelta(days=1), datetime.min.time(), clock.BEIJING)
    roles, people = defaultdict(set), defaultdict(set)
    for task in session.execute(select(user_task).where(user_task.c.status == "open")):
        assert cases[task.instance_id].status == "active"
        if task.due_at and task.due_at < now:
            overdue[task.definition_key].add(task.instance_id)
        elif task.due_at and task.due_at <= end:
            today[task.definition_key].add(task.instance_id)
        for role in task.candidate_groups:
            roles[role].add(task.instance_id)
        if task.assignee_id:
            people[str(task.assignee_id)].add(task.instance_id)
    lengths = defaultdict(list)
    for case in cases.values():
        if case.status == "active" and not case.suspended:
            running[case.definition_key] += 1
        if case.status == "completed":
            lengths[case.definition_key].append((case.ended_at - case.started_at).total_seconds() / 86400)
    found = figures.standing(session, "", now)
    assert {key: one.running for key, one in found.items() if one.running} == dict(running)
    assert {key: one.overdue for key, one in found.items() if one.overdue} == {k: len(v) for k, v in overdue.items()}
    assert {key: one.today for key, one in found.items() if one.today} == {k: len(v) for k, v in today.items()}
    by_role, by_person = figures.loads(session, "", now)
    assert {load.key: load.cases for load in by_role} == {key: len(ids) for key, ids in roles.items()}
    assert {load.key: load.cases for load in by_person} == {key: len(ids) for key, ids in people.items()}
    took = figures.durations(session, "", date(2020, 1, 1), date(2100, 1, 1))
    assert lengths
    for key, days in lengths.items():
        assert took[key].done == len(days)
        assert took[key].mean == pytest.approx(statistics.fmean(days))
        assert took[key].median == pytest.approx(statistics.median(days))
    every = [day for days in lengths.values() for day in days]
    assert took[""].mean == pytest.approx(statistics.fmean(every))
    weeks = figures.weeks(session, "", clock.today() - timedelta(days=60), clock.today())
    for week in weeks[:-1]:
        after = datetime.combine(week.begins + timedelta(days=7), datetime.min.time(), clock.BEIJING)
        standing = [c for c in cases.values() if c.started_at < after and not (c.ended_at and c.ended_at < after)]
        assert week.running == len(standing), week


@pytest.mark.parametrize("key", ["enterprise_review", "change_review"])
def test_the_heat_of_a_process_equals_a_recount(demo_data: str, session: Session, app: Any, key: str) -> None:
    today = clock.today()
    scope = mining.Scope(key, None, today - timedelta(days=364), today)
    mine = select(process_instance.c.id).where(process_instance.c.definition_key == scope.process)
    history = session.execute(select(activity_history).where(activity_history.c.instance_id.in_(mine))).all()
    claimed = {row.id: row.claimed_at for row in session.execute(select(user_task.c.id, user_task.c.claimed_at))}
    cases, waits = defaultdict(set), defaultdict(list)
    paths: dict[Any, list[str]] = defaultdict(list)
    for row in sorted(history, key=lambda row: (row.ended_at, row.id)):
        if row.cancelled:
            continue
        cases[row.element_id].add(row.instance_id)
        if row.element_type == "userTask":
            taken = claimed.get(row.task_id) or row.ended_at
            waits[row.element_id].append(max(0.0, (taken - row.started_at).total_seconds() / 86400))
        if row.element_type in {
            "userTask",
            "serviceTask",
            "businessRuleTask",
            "receiveTask",
            "sendTask",
            "callActivity",
        }:
            path = paths[row.instance_id]
            if not path or path[-1] != row.element_id:
                path.append(row.element_id)
    found = {one.element_id: one for one in mining.heat(session, scope)}
    assert {key: one.cases for key, one in found.items()} == {key: len(ids) for key, ids in cases.items()}
    for key, days in waits.items():
        assert found[key].wait == pytest.approx(statistics.median(days)), key
    done = session.execute(
        select(process_instance.c.id).where(
            process_instance.c.definition_key == scope.process, process_instance.c.status == "completed"
        )
    ).scalars()
    ways = Counter(tuple(paths[id]) for id in done)
    variants, count = mining.variants(session, scope, 1000)
    assert {one.steps: one.cases for one in variants} == dict(ways)
    assert count == len(ways)


def test_the_event_log_is_xes_with_the_counts_of_the_page(manager: Client, session: Session) -> None:
    answer = manager.get("/definitions/change_review/log.xes?period=365")
    log = etree.fromstring(answer.data)
    space = {"x": "http://www.xes-standard.org/"}
    today = clock.today()
    scope = mining.Scope("change_review", None, today - timedelta(days=364), today)
    traces = log.findall("x:trace", space)
    assert len(traces) == mining.whole(session, scope).done > 0
    keys = {"concept:name", "concept:instance", "lifecycle:transition", "time:timestamp", "start_timestamp"}
    for event in log.iterfind(".//x:event", space):
        assert keys <= {part.get("key") for part in event}
    ways = Counter(
        tuple(e.find("x:string[@key='element']", space).get("value") for e in trace.findall("x:event", space))
        for trace in traces
    )
    assert sum(ways.values()) == sum(one.cases for one in mining.variants(session, scope, 1000)[0])
    declared = {part.get("prefix") for part in log.findall("x:extension", space)}
    used = {key.partition(":")[0] for key in keys if ":" in key}
    assert used <= declared


def test_what_the_model_did_not_foresee_is_told(manager: Client, session: Session) -> None:
    row = session.execute(
        select(process_instance.c.id, process_instance.c.definition_key)
        .where(process_instance.c.status == "active")
        .limit(1)
    ).one()
    session.execute(
        text(
            "insert into audit (at, action, instance_id, reason, detail) values"
            ' (now(), \'instance.move\', :id, \'改道\', \'{"from": ["a"], "to": "b"}\')'
        ),
        {"id": row.id},
    )
    session.commit()
    page = manager.get(f"/definitions/{row.definition_key}").text
    assert "移到“b”" in page
    moved = manager.get(f"/instances?view=all&process={row.definition_key}&off=moved").text
    assert "共 1 件" in moved
    assert "曾被移动环节" in moved


def test_a_target_is_set_by_the_manager_alone_and_counts(manager: Client, session: Session, app: Any) -> None:
    assert "未设" in manager.get("/definitions/quarterly_evaluation").text
    for wrong in ("0", "abc", "99999", "١٢"):
        answer = manager.post("/definitions/change_review/target", data={"days": wrong})
        assert answer.status_code == 422
        assert "请填写 1 至 3650 之间的整数" in answer.text
    assert manager.post("/definitions/change_review/target", data={"days": "1"}).status_code == 303
    page = manager.get("/dashboard?weeks=52").text
    slow = [link for link in _links(page) if "longer=1" in link[0]]
    assert len(slow) == 1
    assert _holds(session, slow[0][0]) == slow[0][1]
    office = _signed_in(app, session, "office")
    assert office.post("/definitions/change_review/target", data={"days": "3"}).status_code == 403
    assert office.get("/definitions/enterprise_review").status_code == 200
    assert _signed_in(app, session, "lead_unit").get("/dashboard").status_code == 403
    assert manager.get("/definitions/nothing").status_code == 404


def test_an_open_page_asks_again_without_counting_anew(manager: Client, session: Session) -> None:
    first = manager.get("/dashboard/body")
    tag = first.headers["ETag"]
    assert manager.get("/dashboard/body", headers={"If-None-Match": tag}).status_code in {200, 304}  # a minute may pass
    fresh = manager.get("/dashboard/body").headers["ETag"]
    assert manager.get("/dashboard/body", headers={"If-None-Match": fresh}).data in {b"", first.data}
    before = live.counter(session)
    session.commit()
    session.execute(update(process_instance).values(stage="x"))
    session.execute(text("select pg_stat_force_next_flush()"))
    session.commit()
    session.execute(text("select 1"))
    assert live.counter(session) > before
    assert manager.get("/dashboard/body", headers={"If-None-Match": fresh}).status_code == 200


def test_pages_follow_each_other_in_every_order(demo_data: str, session: Session, app: Any) -> None:
    actor = actor_of(session.scalars(select(Account).where(Account.username == "manager")).one())
    now = datetime.now(UTC)
    for sort in sorting.SORTS:
        for sign in ("", "-"):
            wanted = filters.Filter(view="all", sort=sign + sort)
            every = [row.id for row in queries.streamed(session, actor, wanted, now)]
            seen, mark, pages = [], "", []
            while True:
                page = queries.page(session, actor, wanted, now, mark, size=17)
                assert page.first == len(seen) + 1
                seen += [row.id for row in page.rows]
                pages.append(page)
                if not (mark := page.following):
                    break
            assert seen == every, sort
            back = queries.page(session, actor, wanted, now, pages[-1].previous, size=17)
            assert [row.id for row in back.rows] == [row.id for row in pages[-2].rows], sort
            assert back.first == pages[-2].first


def test_bad_addresses_are_no_error(manager: Client) -> None:
    for query in ("page=xyz", "page=W10", "page=WzEsMiwzLDRd"):
        assert manager.get(f"/instances?{query}").status_code == 422
    for query in (
        "unit=1&person=x&version=-3&started_from=2026-13-45&at=0000-00-00&waited=99999999",
        "variable=x&value=%25_%27&columns=title,nothing,var.secret&element=%22%7D&process=partner_filing",
        "role=%27)--&off=whatever&variant=x&view=nothing&sort=id",
    ):
        assert manager.get(f"/instances?{query}").status_code == 200
    assert manager.get("/definitions/partner_filing?version=99").status_code == 404
    assert manager.get("/definitions/partner_filing?from=2026-12-01&to=1&metric=x&compare=7").status_code == 200
    assert manager.get("/dashboard?weeks=-1&process=nothing").status_code == 200


def test_a_searchable_variable_filters_and_shows(manager: Client, session: Session) -> None:
    name = session.scalar(
        text("select business->>'enterprise_name' from process_instance where business ? 'enterprise_name' limit 1")
    )
    assert name
    page = manager.get(
        "/instances",
        query_string={
            "view": "all",
            "variable": "enterprise_name",
            "value": name[:4],
            "columns": "title,var.enterprise_name",
        },
    ).text
    assert name in page
    assert "variable" in page
    other = manager.get("/instances", query_string={"view": "all", "variable": "credit_code", "value": name[:4]}).text
    assert "没有案件" in other


def test_a_view_is_kept_and_shared(manager: Client, session: Session, app: Any) -> None:
    query = "view=done&process=partner_filing&columns=title,took&page=x&evil=1"
    assert manager.post("/instances/views", data={"name": " ", "query": query}).status_code == 422
    assert (
        manager.post("/instances/views", data={"name": "办结的备案", "query": query, "shared": "true"}).status_code
        == 303
    )
    assert manager.post("/instances/views", data={"name": "自己的", "query": query}).status_code == 303
    office = _signed_in(app, session, "office")
    page = office.get("/instances").text
    assert "办结的备案（共享）" in page
    assert "自己的" not in page
    assert "evil" not in page
    assert "办结的备案" not in office.get("/tasks").text
    [first] = re.findall(r"/instances/views/([0-9a-f-]+)/delete", manager.get("/instances/views").text)[:1]
    assert office.post(f"/instances/views/{first}/delete").status_code == 404
    assert manager.post(f"/instances/views/{first}/delete").status_code == 303


def test_an_export_holds_no_formula(manager: Client, session: Session) -> None:
    session.execute(update(process_instance).values(title="=HYPERLINK(1)"))
    session.commit()
    assert "'=HYPERLINK(1)" in manager.get("/instances/export.csv?view=all").text
