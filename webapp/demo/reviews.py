"""变更申请定期审核 (4.7) of the last months, called by the office and recorded: the managers' figures have a past."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.demo import play
from webapp.demo.cases import ago
from webapp.engine import runtime
from webapp.engine.commands import FireTimer
from webapp.engine.handler_api import Actor
from webapp.engine.tables import timer
from webapp.inbox import claiming
from webapp.monitor.models import ProcessTarget

#: (begun, claimed, recorded: working days ago; by whom), the oldest first. Two took longer than the three days set.
_REVIEWS = (
    (56, 55, 54, "working_group"),
    (51, 51, 50, "working_group2"),
    (47, 45, 41, "working_group"),
    (41, 40, 40, "working_group"),
    (36, 36, 35, "working_group2"),
    (31, 30, 29, "working_group"),
    (26, 24, 21, "working_group2"),
    (21, 21, 20, "working_group"),
    (16, 15, 15, "working_group"),
    (11, 10, 9, "working_group2"),
    (6, 6, 5, "working_group"),
)
_TARGETS = {"change_review": 4, "enterprise_review": 20, "partner_filing": 30, "objection": 15}


def fill(session: Session, people: Mapping[str, Actor]) -> None:
    """The reviews, and how long cases of some processes should take."""
    for begun, claimed, recorded, who in _REVIEWS:
        _review(session, people["office"], people[who], begun, claimed, recorded)
    manager = people["manager"]
    for key, days in _TARGETS.items():
        session.add(ProcessTarget(definition_key=key, days=days, set_by=manager.id, set_at=clock.now()))
    session.flush()


def _review(session: Session, office: Actor, who: Actor, begun: int, claimed: int, recorded: int) -> None:
    with ago(begun, 8, 40):
        case = play.start(session, office, "change_review")
    with ago(begun, 9, 5):
        due = session.scalars(select(timer.c.id).where(timer.c.instance_id == case)).one()
        runtime.engine().step(session, case, FireTimer(due), None)
    with ago(claimed, 11, 20):
        claiming.claim(session, who, play.open_task(session, case, "record_review"))
    entered = {
        "attendees": "工作小组、办公室",
        "conclusion": "对照第 4.7 条逐件审核在办备案与变更，未发现需要中止的事项。",
    }
    with ago(recorded, 16, 30):
        play.do(session, who, case, "record_review", entered, "record")
