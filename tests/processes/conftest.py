"""The processes of the domain on a clean database: registers, people, and the verbs that the stories need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.conftest import clone_database
from webapp import clock as time
from webapp import db
from webapp.clock import clock
from webapp.demo import cases, make, people, play, registers
from webapp.engine import jobs, messages, queries, timers
from webapp.engine.handler_api import Actor, CasePanel, CasePanelContext, FormContext, FormData, hooks
from webapp.engine.tables import process_instance, user_task
from webapp.errors import Invalid
from webapp.inbox.task_form import element_of
from webapp.notices.models import Notice
from webapp.postgres import Server
from webapp.registers.models import Filing, FilingItem, Interpretation, LeadUnit

WANTED = (
    "select id from message m where status = 'waiting' and exists (select 1 from event_subscription s"
    " where s.name = m.name and s.correlation_key = m.correlation_key) order by id"
)
CALLS = "delete from procrastinate_jobs where task_name = 'qianyin.call' and status = 'todo' returning args"


#: The name of the database that every town is a copy of.
FOUNDED = "founded"


@dataclass(frozen=True)
class Founded:
    """What a town's database holds from the beginning, by the keys of its rows."""

    units: tuple[UUID, ...]
    expelled: UUID
    other_identity: UUID
    notices: tuple[UUID, ...]
    people: Mapping[str, Actor]

    @classmethod
    def of(cls, entered: registers.Registers, actors: Mapping[str, Actor]) -> Founded:
        units, notices = ([row.id for row in rows] for rows in (entered.units, entered.notices))
        return cls(tuple(units), entered.expelled.id, entered.other_identity.id, tuple(notices), actors)

    def registers(self, session: Session) -> registers.Registers:
        """The same entries, read anew."""
        return registers.Registers(
            [session.get_one(LeadUnit, unit) for unit in self.units],
            session.get_one(LeadUnit, self.expelled),
            session.get_one(Interpretation, self.other_identity),
            [session.get_one(Notice, notice) for notice in self.notices],
        )


class Town:
    """The city's registers and people; every verb is a transaction of its own, then the worker's jobs are done."""

    def __init__(self, engine: Any, clock_at: Callable[[datetime], None], founded: Founded) -> None:
        self.engine = engine
        self.clock_at = clock_at
        self.people = dict(founded.people)
        with db.transaction() as session:
            self.registers = founded.registers(session)

    # ---- verbs

    def start(self, who: str, key: str, variables: Mapping[str, Any] | None = None) -> UUID:
        with db.transaction() as session:
            return play.start(session, self.people[who], key, variables)

    def do(self, who: str, case: UUID, element: str, data: Mapping[str, Any] | None = None, outcome: str = "") -> None:
        with db.transaction() as session:
            play.do(session, self.people[who], case, element, data, outcome or None)
        self.work()

    def refused(
        self, who: str, case: UUID, element: str, data: Mapping[str, Any] | None = None, outcome: str = ""
    ) -> dict[str, list[str]]:
        """The sentences by field with which a completion is refused."""
        with pytest.raises(Invalid) as refusal:
            self.do(who, case, element, data, outcome)
        return refusal.value.fields

    def review(self, item: UUID, outcome: str = "pass", **changes: Any) -> None:
        """The office's review and the second person's agreement."""
        with db.transaction() as session:
            found = session.get_one(FilingItem, item)
            cases.review(session, self.people["office"], found, outcome, **changes)
        with db.transaction() as session:
            cases.agree(session, self.people["office2"], session.get_one(FilingItem, item))
        self.work()

    def file(self, enterprises: list[dict[str, Any]], who: str = "") -> UUID:
        """A submitted filing of unit A, or of unit `_b`."""
        with db.transaction() as session:
            staff, head = self.people[f"lead_unit{who}"], self.people[f"lead_unit_head{who}"]
            return cases.file(session, staff, head, enterprises).id

    def publish(self, items: list[UUID]) -> UUID:
        """A batch up to its published notice."""
        with db.transaction() as session:
            chosen = [session.get_one(FilingItem, item) for item in items]
            found = cases.publish(session, self.people["office"], self.people["working_group"], chosen)
        self.work()
        return found

    def close_period(self, case: UUID) -> None:
        """Let the publicity period end and confirm that every objection was entered."""
        self.pass_time(working_days=6)
        self.do("office", case, "confirm_entered", {"all_entered": True}, "confirm")

    def publish_list(self, case: UUID, **more: Any) -> None:
        """From the prepared to the published list."""
        with db.transaction() as session:
            given = play.fill_in(session, self.people["office"], case, "prepare_list")
        self.do("office", case, "prepare_list", {"list_title": given["list_title"], **more}, "submit")
        self.do("working_group", case, "sign_list", {"sign_opinion": "同意发布。"}, "sign")

    def upload(self, who: str, enterprise: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """The enterprise with its materials uploaded, as a row of the filing form."""
        with db.transaction() as session:
            filled = make.with_materials(session, self.people[who], enterprise, without=without)
        return {name: value for name, value in filled.items() if value is not None}

    # ---- time and jobs

    def pass_time(self, *, working_days: int = 0, **span: int) -> None:
        """Move the clock and fire what has come due."""
        now = time.now()
        if working_days:
            day = time.add_working_days(now.astimezone(time.BEIJING).date(), working_days)
            target = datetime(day.year, day.month, day.day, 10, tzinfo=time.BEIJING)
        else:
            target = now + timedelta(**span)
        self.clock_at(target)
        while timers.fire_due(self.engine):
            self.work()

    def work(self) -> None:
        """Deliver every message that somebody waits for, as the worker does."""
        while True:
            with db.transaction() as session:
                found = session.scalars(text(WANTED)).all()
            if not found:
                return
            for message_id in found:
                messages.deliver(self.engine, message_id)

    def make_documents(self) -> None:
        """Run the external jobs that handlers asked for."""
        with db.transaction() as session:
            rows = session.execute(text(CALLS)).scalars().all()
        for args in rows:
            case = UUID(args["instance_id"]) if args["instance_id"] else None
            jobs.call(self.engine, args["topic"], args["arguments"], UUID(args["key"]), case)

    # ---- looking

    def items(self, filing: UUID) -> list[UUID]:
        with db.transaction() as session:
            found = select(FilingItem.id).where(FilingItem.filing_id == filing).order_by(FilingItem.seq)
            return list(session.scalars(found))

    def item(self, item: UUID) -> FilingItem:
        with db.transaction() as session:
            return session.get_one(FilingItem, item)

    def filing(self, filing: UUID) -> Filing:
        with db.transaction() as session:
            return session.get_one(Filing, filing)

    def unit(self, letter: str = "") -> LeadUnit:
        return self.registers.units["_b_c".find(letter) // 2 + 1 if letter else 0]

    def case_of(self, item: UUID) -> UUID:
        found = self.item(item).instance_id
        assert found is not None
        return found

    def status(self, case: UUID) -> str:
        with db.transaction() as session:
            return str(session.scalar(select(process_instance.c.status).where(process_instance.c.id == case)))

    def number(self, case: UUID) -> str:
        with db.transaction() as session:
            return str(queries.instance(session, case).business_key)

    def open(self, case: UUID) -> list[str]:
        """Elements at which a user task of the case is open."""
        with db.transaction() as session:
            return sorted(row.element_id for row in queries.open_tasks(session, case))

    def task(self, case: UUID, element: str) -> Any:
        with db.transaction() as session:
            where = (user_task.c.instance_id == case, user_task.c.element_id == element)
            return session.execute(select(user_task).where(*where).order_by(user_task.c.id.desc())).first()

    def variables(self, case: UUID) -> dict[str, Any]:
        with db.transaction() as session:
            return queries.variables(session, case)

    def notice(self, batch_case: UUID, kind: str = "publicity") -> Notice:
        with db.transaction() as session:
            batch = UUID(str(self.variables(batch_case)["batch_id"]))
            found = session.scalars(select(Notice).where(Notice.batch_id == batch, Notice.kind == kind)).one()
            _ = found.rows
            return found

    def case(self, key: str) -> UUID:
        """The newest case of a process."""
        with db.transaction() as session:
            where = select(process_instance.c.id).where(process_instance.c.definition_key == key)
            found: UUID = session.scalars(where.order_by(process_instance.c.id.desc()).limit(1)).one()
            return found

    def form(self, who: str, case: UUID, element: str) -> FormData:
        """What the model's provider gives this person."""

        with db.transaction() as session:
            row = session.execute(
                select(user_task).where(user_task.c.id == play.open_task(session, case, element))
            ).one()
            context = FormContext(
                session, case, row.id, element, queries.variables(session, case), self.people[who], time.now()
            )
            return hooks.providers[str(element_of(session, row).provider)](context)

    def panel(self, who: str, case: UUID) -> CasePanel:
        """The case file as this person sees it."""
        with db.transaction() as session:
            row = queries.instance(session, case)
            context = CasePanelContext(
                session,
                case,
                row.root_instance_id,
                row.definition_key,
                queries.variables(session, case),
                self.people[who],
            )
            return hooks.panels[row.definition_key](context)

    def incidents(self) -> list[str]:
        with db.transaction() as session:
            return [row.message for row in queries.open_incidents(session)]


MORNING = datetime(2026, 11, 25, 10, tzinfo=time.BEIJING)


@pytest.fixture(scope="session")
def _founded(server: Server, template: str, config: Any, _engine: Any) -> Founded:
    """A database with the deployments, registers and people of a town; copied for each test, as it is large."""
    from webapp.supervisor import deploy_processes

    url = clone_database(server, FOUNDED, template)
    db.configure(url, pool_size=6)
    deploy_processes(config)
    clock.offset = timedelta()
    clock.offset = MORNING - clock.now()
    with db.transaction() as session:
        entered = registers.fill(session, time.now())
        founded = Founded.of(entered, people.fill(session, entered.units))
    clock.offset = timedelta()
    db.dispose()
    return founded


@pytest.fixture
def town(
    server: Server, _founded: Founded, engine: Any, database: str, clock_at: Callable[[datetime], None]
) -> Iterator[Town]:
    """The domain at work on a Wednesday morning; at the end no case stands in an incident."""
    from webapp.engine import runtime

    db.dispose()
    clone_database(server, "working", FOUNDED)
    db.configure(database, pool_size=6)
    clock_at(MORNING)
    town = Town(runtime.engine(), clock_at, _founded)
    yield town
    assert town.incidents() == []
