"""A token: SpiffWorkflow's task, kept only while it lives.

A finished token leaves the tree at once and its successors hang under the same scope, so the tree is the tree of scopes
and never deeper than the model is nested: loops stay small however long they run (engine.md, traps 1, 16, 22, 24).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from SpiffWorkflow.task import Task as SpiffTask
from SpiffWorkflow.util.task import TaskState

from webapp.ids import uuid7

if TYPE_CHECKING:
    from webapp.engine.bpmn.specs import Node
    from webapp.engine.bpmn.workflow import ProcessWorkflow

FUTURE, WAITING, READY, STARTED = TaskState.FUTURE, TaskState.WAITING, TaskState.READY, TaskState.STARTED
COMPLETED, ERROR = TaskState.COMPLETED, TaskState.ERROR


class _Children(dict[UUID, None]):
    """The ids of a token's children in order, for Spiff as a list: a child of thousands is taken out at once."""

    def append(self, node: UUID) -> None:
        self[node] = None

    def remove(self, node: UUID) -> None:
        del self[node]


class Token(SpiffTask):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """One activation of one element.

    `locals`: variables of its own scope, or None. `info`: what must outlive a step besides the state (JSON values).
    `changed`: variables that this activation set, for the history. `leaving`: the work is done, only leaving remains.
    `told`: the history has it already.
    ERROR is an incident: the token waits for `retry`.
    """

    workflow: ProcessWorkflow
    task_spec: Node
    id: UUID

    def __init__(
        self,
        workflow: ProcessWorkflow,
        spec: Node,
        parent: Token | None,
        state: int,
        started_at: datetime,
        node: UUID | None = None,
    ) -> None:
        super().__init__(workflow, spec, parent, state, node or uuid7())
        self._children = _Children()
        self.started_at = started_at
        self.locals: dict[str, Any] | None = None
        self.changed: dict[str, Any] = {}
        self.leaving = False
        self.loop_stop = False
        self.told = False

    @property
    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = self.internal_data
        return found

    @property
    def up(self) -> Token | None:
        """The scope that holds this token; None for the process itself."""
        found: Token | None = self.parent
        return found

    @property
    def kids(self) -> list[Token]:
        found: list[Token] = self.children
        return found

    @property
    def working(self) -> bool:
        """Whether anything inside does more than listen. Looks no further than the first that does."""
        tasks = self.workflow.tasks
        return any(not tasks[child].listener for child in self._children)

    @property
    def element_id(self) -> str:
        return self.task_spec.element.id

    @property
    def listener(self) -> bool:
        """It only listens for another token (boundary, event subprocess, event-based gateway): no work by itself."""
        return bool(self.info.get("listener"))

    @property
    def body(self) -> bool:
        """It holds the instances of a loop."""
        return self.task_spec.loop is not None and not self.info.get("loop")

    @property
    def alive(self) -> bool:
        return self.id in self.workflow.tasks

    def _set_state(self, value: int) -> None:
        """Without Spiff's reading of the machine's clock and its log record per change."""
        self._state = value
