"""State machine tests: random diagrams, random work, the state stored and read back between all steps or never.

The oracle is an interpreter of the diagram's blocks (`diagrams.Reference`). `python -m tests.benchmarks.diagrams` runs
the same for as long as one likes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.bpmn.diagrams import Block, Maker, Reference, as_bpmn, tangle
from tests.engine.bpmn.helpers import Surroundings, compiled
from webapp.engine.bpmn import Execution, lint
from webapp.engine.types import (
    ActivityEnded,
    IncidentRaised,
    ServiceParked,
    SubscriptionWanted,
    TaskClosed,
    TaskOpened,
    TimerWanted,
    WaitDropped,
)

STEPS = 40  # after so many free steps every decision goes towards the end

LISTENERS = ("TimerWanted", "SubscriptionWanted")


class Driven:
    """An instance and the work that is open in it, told by its events alone. `stored`: written and read each step."""

    def __init__(self, xml: bytes, *, stored: bool) -> None:
        self.host, self.stored = Surroundings(), stored
        self.process = compiled(xml)
        self.open: dict[UUID, tuple[str, str]] = {}  # node -> element, kind; oldest first
        self.passed: list[tuple[str, bool]] = []
        self.execution = Execution.start(self.process, {"c": 0}, self.host)
        self._look()

    def _look(self) -> None:
        for event in self.execution.drain():
            if isinstance(event, TaskOpened | TimerWanted | SubscriptionWanted | ServiceParked):
                self.open[event.node] = (event.element_id, type(event).__name__)
            elif isinstance(event, TaskClosed | WaitDropped):
                del self.open[event.node]
            elif isinstance(event, ActivityEnded):
                self.passed.append((event.element_id, event.cancelled))
            assert not isinstance(event, IncidentRaised), event.message
        if self.stored:
            self.execution = Execution.load(self.process, self.execution.dump(), self.host)
        shown = Counter(element for element, _, state, _ in self.execution.tokens() if state in ("open", "parked"))
        assert shown == Counter(element for element, kind in self.open.values() if kind not in LISTENERS)

    def node(self, element: str, place: int) -> tuple[UUID, str]:
        found = [(node, kind) for node, (name, kind) in self.open.items() if name == element]
        return found[place]

    def act(self, element: str, place: int, c: int) -> None:
        node, kind = self.node(element, place)
        if kind == "TaskOpened":
            self.execution.complete(node, {"c": c})
        elif kind == "ServiceParked":
            self.execution.resume(node, {"c": c})
        else:
            self.execution.deliver(node, {})
        self._look()


def play(block: Block, draw: Any) -> None:
    """Run a diagram to its end in three ways at once. `draw(low, high)` decides what is done next."""
    xml = as_bpmn(block)
    runs = [Driven(xml, stored=False), Driven(xml, stored=True)]
    reference = Reference(block)
    for step in range(10 * STEPS):
        expected = Counter(leaf.name for leaf in reference.open)
        for run in runs:
            assert Counter(element for element, _ in run.open.values()) == expected
            assert (run.execution.ended is not None) == reference.ended
        if reference.ended:
            break
        timers = {element for element, kind in runs[0].open.values() if kind in LISTENERS}
        leaves = [leaf for leaf in reference.open if step < STEPS or leaf.name not in timers]
        leaf = leaves[draw(0, len(leaves) - 1)]
        place = [other for other in reference.open if other.name == leaf.name].index(leaf)
        c = draw(0, 7) if step < STEPS else 0
        reference.act(leaf, None if leaf.name in timers else c)
        for run in runs:
            run.act(leaf.name, place, c)
    assert reference.ended, "it does not end although every decision goes towards the end"
    first, second = runs
    assert first.passed == second.passed
    assert first.execution.variables() == second.execution.variables()
    assert first.execution.ended is not None
    assert not any(token for token in first.execution.tokens())


@settings(max_examples=45, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_step_loses_or_doubles_a_token(data: st.DataObject) -> None:
    def draw(low: int, high: int) -> int:
        return data.draw(st.integers(low, high))

    play(Maker(draw).block(4, True), draw)


def stroll(xml: bytes, draw: Any) -> set[str]:
    """Run a tangle; gives the parallel joins that stopped, and `twice` when a flow carried two tokens at once."""
    host, process = Surroundings(), compiled(xml)
    execution = Execution.start(process, {"c": draw(0, 7)}, host)
    seen: set[str] = set()
    for _ in range(STEPS):
        for event in execution.drain():
            if isinstance(event, IncidentRaised) and "等不到" in event.message:
                seen.add(event.element_id)
        tokens = execution.tokens()
        ready = [node for _, node, state, _ in tokens if state == "open"]
        if any(count > 1 for count in Counter(name for name, _, state, _ in tokens if state == "open").values()):
            seen.add("twice")
        if not ready or len(tokens) > 30:
            break
        execution.complete(ready[draw(0, len(ready) - 1)], {"c": draw(0, 7)})
        execution = Execution.load(process, execution.dump(), host)
    return seen


def judged(xml: bytes) -> tuple[set[str], set[str]]:
    """What the search says: joins that may wait for ever, elements that may be carried out twice."""
    findings = lint(compiled(xml))
    deadlocks = {str(f.element_id) for f in findings if f.code == "deadlock"}
    return deadlocks, {str(f.element_id) for f in findings if f.code == "unsynchronised"}


def check_tangle(xml: bytes, draw: Any) -> None:
    deadlocks, doubled = judged(xml)
    if not doubled:  # where tokens multiply, the search stops: it does not look behind the first flaw of this kind
        for _ in range(4):
            assert stroll(xml, draw) <= deadlocks


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_deadlock_that_a_run_meets_was_foretold(data: st.DataObject) -> None:
    def draw(low: int, high: int) -> int:
        return data.draw(st.integers(low, high))

    check_tangle(tangle(draw), draw)
