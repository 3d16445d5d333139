"""One scenario: what is given, what is done, what must come of it. A JSON file `scenarios/<name>.json` of a folder.

    {"name": …, "process": key, "clause": "4.6.2"?,
     "given": {"variables": {…}, "at": "2026-03-02T09:00:00+08:00", "results": {element or topic: {output: value}}},
     "when": [{"complete": element, "data": {…}, "outcome": …}, {"timer": element}, {"message": name, "data": {…}}],
     "then": {"state": "completed", "path": [element …], "open": [element …], "variables": {…}}}

`results` stand for what handlers and processes of other folders would give; `{"error": code}` is a BPMN error.
`timer` steps the clock until that timer is due. In `then` everything is optional but `state`: completed, terminated,
failed or waiting (`open`: the elements that wait). Values are JSON, tagged as the engine does (dates, decimals).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from webapp import clock
from webapp.engine.bpmn.codec import TAG, clone, decode, encode
from webapp.errors import Invalid
from webapp.i18n import _

#: A scenario larger than this is a mistake or an attack.
MAX_BYTES: Final = 512 * 1024
MAX_STEPS: Final = 300
VERBS: Final = ("complete", "timer", "message", "signal")
STATES: Final = ("completed", "terminated", "failed", "waiting")
#: A Monday morning: when nothing else is given, scenarios begin here, so that they come out the same every day.
BEGINNING: Final = datetime(2026, 3, 2, 9, tzinfo=clock.BEIJING).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """`verb` complete | timer | message | signal; `name`: the element (of the first two), the message or signal.

    `nth`: which of several open tasks of that element, from 0, oldest first.
    """

    verb: str
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """None: not looked at."""

    state: str | None = None
    path: tuple[str, ...] | None = None
    open: tuple[str, ...] | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    process: str
    name: str = ""
    clause: str = ""
    at: datetime = BEGINNING
    variables: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    expected: Expected = Expected()

    def and_then(self, step: Step) -> Scenario:
        """The scenario with one more step."""
        return replace(self, steps=(*self.steps, step))


def is_scenario(document: Any) -> bool:
    """Whether a JSON document of `scenarios/` is one of these (others speak of the registers, see tests/processes)."""
    return isinstance(document, dict) and isinstance(document.get("process"), str)


def read(content: bytes | str) -> Scenario:
    """Errors: Invalid with the reason, whatever stands in the file."""
    if len(content) > MAX_BYTES:
        raise Invalid(_("情景文件超过 %(kib)s KB。", kib=MAX_BYTES // 1024))
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Invalid(_("情景文件不是 JSON。")) from error
    if not is_scenario(document):
        raise Invalid(_("情景没有写明流程（process）。"))
    try:
        return _read(document)
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        raise Invalid(_("情景“%(name)s”的写法不对，请重新录制。", name=str(document.get("name", ""))[:80])) from error


def _read(document: Mapping[str, Any]) -> Scenario:
    given, then = document.get("given") or {}, document.get("then") or {}
    steps = document.get("when") or []
    if len(steps) > MAX_STEPS:
        raise Invalid(_("情景超过 %(most)s 步。", most=MAX_STEPS))
    at = given.get("at")
    return Scenario(
        process=document["process"],
        name=str(document.get("name") or "")[:200],
        clause=str(document.get("clause") or "")[:40],
        at=BEGINNING if at is None else _instant(at),
        variables=_values(given.get("variables")),
        results={str(key): _values(value) for key, value in (given.get("results") or {}).items()},
        steps=tuple(_step(step) for step in steps),
        expected=_expected(then),
    )


def _instant(written: str) -> datetime:
    found = datetime.fromisoformat(written)
    found = found if found.tzinfo else found.replace(tzinfo=clock.BEIJING)
    if not 2000 <= found.year < 2200:
        raise ValueError(written)
    return found.astimezone(UTC)


def _values(written: Any) -> dict[str, Any]:
    """A JSON object as variables."""
    found = decode(clone(written or {}))
    if not isinstance(found, dict):
        raise TypeError
    return found


def _step(written: Mapping[str, Any]) -> Step:
    verb = next((verb for verb in VERBS if verb in written), None)
    if verb is None:
        raise Invalid(_("情景中有不认识的步骤：%(words)s。", words="、".join(map(str, written))[:80]))
    outcome = written.get("outcome")
    return Step(
        verb=verb,
        name=str(written[verb]),
        data=_values(written.get("data")),
        outcome=None if outcome is None else str(outcome),
        nth=int(written.get("nth") or 0),
    )


def _expected(written: Mapping[str, Any]) -> Expected:
    state = written.get("state")
    if state is not None and state not in STATES:
        raise Invalid(_("情景期望的状态“%(state)s”不存在。", state=str(state)[:40]))
    return Expected(state, _names(written.get("path")), _names(written.get("open")), _values(written.get("variables")))


def _names(written: Sequence[Any] | None) -> tuple[str, ...] | None:
    return None if written is None else tuple(str(name) for name in written)


def write(scenario: Scenario) -> bytes:
    """The file of a scenario, laid out so that two versions compare well line by line."""
    expected = scenario.expected
    then: dict[str, Any] = {
        "state": expected.state,
        "path": None if expected.path is None else list(expected.path),
        "open": None if expected.open is None else list(expected.open),
        "variables": _plain(expected.variables) or None,
    }
    document = {
        "name": scenario.name,
        "process": scenario.process,
        **({"clause": scenario.clause} if scenario.clause else {}),
        "given": {
            "at": scenario.at.astimezone(clock.BEIJING).isoformat(),
            "variables": _plain(scenario.variables),
            "results": {name: _plain(values) for name, values in scenario.results.items()},
        },
        "when": [_written(step) for step in scenario.steps],
        "then": {name: value for name, value in then.items() if value is not None},
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _written(step: Step) -> dict[str, Any]:
    written: dict[str, Any] = {step.verb: step.name}
    if step.nth:
        written["nth"] = step.nth
    if step.data:
        written["data"] = _plain(step.data)
    if step.outcome is not None:
        written["outcome"] = step.outcome
    return written


def _plain(values: Mapping[str, Any]) -> Any:
    return _numbers(encode(clone(dict(values))))


def _numbers(value: Any) -> Any:
    """Decimals as plain JSON numbers where that loses nothing: people read these files."""
    if isinstance(value, dict):
        if value.keys() == {TAG, "v"} and value[TAG] == "n":
            plain = _number(Decimal(value["v"]))
            return value if plain is None else plain
        return {key: _numbers(item) for key, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, list) else value


def _number(value: Decimal) -> float | int | None:
    """None: it would lose something."""
    if value == value.to_integral_value() and abs(value) < 2**53:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else None
