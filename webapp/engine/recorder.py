"""From the events of one step to the rows that it writes: the bridge between `bpmn` (memory) and `store` (tables)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from webapp.engine import duetime
from webapp.engine.bpmn.codec import encode
from webapp.engine.case import Case
from webapp.engine.jobs import retry_plan
from webapp.engine.origin import address
from webapp.engine.store import Changes, Defer, Row
from webapp.engine.types import (
    ActivityEnded,
    CallWanted,
    Element,
    EndState,
    Event,
    IncidentRaised,
    InstanceEnded,
    MessageThrown,
    ServiceParked,
    SignalThrown,
    SubscriptionWanted,
    TaskClosed,
    TaskOpened,
    TimerWanted,
    WaitDropped,
)
from webapp.errors import Invalid
from webapp.ids import uuid7

#: Elements whose passing says nothing to anybody.
_SILENT: Final = frozenset({"process"})


class Recorder:
    """Collects the rows of one step. `signals` and `changed` are what the runtime looks at afterwards."""

    def __init__(self, case: Case, changes: Changes) -> None:
        self.case = case
        self.changes = changes
        self.changed: dict[str, Any] = {}  # variables set in this step
        self.signals: list[tuple[SignalThrown, list[UUID]]] = []  # with the subscriptions opened earlier in this step
        self.called: list[UUID] = []  # call activities that were taken away
        self.ended: InstanceEnded | None = None

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            _TAKE[type(event)](self, event)

    # ---- user tasks

    def task_opened(self, event: TaskOpened) -> None:
        case = self.case
        element = self._element(event.element_id)
        try:
            due = duetime.compute(event.due, case.now)
        except Invalid as error:
            due = None
            self.incident(event.node, event.element_id, "due", str(error))
        groups = event.candidate_groups
        scoped = bool(groups) and all(group in case.org_scoped for group in groups)
        assignee = case.account(event.assignee) if event.assignee else case.given.get(event.element_id)
        people = [case.account(name) for name in event.candidate_users]
        if (event.assignee and assignee is None) or None in people:
            self.incident(event.node, event.element_id, "assignee", "办理人或候选人中有不存在的账户。")
        self.changes.tasks.append(
            {
                "id": uuid7(),
                "instance_id": case.instance_id,
                "root_instance_id": case.root_instance_id,
                "definition_id": case.definition.id,
                "definition_key": case.definition.key,
                "node": event.node,
                "element_id": event.element_id,
                "name": element.name or element.id,
                "business_key": case.business_key,
                "status": "open",
                "candidate_groups": list(groups),
                "candidate_users": [account for account in people if account is not None],
                "org_id": case.org_id if scoped else None,
                "case_org_id": case.org_id,
                "assignee_id": assignee,
                "claimed_at": case.now if assignee else None,
                "priority": event.priority,
                "clauses": list(element.clauses),
                "form_ref": element.form_ref,
                "created_at": case.now,
                "due_at": due.at if due else None,
                "due_provisional": bool(due and due.provisional),
            }
        )

    def task_closed(self, event: TaskClosed) -> None:
        case = self.case
        for row in self.changes.tasks:
            if row["node"] == event.node:
                row.update(status="cancelled", ended_at=case.now)
                return
        done = event.node == case.done_node and not event.cancelled
        row = {"node": event.node, "status": "completed" if done else "cancelled", "ended_at": case.now}
        self.changes.closed.append(row | ({**case.done, "completed_by": case.actor_id} if done else {}))

    # ---- history

    def activity_ended(self, event: ActivityEnded) -> None:
        self.changed.update(event.variables)
        if event.cancelled and event.element_type == "callActivity":
            self.called.append(event.node)
        if event.element_type in _SILENT:
            return
        mine = event.node in (self.case.done_node, self.case.returned)
        self.changes.history.append(
            {
                "id": uuid7(),
                "instance_id": self.case.instance_id,
                "node": event.node,
                "element_id": event.element_id,
                "element_name": self._element(event.element_id).name,
                "element_type": event.element_type,
                "started_at": event.started_at,
                "ended_at": event.ended_at,
                "cancelled": event.cancelled,
                "actor_id": self.case.actor_id if mine else None,
                "task_id": self.case.done_task if mine else None,
                "variables": encode(dict(event.variables)) if event.variables else None,
            }
        )

    # ---- waits

    def timer_wanted(self, event: TimerWanted) -> None:
        case = self.case
        last = case.fired[1] if case.fired is not None and case.fired[0] == event.node else None
        try:
            due = duetime.compute(event.due, case.now)
            if due is not None and due.cycle is not None and last is not None:
                # The next turn counts from the last, not from when a worker came to it; those that nobody could serve
                # are one, not many at once.
                due = replace(due, at=duetime.next_turn(due.cycle, last, case.now))
        except Invalid as error:
            due = None
            self.incident(event.node, event.element_id, "timer", str(error))
        if due is not None:
            self.changes.timers.append(
                self._wait(event)
                | {"definition_id": None, "cycle": due.cycle, "due_at": due.at, "held": case.suspended}
            )

    def subscription_wanted(self, event: SubscriptionWanted) -> None:
        row = {"kind": event.kind, "name": event.name, "correlation_key": event.correlation_key}
        self.changes.subscriptions.append(
            self._wait(event) | row | {"definition_id": None, "created_at": self.case.now}
        )

    def wait_dropped(self, event: WaitDropped) -> None:
        changes = self.changes
        changes.timers = _without(changes.timers, event.node)
        changes.subscriptions = _without(changes.subscriptions, event.node)
        changes.jobs = _without(changes.jobs, event.node)
        changes.dropped.append(event.node)
        changes.settled.append(event.node)

    def _wait(self, event: TimerWanted | SubscriptionWanted) -> Row:
        return {
            "id": uuid7(),
            "instance_id": self.case.instance_id,
            "node": event.node,
            "element_id": event.element_id,
        }

    # ---- jobs

    def service_parked(self, event: ServiceParked) -> None:
        case = self.case
        job = case.job if case.job is not None and case.job["node"] == event.node else None
        base = job or self._job(event.node, event.element_id, "local", event.topic)
        base["variables"] = encode(dict(event.variables))
        if event.external or case.external(event.topic):
            base["kind"] = "external" if case.external(event.topic) else "worker"
            self._add(base)
        else:
            self.fail_job(base, event.error or "", permanent=event.permanent)

    def call_wanted(self, event: CallWanted) -> None:
        row = self._job(event.node, event.element_id, "call", event.called_key)
        row["variables"] = {
            "binding": event.binding,
            "business_key": event.business_key,
            "variables": encode(dict(event.variables)),
        }
        self._add(row)

    def fail_job(
        self, row: Row, error: str, *, permanent: bool = False, left: int | None = None, wait: float | None = None
    ) -> None:
        """One attempt of a job has failed: a later one, or an incident when none is left."""
        plan = retry_plan(self._element(row["element_id"]).properties.get("failedJobRetryTimeCycle"))
        row["attempts"] += 1
        row["error"] = error
        if row["retries_left"] is None:
            row["retries_left"] = plan.attempts
        row["retries_left"] = 0 if permanent else max(row["retries_left"] - 1, 0) if left is None else left
        pause = plan.pause(row["attempts"]) if wait is None else timedelta(seconds=wait)
        row.update(due_at=self.case.now + pause, queued=False)
        self.keep_job(row)
        if row["retries_left"] == 0:
            self.incident(row["node"], row["element_id"], "job", error, job_id=row["id"])

    def keep_job(self, row: Row) -> None:
        """The job's row stays (written anew), although its node no longer waits in the old way."""
        node = row["node"]
        self.changes.dropped = [other for other in self.changes.dropped if other != node]
        self.changes.jobs.append(row)

    def _add(self, row: Row) -> None:
        if row["retries_left"] is None:
            cycle = self._element(row["element_id"]).properties.get("failedJobRetryTimeCycle")
            row["retries_left"] = retry_plan(cycle).attempts
        self.queue_job(row)

    def queue_job(self, row: Row) -> None:
        """The job may run now: a worker of ours is told, an external one comes by itself."""
        row["queued"] = row["kind"] != "worker"
        self.keep_job(row)
        if row["queued"]:
            self.changes.defers.append(run_job(row))

    def _job(self, node: UUID, element_id: str, kind: str, topic: str) -> Row:
        return {
            "id": uuid7(),
            "instance_id": self.case.instance_id,
            "node": node,
            "element_id": element_id,
            "kind": kind,
            "topic": topic,
            "variables": {},
            "retries_left": None,
            "due_at": self.case.now,
            "attempts": 0,
            "error": None,
            "actor_id": self.case.actor_id,
            "created_at": self.case.now,
        }

    # ---- messages, incidents, the end

    def message_thrown(self, event: MessageThrown) -> None:
        self.changes.messages.append(
            {
                "kind": "message",
                "name": event.name,
                "correlation_key": event.correlation_key,
                "payload": encode(dict(event.payload)),
                "sender_instance_id": self.case.instance_id,
                "created_at": self.case.now,
                "expires_at": self.case.now + self.case.message_ttl(),
                "subscription_id": None,
            }
        )

    def signal_thrown(self, event: SignalThrown) -> None:
        mine = [s["id"] for s in self.changes.subscriptions if s["kind"] == "signal" and s["name"] == event.name]
        self.signals.append((event, mine))

    def incident_raised(self, event: IncidentRaised) -> None:
        self.incident(event.node, event.element_id, "element", event.message)

    def incident(self, node: UUID, element_id: str, kind: str, message: str, job_id: UUID | None = None) -> None:
        self.changes.incidents.append(
            {
                "id": uuid7(),
                "instance_id": self.case.instance_id,
                "element_id": element_id,
                "node": node,
                "job_id": job_id,
                "kind": kind,
                "message": message,
                "created_at": self.case.now,
            }
        )

    def instance_ended(self, event: InstanceEnded) -> None:
        self.ended = event
        self.changes.row.update(status=event.state.value, ended_at=self.case.now)
        self.changes.settle_all = True
        if event.state is EndState.FAILED:
            self.changes.row["end_reason"] = event.error_code

    def audit(self, action: str, *, reason: str | None = None, detail: Mapping[str, Any] | None = None) -> None:
        """One row of the audit trail about this instance."""
        self.changes.audit.append(
            {
                "at": self.case.now,
                "actor_id": self.case.actor_id,
                "action": action,
                "instance_id": self.case.instance_id,
                "task_id": self.case.done_task,
                "subject": self.case.business_key,
                "reason": reason,
                "detail": detail,
                "address": address.get(),
            }
        )

    def _element(self, element_id: str) -> Element:
        return self.case.definition.compiled.elements[element_id]


def run_job(row: Mapping[str, Any]) -> Defer:
    """The worker's task for a job: external handlers have a queue of their own, they may take long."""
    queue = "external" if row["kind"] == "external" else "engine"
    return Defer("qianyin.run_job", {"job_id": str(row["id"])}, queue=queue)


def _without(rows: list[Row], node: UUID) -> list[Row]:
    return [row for row in rows if row["node"] != node] if rows else rows


_TAKE: dict[type, Callable[[Recorder, Any], None]] = {
    TaskOpened: Recorder.task_opened,
    TaskClosed: Recorder.task_closed,
    ActivityEnded: Recorder.activity_ended,
    TimerWanted: Recorder.timer_wanted,
    SubscriptionWanted: Recorder.subscription_wanted,
    WaitDropped: Recorder.wait_dropped,
    MessageThrown: Recorder.message_thrown,
    SignalThrown: Recorder.signal_thrown,
    ServiceParked: Recorder.service_parked,
    CallWanted: Recorder.call_wanted,
    IncidentRaised: Recorder.incident_raised,
    InstanceEnded: Recorder.instance_ended,
}
