"""Issue 2, "Done when" 4: kill -9 of web, worker or database anywhere in the filing story loses and doubles nothing.

The story is played once; each test compares what clients were told with what stands in the registers and tables.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.product import running
from tests.reliability.crashes import Crasher
from tests.reliability.filing_story import ENTERPRISES, OFFICE, STAFF, TITLE, Story

CODES = [enterprise["credit_code"] for enterprise in ENTERPRISES]
#: Serial numbers and where those that were taken stand.
NUMBERED = {
    "BA": "select business_key from process_instance where definition_key = 'partner_filing'",
    "GS": "select business_key from process_instance where definition_key = 'publicity_batch'",
    "document:publicity": "select number from notice where kind = 'publicity' and number is not null",
    "document:list": "select number from published_list",
}
#: The elements of the story that a user task stands for, and who did each.
TASKS = Counter(
    prepare_filing=1, confirm_submission=1, review=2, second_review=2, compose=1, sign_notice=1, confirm_entered=1,
    prepare_list=1, sign_list=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """The story, played on the whole product; CRASH_SEED repeats one run's choices."""
    seed = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**6))
    print(f"CRASH_SEED={seed}")
    with running(WEB_WORKERS="2") as product:
        began = time.monotonic()
        story = Story(Crasher(product, random.Random(seed)))
        try:
            story.play()
            print(f"killed: {dict(story.crasher.tally)}; answers lost: {dict(story.crasher.lost)}")
            print(f"played in {time.monotonic() - began:.1f} s, of which at rest after {story.rested:.1f} s")
            yield story
        finally:
            story.close()


@pytest.fixture
def rows(story: Story) -> Any:
    return story.crasher.rows


@pytest.fixture
def roots(story: Story) -> list[Any]:
    """The ids of the filing and of the batch."""
    return [instance for instance, _number in story.ledger.cases.values()]


def test_every_part_was_killed_at_every_kind_of_moment(story: Story) -> None:
    tally = story.crasher.tally
    assert sum(tally.values()) >= 20
    assert {victim for _when, victim in tally} == {"web", "webs", "master", "worker", "database"}
    moments = {"before", "middle", "held", "committed", "after", "timer", "message", "documents"}
    assert {when for when, _victim in tally} == moments


def test_every_case_that_was_begun_has_ended_and_none_began_twice(story: Story, rows: Any, roots: list[Any]) -> None:
    filing, batch = story.ledger.cases["partner_filing"], story.ledger.cases["publicity_batch"]
    found = rows(
        "select id, definition_key, business_key, status, root_instance_id from process_instance"
        " where not id = any(%s) and definition_key in ('partner_filing', 'enterprise_review', 'publicity_batch')"
        " order by business_key",
        story.before,
    )
    assert [(key, number, status) for _id, key, number, status, _root in found] == [
        ("partner_filing", filing[1], "completed"),
        ("enterprise_review", f"{filing[1]}-01", "completed"),
        ("enterprise_review", f"{filing[1]}-02", "completed"),
        ("publicity_batch", batch[1], "completed"),
    ]
    assert {id for id, *_rest, root in found if id == root} == set(roots)
    begun = rows(
        "select count(*) from audit where action = 'instance.start' and instance_id = any(%s)", [r[0] for r in found]
    )
    assert begun == [(4,)]


def test_every_told_completion_stands_exactly_once(story: Story, rows: Any, roots: list[Any]) -> None:
    told = sorted(story.ledger.completed)
    assert Counter(element for _id, element, _who, _outcome in told) == TASKS
    query = (
        "select t.id, t.element_id, a.username, t.outcome from user_task t left join account a on a.id = t.completed_by"
        " where t.root_instance_id = any(%s) order by t.id"
    )
    assert rows(query, roots) == told
    ids = [task for task, *_rest in told]
    for table, condition in (
        ("activity_history", "element_type = 'userTask' and not cancelled"),
        ("audit", "action = 'task.complete'"),
    ):
        counted = rows(f"select task_id, count(*) from {table} where {condition} and task_id = any(%s) group by 1", ids)
        assert dict(counted) == dict.fromkeys(ids, 1), table


def test_no_node_has_two_tasks_and_each_element_one_row_of_history(rows: Any, roots: list[Any]) -> None:
    assert rows("select instance_id, node from user_task group by 1, 2 having count(*) > 1") == []
    once = "select {0} from activity_history {1} group by {0} having count(*) > 1"
    assert rows(once.format("instance_id, node, element_id", "")) == []
    ours = "where instance_id in (select id from process_instance where root_instance_id = any(%s))"
    # tell_enterprises is a loop over two enterprises: one row for each and one for the whole.
    assert rows(once.format("instance_id, element_id", f"{ours} and element_id <> 'tell_enterprises'"), roots) == []


@pytest.mark.parametrize("kind", NUMBERED)
def test_numbers_have_no_gap_and_no_double(rows: Any, kind: str) -> None:
    counters = rows("select year, last from serial_number where kind = %s", kind)
    assert counters
    numbers = [number.removesuffix(" 号").replace("〔", "-").replace("〕", "-") for (number,) in rows(NUMBERED[kind])]
    found = sorted(tuple(map(int, number.split("-")[1:])) for number in numbers)
    assert found == [(year, number) for year, last in sorted(counters) for number in range(1, last + 1)]


def test_one_notice_and_one_list_with_both_enterprises_stand_as_people_read_them(story: Story, rows: Any) -> None:
    found = rows(
        "select n.kind, n.number, n.title, n.status, array_agg(i.credit_code order by i.seq) from notice n"
        " join publicity_batch b on b.id = n.batch_id join notice_item i on i.notice_id = n.id"
        " where b.number = %s group by n.id order by n.kind desc",
        story.ledger.cases["publicity_batch"][1],
    )
    assert [(kind, status) for kind, _number, _title, status, _codes in found] == [
        ("publicity", "closed"),
        ("list", "published"),
    ]
    assert found[0][4] == CODES
    assert [found[1][4].count(code) for code in CODES] == [1, 1]
    assert found[0][2] == TITLE
    public = story.people[STAFF].page("/public/")
    for _kind, number, *_rest in found:
        assert public.count(number) == 1


def test_each_enterprise_is_a_member_once_and_both_are_settled(story: Story, rows: Any) -> None:
    members = rows(
        "select m.credit_code, m.until, l.number, count(c.id) from consortium_enterprise m"
        " join published_list l on l.id = m.since_list_id"
        " left join register_change c on c.entry_id = m.id and c.register = 'consortium_enterprise'"
        " where m.credit_code = any(%s) group by m.id, l.id order by m.credit_code",
        CODES,
    )
    [(number,)] = rows("select number from published_list order by published_at desc limit 1")
    assert members == [(code, None, number, 1) for code in sorted(CODES)]
    items = rows(
        "select i.credit_code, i.status, i.settled_at is not null, f.status from filing_item i"
        " join filing f on f.id = i.filing_id where i.credit_code = any(%s) order by i.seq",
        CODES,
    )
    assert items == [(code, "published", True, "closed") for code in CODES]
    assert story.people[OFFICE].page(f"/public/lists?q={CODES[0]}").count(CODES[0]) >= 1


def test_nothing_is_left_to_do_and_every_message_came_once(rows: Any, roots: list[Any]) -> None:
    for left in (
        "procrastinate_jobs",
        "job",
        "message where status = 'waiting'",
        "incident where resolved_at is null",
    ):
        assert rows(f"select * from {left}") == []
    ours = "instance_id in (select id from process_instance where root_instance_id = any(%s))"
    for table in ("timer", "event_subscription"):
        assert rows(f"select * from {table} where {ours}", roots) == []
    told = rows(f"select name, status, count(*) from message where sender_{ours} group by 1, 2 order by 1", roots)
    assert told == [("enterprise_outcome", "delivered", 2), ("filing_settled", "delivered", 1)]
    waits = "element_id in ('await_outcome', 'all_settled', 'period')"
    passed = rows(f"select element_id, count(*) from activity_history where {waits} and {ours} group by 1", roots)
    assert dict(passed) == {"await_outcome": 2, "all_settled": 1, "period": 1}


def test_documents_exist_once_with_the_bytes_that_they_name(story: Story, rows: Any, roots: list[Any]) -> None:
    folder = story.crasher.product.data_dir / "documents"
    for (digest,) in rows("select distinct digest from document"):
        content = (folder / digest[:2] / digest[2:4] / digest).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    uploads = story.ledger.uploads
    assert dict(rows("select id, digest from document where id = any(%s)", list(uploads))) == uploads
    attached = rows("select id from document where kind = 'upload' and root_instance_id = any(%s)", roots)
    assert {id for (id,) in attached} == set(uploads)
    made = rows(
        "select kind, media_type = 'application/pdf', count(*) from document where root_instance_id = any(%s)"
        " and kind in ('review_form', 'publicity', 'list') group by 1, 2 order by 1, 2",
        roots,
    )
    assert made == [
        (kind, pdf, count)
        for kind, count in (("list", 1), ("publicity", 1), ("review_form", 2))
        for pdf in (False, True)
    ]
    pointed = rows(
        "select count(p.id), count(d.id) from notice n left join document p on p.id = n.pdf_id"
        " left join document d on d.id = n.docx_id join publicity_batch b on b.id = n.batch_id where b.number = %s",
        story.ledger.cases["publicity_batch"][1],
    )
    assert pointed == [(2, 2)]


def test_the_clock_moved_once(story: Story, rows: Any) -> None:
    assert rows("select offset_seconds from demo_clock") == [(int(story.ledger.advanced.total_seconds()),)]
