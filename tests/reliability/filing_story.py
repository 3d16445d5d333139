"""The filing story (4.6), played over HTTP while parts of the product are killed; a ledger of what clients were told.

A lead unit files two enterprises; its head confirms; the office reviews, a second person agrees; a batch is composed
and signed; the period ends; the list is prepared, signed and published. Each step names its crash.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from tests.browser.product import waited
from tests.reliability.crashes import Client, Crash, Crasher, NoAnswer
from webapp import clock
from webapp.demo import make
from webapp.inbox.completing import flatten

STAFF, HEAD, OFFICE, SECOND, SIGNATORY = "lead_unit_b", "lead_unit_head_b", "office", "office2", "working_group"
#: Who keeps a document waits for this.
DOCUMENTS = "lock table document in share mode"
#: A handler that changes an enterprise's row waits for this, in the middle of a step.
ITEMS = "lock table filing_item in share mode"
NEED = "为金属加工行业 9 家试点企业提供机床联网、生产排程和质量追溯。"
TITLE = "关于新增产业生态联合体企业名单的公示（长风等两家）"
VERDICTS = {f"{material}_verdict": "pass" for material in ("licence", "identity", "accounts", "credit_report")}
ENTERPRISES = (
    make.enterprise(311, name="广州长风工业软件有限公司"),
    make.enterprise(312, name="广州长风传感技术有限公司"),
)


@dataclass
class Ledger:
    """What clients were told, or found done when nobody answered. The truth that the database has to match."""

    #: process key -> (instance id, number)
    cases: dict[str, tuple[UUID, str]] = field(default_factory=dict)
    #: (task id, element, who, outcome)
    completed: list[tuple[UUID, str, str, str]] = field(default_factory=list)
    #: document id -> SHA-256 of what was sent
    uploads: dict[UUID, str] = field(default_factory=dict)
    #: how far the clock was moved
    advanced: timedelta = timedelta()


class Story:
    """The people of the story, each a client of their own, and the verbs that they need."""

    def __init__(self, crasher: Crasher) -> None:
        self.crasher = crasher
        self.ledger = Ledger()
        self.people = {name: Client(crasher, name) for name in (STAFF, HEAD, OFFICE, SECOND, SIGNATORY, "sysadmin")}

    def close(self) -> None:
        for client in self.people.values():
            client.session.close()

    # ---- verbs

    def start(self, who: str, key: str, crash: Crash, *, program: bool = False) -> None:
        """Start a case. When nobody answers, the list of what one started tells whether to do it again."""
        client = self.people[who]
        before = {row["id"] for row in self._started(client, key)}

        def new() -> list[dict[str, Any]]:
            return [row for row in self._started(client, key) if row["id"] not in before]

        options: dict[str, Any] = {"data": {"csrf_token": client.token}}
        path = f"/tasks/start/{key}"
        if program:
            path, options = f"/engine-rest/process-definition/key/{key}/start", {"json": {}, "auth": client.credentials}
        try:
            answer = client.send("POST", path, crash=crash, done=lambda: bool(new()), **options)
        except NoAnswer:
            pass
        else:
            told = answer.json()["businessKey"] if program else new()[0]["businessKey"]
            assert told in answer.text
        (case,) = new()
        self.ledger.cases[key] = UUID(case["id"]), case["businessKey"]

    @staticmethod
    def _started(client: Client, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.rest(
            "history/process-instance", startedBy=client.name, processDefinitionKey=key
        )
        return found

    def upload(self, who: str, filename: str, content: bytes, crash: Crash | None) -> str:
        """Upload a file; whoever gets no answer sends it again, and uses the one that they were told of."""
        client = self.people[who]
        told = client.send(
            "POST",
            "/documents",
            crash=crash,
            files={"file": (filename, content)},
            data={"csrf_token": client.token},
            headers={"Accept": "application/json"},
        ).json()
        digest = hashlib.sha256(content).hexdigest()
        assert told["digest"] == digest
        self.ledger.uploads[UUID(told["id"])] = digest
        return str(told["id"])

    def decide(
        self,
        who: str,
        number: str,
        element: str,
        outcome: str,
        data: Mapping[str, Any],
        crash: Crash | None = None,
        *,
        program: str = "",
    ) -> None:
        """Do the open task of a case at an element: by its page, or by REST (`program`: the outcome's variable)."""
        client = self.people[who]
        query = {"processInstanceBusinessKey": number, "taskDefinitionKey": element}
        (task,) = waited(lambda: client.rest("task", **query), f"{element} of {number}\n{self.crasher.product.said()}")
        task_id = UUID(task["id"])
        if program:
            variables = {name: {"value": value} for name, value in {**data, program: outcome}.items()}
            path = f"/engine-rest/task/{task_id}/complete"
            options: dict[str, Any] = {"json": {"variables": variables}, "auth": client.credentials}
        else:
            client.page(f"/tasks/{task_id}")
            fields: MultiDict[str, str] = MultiDict({"csrf_token": client.token, "outcome": outcome})
            flatten("", data, fields)
            path, options = f"/tasks/{task_id}", {"data": list(fields.items(multi=True))}
        with suppress(NoAnswer):
            client.send("POST", path, crash=crash, done=lambda: self._is_done(task_id, who, outcome), **options)
        self.ledger.completed.append((task_id, element, who, outcome))

    def _is_done(self, task_id: UUID, who: str, outcome: str) -> bool:
        query = (
            "select t.status, t.outcome, a.username from user_task t left join account a on a.id = t.completed_by"
            " where t.id = %s"
        )
        return self.crasher.rows(query, task_id) == [("completed", outcome, who)]

    def advance(self, span: timedelta, crash: Crash | None = None) -> None:
        """Move the clock of the demo; whoever gets no answer looks where it stands."""
        before, client = self._offset(), self.people["sysadmin"]
        with suppress(NoAnswer):
            client.send(
                "POST",
                "/api/v1/demo/clock",
                crash=crash,
                done=lambda: self._offset() != before,
                json={"advance": f"P{span.days}D"},
                auth=client.credentials,
            )
        self.ledger.advanced += span

    def _offset(self) -> int:
        return int(self.crasher.value("select coalesce(max(offset_seconds), 0) from demo_clock"))

    # ---- the story

    def play(self) -> None:
        """All of it. `before`: the cases that the demo begins with."""
        self.before = [id for (id,) in self.crasher.rows("select id from process_instance")]
        for client in self.people.values():
            client.sign_in()
        number = self._file()
        self._review(number)
        batch = self._make_public()
        self._let_the_period_end()
        self._publish(batch)
        self._come_to_rest()

    def _file(self) -> str:
        self.start(STAFF, "partner_filing", Crash("committed", "webs"))
        number = self.ledger.cases["partner_filing"][1]
        crashes = iter(
            (
                Crash("middle", "web"),
                Crash("held", "webs", DOCUMENTS),
                Crash("before", "master"),
                Crash("middle", "webs"),
                Crash("committed", "webs"),
            )
        )
        rows = []
        for enterprise in ENTERPRISES:
            row = {name: value for name, value in enterprise.items() if value is not None}
            for material, (filename, content) in make.materials(enterprise).items():
                row[material] = [self.upload(STAFF, filename, content, next(crashes, None))]
            rows.append(row)
        form = {
            "need": NEED,
            "programme": "national",
            "true_copies": True,
            "knows_publicity": True,
            "enterprises": rows,
        }
        self.decide(STAFF, number, "prepare_filing", "submit", form, Crash("middle", "webs"))
        opinion = {"confirm_opinion": "材料齐全，同意提交。"}
        self.decide(HEAD, number, "confirm_submission", "confirm", opinion, Crash("held", "master"))
        return number

    def _review(self, number: str) -> None:
        words = {**VERDICTS, "review_opinion": "四项材料齐全、有效。", "correction_days": 5}
        first, second = f"{number}-01", f"{number}-02"
        self.decide(OFFICE, first, "review", "pass", words, Crash("committed", "webs"), program="review_decision")
        self.decide(OFFICE, second, "review", "pass", words, Crash("after", "web"), program="review_decision")
        agreed = {"second_opinion": "同意审核意见。"}
        with self.crasher.held(DOCUMENTS) as blocked:
            self.decide(SECOND, first, "second_review", "agree", agreed, Crash("middle", "webs"))
            self.crasher.kill_worker_when_blocked(blocked, "documents")
        self.decide(SECOND, second, "second_review", "agree", agreed, Crash("held", "database", ITEMS))

    def _make_public(self) -> str:
        self.start(OFFICE, "publicity_batch", Crash("held", "webs"), program=True)
        number = self.ledger.cases["publicity_batch"][1]
        items = self.crasher.rows(
            "select i.id::text from filing_item i join filing f on f.id = i.filing_id where f.number = %s",
            self.ledger.cases["partner_filing"][1],
        )
        data = {"title": TITLE, "item_ids": [item for (item,) in items], "period_days": 5}
        self.decide(OFFICE, number, "compose", "submit", data, Crash("after", "master"))
        opinion = {"sign_opinion": "同意公示。"}
        with self.crasher.held(DOCUMENTS) as blocked:
            self.decide(SIGNATORY, number, "sign_notice", "sign", opinion, Crash("committed", "webs"))
            self.crasher.kill_worker_when_blocked(blocked, "documents")
        return number

    def _let_the_period_end(self) -> None:
        """The worker dies while it fires the timer."""
        span = clock.add_working_days(clock.today(), 6) - clock.today()
        self.crasher.idle()
        with self.crasher.held("lock table activity_history in share mode") as blocked:
            self.advance(span)
            self.crasher.kill_worker_when_blocked(blocked, "timer")

    def _publish(self, batch: str) -> None:
        """The worker dies while it tells an enterprise's case of its outcome."""
        self.decide(
            OFFICE, batch, "confirm_entered", "confirm", {"all_entered": True}, Crash("middle", "database"),
            program="entered_decision",
        )  # fmt: skip
        title = {"list_title": "变更后的产业生态联合体企业名单（长风等两家）"}
        self.decide(OFFICE, batch, "prepare_list", "submit", title, Crash("before", "web"))
        filing = self.ledger.cases["partner_filing"][1]
        with self.crasher.held(f"select 1 from filing where number = '{filing}' for no key update") as blocked:
            self.decide(SIGNATORY, batch, "sign_list", "sign", {"sign_opinion": "同意发布。"}, Crash("middle", "webs"))
            self.crasher.kill_worker_when_blocked(blocked, "message")

    def _come_to_rest(self) -> None:
        """Wait for what was told to happen by itself: cases end, jobs and messages are done. Nothing is asserted."""
        began = time.monotonic()
        roots = [instance for instance, _number in self.ledger.cases.values()]
        active = "process_instance where root_instance_id = any(%s) and status = 'active'"
        quiet: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("cases", lambda: not self._count(active, roots)),
            ("jobs", lambda: not self._count("procrastinate_jobs") and not self._count("job")),
            ("messages", lambda: not self._count("message where status = 'waiting'")),
        )
        for what, look in quiet:
            waited(look, f"the {what} come to rest\n{self.crasher.product.said()[-4000:]}")
        self.rested = time.monotonic() - began

    def _count(self, rest: str, *values: Any) -> int:
        return int(self.crasher.value(f"select count(*) from {rest}", *values))
