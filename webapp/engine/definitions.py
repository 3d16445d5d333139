"""The compiled definitions of this process, by id: a version is immutable, so one copy serves all threads for ever."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine.bpmn import CompiledProcess, Known, compile_bpmn
from webapp.engine.decisions import Decision, parse_dmn
from webapp.engine.feel import Expression, compile_expression
from webapp.engine.tables import decision_definition, deployment_resource, process_definition
from webapp.errors import NotFound

K = TypeVar("K")
V = TypeVar("V")
_MOST = 256


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a process, ready to run."""

    id: UUID
    key: str
    version: int
    name: str
    deployment_id: UUID
    compiled: CompiledProcess
    title: Expression | None

    @classmethod
    def of(cls, row: Any, content: bytes) -> Definition:
        processes = {p.info.key: p for p in compile_bpmn(content, known=Known.deployed())}
        compiled = processes[row.key]
        title = compiled.info.title
        expression = None if not title else compile_expression(title)
        return cls(row.id, row.key, row.version, row.name, row.deployment_id, compiled, expression)


class Definitions:
    """Thread-safe caches of compiled definitions and decisions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[UUID, Definition] = OrderedDict()
        self._decisions: OrderedDict[tuple[UUID, str], dict[str, Decision]] = OrderedDict()

    def get(self, session: Session, definition_id: UUID) -> Definition:
        """Errors: NotFound."""
        with self._lock:
            if found := self._known.get(definition_id):
                self._known.move_to_end(definition_id)
                return found
        d, r = process_definition.c, deployment_resource.c
        row = session.execute(
            select(d.id, d.key, d.version, d.name, d.deployment_id, r.content)
            .join(deployment_resource, (r.deployment_id == d.deployment_id) & (r.name == d.resource_name))
            .where(d.id == definition_id)
        ).one_or_none()
        if row is None:
            raise NotFound(f"没有流程定义 {definition_id}。")
        return self._keep(self._known, definition_id, Definition.of(row, bytes(row.content)))

    def decision(self, session: Session, deployment_id: UUID, key: str) -> Decision:
        """The decision of the same deployment, else the latest of that key. Errors: NotFound."""
        d = decision_definition.c
        row = session.execute(
            select(d.deployment_id, d.resource_name)
            .where(d.key == key)
            .order_by(d.deployment_id != deployment_id, d.version.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            raise NotFound(f"没有决策“{key}”。")
        return self._table(session, row.deployment_id, row.resource_name)[key]

    def _table(self, session: Session, deployment_id: UUID, name: str) -> dict[str, Decision]:
        with self._lock:
            if found := self._decisions.get((deployment_id, name)):
                return found
        r = deployment_resource.c
        content = session.scalars(select(r.content).where(r.deployment_id == deployment_id, r.name == name)).one()
        return self._keep(self._decisions, (deployment_id, name), {d.key: d for d in parse_dmn(bytes(content))})

    def _keep(self, cache: OrderedDict[K, V], key: K, value: V) -> V:
        with self._lock:
            cache[key] = value
            while len(cache) > _MOST:
                cache.popitem(last=False)
        return value
