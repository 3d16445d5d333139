"""Running scenarios: each one to its end or to the first difference from what it expects, with what was covered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from webapp import clock
from webapp.designer.scenarios.sandbox import Sandbox, Surroundings, Wait, named
from webapp.designer.scenarios.scenario import Expected, Scenario, Step
from webapp.engine.types import Element, Variables
from webapp.errors import QianyinError
from webapp.forms.text import shown
from webapp.i18n import _, lazy

STATE_WORDS: Final[Mapping[str, object]] = {
    "completed": lazy("正常结束"),
    "terminated": lazy("终止"),
    "failed": lazy("因未捕获的错误结束"),
    "waiting": lazy("仍在等待"),
    "cancelled": lazy("取消"),
}


@dataclass(slots=True)
class Coverage:
    """What runs came by: elements and flows of processes, rules of decision tables; against what there is."""

    elements: dict[str, set[str]] = field(default_factory=dict)  # process -> elements reached
    all_elements: dict[str, frozenset[str]] = field(default_factory=dict)
    rules: set[str] = field(default_factory=set)
    all_rules: dict[str, tuple[str, ...]] = field(default_factory=dict)  # decision -> ids of its rules

    @classmethod
    def of(cls, around: Surroundings) -> Coverage:
        """Nothing reached yet."""
        elements = {key: frozenset(process.elements) for key, process in around.processes.items()}
        return cls(
            all_elements=elements,
            all_rules={key: one.rules for key, one in around.decisions.items() if one.rules},
        )

    def add(self, box: Sandbox) -> None:
        for process, reached in box.reached.items():
            known = self.all_elements.get(process, frozenset())
            self.elements.setdefault(process, set()).update(reached & known)
        self.rules |= box.rules

    def merge(self, other: Coverage) -> None:
        for process, reached in other.elements.items():
            self.elements.setdefault(process, set()).update(reached)
        self.rules |= other.rules

    def of_process(self, key: str) -> tuple[int, int]:
        """(reached, there are)."""
        return len(self.elements.get(key, ())), len(self.all_elements.get(key, ()))

    def of_decision(self, key: str) -> tuple[int, int]:
        rules = self.all_rules.get(key, ())
        return len(self.rules.intersection(rules)), len(rules)


@dataclass(slots=True)
class Outcome:
    """One scenario's run. `difference`: the first one in words, None when it came out as expected."""

    scenario: Scenario
    difference: str | None
    coverage: Coverage
    box: Sandbox | None = None
    steps_done: int = 0

    @property
    def passed(self) -> bool:
        return self.difference is None


class Differs(QianyinError):
    """A scenario cannot go on as it is written."""


def run(scenario: Scenario, around: Surroundings) -> Outcome:
    """Carry out the steps and compare. Nothing is raised: what goes wrong is the difference."""
    outcome = play(scenario, around)
    if outcome.difference is None and outcome.box is not None:
        outcome.difference = _compare(scenario.expected, outcome.box)
    return outcome


def play(scenario: Scenario, around: Surroundings) -> Outcome:
    """Carry out the steps without comparing what comes of them; `difference`: why they could not all be done."""
    box = Sandbox(around, scenario.at, _double(scenario))
    outcome = Outcome(scenario, None, Coverage.of(around), box)
    try:
        box.start(scenario.process, scenario.variables)
        for number, step in enumerate(scenario.steps, start=1):
            take(box, step, number)
            outcome.steps_done = number
    except QianyinError as error:
        outcome.difference = str(error)
    if not box.cases:
        outcome.box = None
    outcome.coverage.add(box)
    return outcome


def _double(scenario: Scenario) -> Any:
    def double(element: Element, variables: Variables) -> Mapping[str, Any] | None:
        found = scenario.results.get(element.id)
        return found if found is not None else scenario.results.get(element.topic or element.called_key or "")

    return double


def take(box: Sandbox, step: Step, number: int) -> None:
    """One step. Errors: Differs (nothing of the kind waits now), Invalid, Stopped."""
    if step.verb == "complete":
        open_tasks = [wait for wait in box.of("task") if wait.element.id == step.name]
        if step.nth not in range(len(open_tasks)):
            raise Differs(_("第 %(n)s 步：%(what)s。", n=number, what=_not_open(box, step.name)))
        box.complete(open_tasks[step.nth], step.data, step.outcome)
    elif step.verb == "timer":
        _fire(box, step, number)
    else:
        waiting = [wait for wait in box.of(step.verb) if step.name in (wait.name, wait.element.id)]
        if not waiting:
            words = _("此时没有环节在等消息“%(name)s”", name=step.name[:80])
            raise Differs(_("第 %(n)s 步：%(what)s。", n=number, what=words))
        box.deliver(waiting[0], step.data)


def _fire(box: Sandbox, step: Step, number: int) -> None:
    """The clock goes to when the wanted timer is due; those due earlier fire on the way."""
    for _turn in range(100):
        timers = box.timers()
        if not any(wait.element.id == step.name for wait in timers):
            words = _("此时没有计时“%(name)s”在走", name=step.name[:80])
            raise Differs(_("第 %(n)s 步：%(what)s。", n=number, what=words))
        box.deliver(timers[0], {})
        if timers[0].element.id == step.name:
            return


def _not_open(box: Sandbox, element_id: str) -> str:
    told = standing(box)
    element = box.cases[0].compiled.elements.get(element_id)
    name = element_id[:80] if element is None else named(element)
    return _("“%(name)s”没有待办；此时%(standing)s", name=name, standing=told)


def standing(box: Sandbox) -> str:
    """Where the case stands, in words."""
    if box.state != "waiting":
        return _("案件已%(state)s", state=STATE_WORDS[box.state])
    if incidents := box.of("incident"):
        return _("“%(name)s”出现异常：%(why)s", name=named(incidents[0].element), why=incidents[0].name.rstrip("。"))
    names = list(dict.fromkeys(f"“{named(wait.element)}”" for wait in box.waits.values()))
    return _("等待%(names)s", names="、".join(names[:6])) if names else _("没有环节可走")


# ---- comparing ---------------------------------------------------------------------------------------------------


def _compare(expected: Expected, box: Sandbox) -> str | None:
    """The first difference in words."""
    if box.of("incident"):
        return standing(box) + "。"
    return (
        _other_path(expected, box)
        or _other_state(expected, box)
        or _other_open(expected, box)
        or _other_variables(expected, box)
    )


def _other_path(expected: Expected, box: Sandbox) -> str | None:
    if expected.path is None:
        return None
    for number, (wanted, came) in enumerate(zip(expected.path, box.path, strict=False), start=1):
        if wanted != came:
            return _(
                "路径第 %(n)s 步应到“%(wanted)s”，实际到“%(came)s”。",
                n=number,
                wanted=label(box, wanted),
                came=label(box, came),
            )
    if len(expected.path) > len(box.path):
        missing = label(box, expected.path[len(box.path)])
        return _("路径应继续到“%(wanted)s”，实际%(standing)s。", wanted=missing, standing=standing(box))
    if len(expected.path) < len(box.path):
        return _("路径应到此为止，实际又到了“%(came)s”。", came=label(box, box.path[len(expected.path)]))
    return None


def _other_state(expected: Expected, box: Sandbox) -> str | None:
    if expected.state in (None, box.state):
        return None
    wanted = STATE_WORDS[expected.state or ""]
    return _("案件应%(wanted)s，实际%(standing)s。", wanted=wanted, standing=standing(box))


def _other_open(expected: Expected, box: Sandbox) -> str | None:
    if expected.open is None or sorted(expected.open) == sorted(open_now(box)):
        return None
    wanted = "、".join(f"“{label(box, name)}”" for name in expected.open) or _("没有待办")
    return _("此时应等待%(wanted)s，实际%(standing)s。", wanted=wanted, standing=standing(box))


def _other_variables(expected: Expected, box: Sandbox) -> str | None:
    found = box.variables() if expected.variables else {}
    for name, wanted in expected.variables.items():
        if found.get(name) != wanted:
            return _(
                "变量 %(name)s 应为 %(wanted)s，实际为 %(came)s。",
                name=name,
                wanted=told(wanted),
                came=told(found.get(name)),
            )
    return None


def open_now(box: Sandbox) -> list[str]:
    """The elements that wait for a person, a message or a signal."""
    return [wait.element.id for wait in box.waits.values() if wait.kind in ("task", "message", "signal")]


def label(box: Sandbox, step: str) -> str:
    """The name of a step of a path."""
    process, _colon, name = step.rpartition(":")
    compiled = box.around.processes.get(process) if process else box.cases[0].compiled
    element = compiled.elements.get(name) if compiled is not None else None
    return named(element) if element is not None else step[:80]


def told(value: Any) -> str:
    """A value in a sentence."""
    if value is None:
        return _("空")
    words = shown(value) if not isinstance(value, str) else f"“{value}”"
    return words if len(words) <= 80 else words[:79] + "…"


# ---- recording ---------------------------------------------------------------------------------------------------


def expectation(box: Sandbox, names: Iterable[str] = ()) -> Expected:
    """What came of a run, as what is expected from now on; of the variables only those named."""
    found = box.variables()
    kept = {name: found[name] for name in names if name in found}
    waiting = tuple(open_now(box)) if box.state == "waiting" else None
    return Expected(box.state, tuple(box.path), waiting, kept)


def recorded(scenario: Scenario, around: Surroundings, name: str, names: Iterable[str] = ()) -> Scenario:
    """The scenario as it is saved: what it does now is what it expects. Errors: Differs when it cannot be done."""
    outcome = play(scenario, around)
    if outcome.difference is not None or outcome.box is None:
        raise Differs(outcome.difference or "")
    if outcome.box.of("incident"):
        raise Differs(standing(outcome.box) + "。")
    return replace(scenario, name=name, expected=expectation(outcome.box, names))


def moment(at: datetime | None) -> str:
    """An instant as people in the sandbox read it."""
    return "" if at is None else at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M")


__all__ = [
    "Coverage",
    "Differs",
    "Outcome",
    "Wait",
    "expectation",
    "label",
    "moment",
    "play",
    "recorded",
    "run",
    "standing",
    "take",
]
