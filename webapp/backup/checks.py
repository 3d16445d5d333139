"""What `qianyin verify` looks at: each check gives its findings one by one, precisely enough to act on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp.audit import seals
from webapp.documents import storage
from webapp.documents.models import Document
from webapp.engine.bpmn import Execution
from webapp.engine.host import StepHost
from webapp.engine.runtime import Engine
from webapp.engine.tables import event_subscription, incident, job, process_instance, timer, user_task
from webapp.errors import QianyinError
from webapp.registers import numbers

PAGE = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One damage: `where` names the row or file, `words` say what is wrong with it."""

    kind: str  # instance | task | document | audit | number | history
    where: str
    words: str


# ---- instances


def instances(session: Session, engine: Engine) -> Iterator[tuple[int, list[Finding]]]:
    """Page by page: how many instances were loaded, and what is wrong with them and the rows beside them."""
    last: UUID | None = None
    p = process_instance.c
    wanted = (p.id, p.business_key, p.definition_id, p.status, p.state, p.tokens)
    while True:
        query = select(*wanted).order_by(p.id).limit(PAGE)
        rows = session.execute(query if last is None else query.where(p.id > last)).all()
        if not rows:
            return
        last = rows[-1].id
        beside = _Beside(session, [row.id for row in rows if row.status == "active"])
        yield len(rows), [finding for row in rows for finding in _instance(session, engine, row, beside)]


class _Beside:
    """The open rows of some instances: table -> instance -> node -> element."""

    def __init__(self, session: Session, ids: list[UUID]) -> None:
        open_task = (user_task.c.status == "open",)
        unresolved = (incident.c.resolved_at.is_(None), incident.c.node.is_not(None))
        self.tasks = self._of(session, user_task, ids, *open_task)
        self.timers = self._of(session, timer, ids)
        self.subscriptions = self._of(session, event_subscription, ids)
        self.jobs = self._of(session, job, ids)
        self.incidents = self._of(session, incident, ids, *unresolved)
        p = process_instance.c
        called = select(p.super_instance_id, p.super_node).where(p.super_instance_id.in_(ids))
        self.called = {(row[0], row[1]) for row in session.execute(called)}

    @staticmethod
    def _of(session: Session, table: Any, ids: list[UUID], *where: Any) -> dict[UUID, dict[UUID, str]]:
        found: dict[UUID, dict[UUID, str]] = defaultdict(dict)
        query = select(table.c.instance_id, table.c.node, table.c.element_id).where(
            table.c.instance_id.in_(ids), *where
        )
        for instance_id, node, element_id in session.execute(query):
            found[instance_id][node] = element_id
        return found


def _instance(session: Session, engine: Engine, row: Any, beside: _Beside) -> Iterator[Finding]:
    where = f"{row.id}" + (f"（{row.business_key}）" if row.business_key else "")
    try:
        definition = engine.definitions.get(session, row.definition_id)
        execution = Execution.load(definition.compiled, bytes(row.state), StepHost())
    except Exception as error:  # whatever it is, this instance could not go on
        yield Finding("instance", where, f"状态无法载入（{type(error).__name__}：{error}）")
        return
    if (execution.ended is None) != (row.status == "active"):
        stands = "进行中" if execution.ended is None else "已结束"
        yield Finding("instance", where, f"记录的状态是 {row.status}，而实例状态为{stands}")
        return
    tokens = execution.tokens()
    stored = {(token["element_id"], UUID(token["node"]), token["state"]) for token in row.tokens or ()}
    if stored != {(element, node, state) for element, node, state, _ in tokens}:
        yield Finding("instance", where, "列表中显示的所在环节（tokens）与实例状态不符")
    if row.status == "active":
        yield from _waits(where, row.id, execution, beside)


def _waits(where: str, instance_id: UUID, execution: Execution, beside: _Beside) -> Iterator[Finding]:
    """Whether the rows that somebody acts upon are those that the state waits for."""
    tokens, waits = execution.tokens(), execution.waits()
    in_incident = {node for _, node, state, _ in tokens if state == "incident"} | beside.incidents[instance_id].keys()
    kinds = {
        "任务": ({n: e for e, n, state, _ in tokens if state == "open"}, beside.tasks),
        "定时": (_waiting(waits, "timer"), beside.timers),
        "消息订阅": (_waiting(waits, "message", "signal"), beside.subscriptions),
    }
    for what, (wanted, rows) in kinds.items():
        there = rows[instance_id]
        for node in wanted.keys() - there.keys() - in_incident:
            yield Finding("task", where, f"环节 {wanted[node]} 在等待，但没有相应的{what}记录（{node}）")
        for node in there.keys() - wanted.keys() - in_incident:
            yield Finding("task", where, f"{what}记录 {there[node]}（{node}）没有环节与之对应")
    for node, element in _waiting(waits, "service", "call").items():
        served = node in beside.jobs[instance_id] or (instance_id, node) in beside.called or node in in_incident
        if not served:
            yield Finding("task", where, f"环节 {element} 在等待后台处理，但没有相应的作业记录（{node}）")
    for node in beside.jobs[instance_id].keys() - waits.keys():
        yield Finding("task", where, f"作业记录 {beside.jobs[instance_id][node]}（{node}）没有环节与之对应")


def _waiting(waits: dict[UUID, tuple[str, str]], *kinds: str) -> dict[UUID, str]:
    return {node: element for node, (element, kind) in waits.items() if kind in kinds}


# ---- history

_UNTOLD = text(
    "select t.id, t.name, t.instance_id from user_task t where t.status = 'completed' and not exists"
    " (select 1 from activity_history h where h.instance_id = t.instance_id and h.task_id = t.id)"
    " and not exists (select 1 from history_archive a where t.ended_at >= a.month::timestamp at time zone 'UTC'"
    " and t.ended_at < (a.month + interval '1 month') at time zone 'UTC') order by t.id"
)
_STRAY = text(
    "select h.id, h.element_id, h.instance_id from activity_history h"
    " where not exists (select 1 from process_instance p where p.id = h.instance_id) order by h.id"
)


def history(session: Session) -> Iterator[Finding]:
    """Completed tasks without a line in the history (archived months apart), and lines without a case."""
    for row in session.execute(_UNTOLD):
        yield Finding("history", str(row.instance_id), f"任务“{row.name}”（{row.id}）已办结，办理历史中没有记录")
    for row in session.execute(_STRAY):
        yield Finding("history", str(row.instance_id), f"办理历史 {row.id}（{row.element_id}）所属的事项不存在")


# ---- documents


def documents(session: Session) -> Iterator[tuple[int, list[Finding]]]:
    """Page by page: how many rows were looked at, and those whose bytes are missing or not theirs."""
    d = Document.__table__.c
    last: UUID | None = None
    while True:
        query = select(d.id, d.digest, d.size, d.filename).order_by(d.id).limit(PAGE)
        rows = session.execute(query if last is None else query.where(d.id > last)).all()
        if not rows:
            return
        last = rows[-1].id
        yield (
            len(rows),
            [Finding("document", f"{row.id}（{row.filename}）", why) for row in rows for why in _bytes(row)],
        )


def _bytes(row: Any) -> Iterator[str]:
    try:
        with storage.open_bytes(row.digest) as file:
            found = storage.digest_of(file)
            size = file.tell()
    except FileNotFoundError:
        yield f"内容缺失（{row.digest}）"
    except (OSError, QianyinError) as error:
        yield f"内容无法读取（{error}）"
    else:
        if found != row.digest:
            yield f"内容已被改动：应为 {row.digest}，实为 {found}"
        elif size != row.size:
            yield f"记录的大小 {row.size} 与实际 {size} 不符"


# ---- audit and numbers


def audit(chain: seals.Chain) -> Iterable[Finding]:
    """The damages of the audit trail's chain."""
    return [Finding("audit", "audit", words) for words in chain.damage]


def given_numbers(session: Session) -> Iterator[Finding]:
    """Numbers that were given out and stand nowhere, stand twice, or were never given out."""
    for kind, year, number, words in numbers.inconsistencies(session):
        yield Finding("number", f"{kind} {year}–{number}", words)
