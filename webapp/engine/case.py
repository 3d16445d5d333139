"""What the rows of a step have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from webapp.engine.definitions import Definition
from webapp.engine.store import Row


@dataclass(slots=True)
class Case:
    """What the rows of a step repeat from their instance, and what the step brought along."""

    instance_id: UUID
    root_instance_id: UUID
    definition: Definition
    business_key: str | None
    org_id: UUID | None
    now: datetime
    actor_id: UUID | None
    account: Callable[[str], UUID | None]  # name -> account id
    external: Callable[[str], bool]  # topic -> whether a handler of ours runs outside the step
    org_scoped: frozenset[str]
    message_ttl: Callable[[], timedelta]
    suspended: bool = False
    done_node: UUID | None = None  # the user task that the step completes
    done_task: UUID | None = None
    done: Row = field(default_factory=dict)  # outcome, form_data
    returned: UUID | None = None  # the user task that its holder sends back
    given: dict[str, UUID] = field(default_factory=dict)  # element -> who gets its task again (return, recall)
    job: Row | None = None  # the job that the step runs
    fired: tuple[UUID, datetime] | None = None  # the timer that fired: node, when it was due
