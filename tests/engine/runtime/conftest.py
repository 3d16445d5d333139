"""An engine with handlers of its own, on the clean database; nothing of the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp import db
from webapp.engine import deployment, queries
from webapp.engine.commands import CompleteTask, StartInstance, StepResult
from webapp.engine.handler_api import Actor, Hooks, Registered
from webapp.engine.runtime import Engine
from webapp.ids import uuid7


class Bench:
    """An engine, its hooks, and the few verbs that the tests need, each in a transaction of its own."""

    def __init__(self) -> None:
        self.hooks = Hooks()
        self.accounts: dict[str, UUID] = {}
        self.engine = self.restarted()

    def restarted(self) -> Engine:
        """A new process: an engine with empty caches."""
        self.engine = Engine(self.hooks, frozenset({"lead"}), lambda _session, name: self.accounts.get(name))
        return self.engine

    def handler(self, topic: str, call: Callable[..., Any], *, external: bool = False) -> None:
        self.hooks.handlers[topic] = Registered(call, external, {}, {}, "")

    def deploy(self, *models: bytes, **files: bytes) -> deployment.DeploymentResult:
        resources = {f"m{number}.bpmn": content for number, content in enumerate(models)} | files
        with db.transaction() as session:
            return deployment.deploy(session, "test", resources, hooks=self.hooks)

    def start(self, key: str, variables: Mapping[str, Any] | None = None, **more: Any) -> StepResult:
        with db.transaction() as session:
            return self.engine.start(session, StartInstance(key, variables=variables or {}, **more), more.get("actor"))

    def complete(self, task_id: UUID, actor: Actor | None = None, **more: Any) -> StepResult:
        with db.transaction() as session:
            task = queries.task(session, task_id)
            return self.engine.step(session, task.instance_id, CompleteTask(task_id, **more), actor)

    def step(self, instance_id: UUID, command: Any, actor: Actor | None = None) -> StepResult:
        with db.transaction() as session:
            return self.engine.step(session, instance_id, command, actor)

    def open(self, instance_id: UUID) -> dict[str, UUID]:
        """Open user tasks: element id -> task id."""
        with db.transaction() as session:
            return {row.element_id: row.id for row in queries.open_tasks(session, instance_id)}

    def variables(self, instance_id: UUID) -> dict[str, Any]:
        with db.transaction() as session:
            return queries.variables(session, instance_id)

    def status(self, instance_id: UUID) -> str:
        with db.transaction() as session:
            return str(queries.instance(session, instance_id).status)

    def incidents(self, instance_id: UUID | None = None) -> list[Any]:
        with db.transaction() as session:
            return queries.open_incidents(session, instance_id)

    def passed(self, instance_id: UUID) -> list[str]:
        """The elements that the instance has left, in order."""
        with db.transaction() as session:
            return [row.element_id for row in queries.history(session, instance_id)]

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with db.transaction() as session:
            return list(session.execute(text(sql), values))

    def drain(self) -> int:
        from webapp import worker

        return worker.drain(self.engine)


@pytest.fixture
def bench(database: str) -> Bench:
    return Bench()


@pytest.fixture
def officer() -> Actor:
    return Actor(uuid7(), "li", "李", frozenset({"office"}), None)


@pytest.fixture
def note(session: Session) -> Iterator[None]:
    """A table of the domain that handlers write into."""
    session.execute(text("create table note (words text)"))
    session.commit()
    yield
    session.rollback()
    session.execute(text("drop table note"))
    session.commit()
