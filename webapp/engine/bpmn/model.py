"""What a compiled process consists of. Immutable: one copy is shared by all threads and all instances of a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from webapp.engine.bpmn.expressions import Value
from webapp.engine.bpmn.mending import MENDS
from webapp.engine.feel import Expression
from webapp.engine.sentences import fill
from webapp.engine.types import Element, Finding, ProcessInfo

if TYPE_CHECKING:
    from webapp.engine.bpmn.specs import ProcessSpec


@dataclass(frozen=True, slots=True)
class Known:
    """Names that a deployment may refer to. Unknown ones are errors when `strict`, else warnings."""

    topics: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()
    validators: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    processes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()  # empty: roles are not checked
    strict: bool = True
    stored: bool = False  # it was deployed already: only what is needed to run it is looked at

    @classmethod
    def anything(cls) -> Known:
        """For reading a file whose surroundings are not known: unknown names become warnings."""
        return cls(strict=False)

    @classmethod
    def deployed(cls) -> Known:
        """For a model that was accepted once: what newer checks would say of it must not stop its instances."""
        return cls(strict=False, stored=True)


@dataclass(frozen=True, slots=True)
class Flow:
    """One sequence flow."""

    id: str
    source: str
    target: str
    condition: Expression | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What an event waits for or throws.

    `kind`: none, message, timer, signal, conditional, error, escalation, terminate, compensate or link.
    """

    kind: str = "none"
    name: str = ""  # of the message, signal or link
    code: str | None = None  # of the error or escalation; None catches every code
    timer: str = ""  # date | duration | cycle
    value: Value | None = None
    correlation_key: Expression | None = None
    code_variable: str | None = None
    message_variable: str | None = None
    activity_ref: str | None = None
    condition: Expression | None = None

    @property
    def waited_for(self) -> bool:
        """Whether a token waits for it (errors and the like are thrown to whoever catches them)."""
        return self.kind in ("message", "signal", "timer", "conditional")


@dataclass(frozen=True, slots=True)
class Loop:
    """Multi-instance or standard loop of an activity."""

    sequential: bool = False
    collection: Expression | None = None
    cardinality: Expression | None = None
    element_variable: str | None = None
    completion: Expression | None = None  # multi-instance: true ends it early
    output_collection: str | None = None
    output_element: Expression | None = None
    condition: Expression | None = None  # standard loop: true goes on
    test_before: bool = False
    maximum: int | None = None

    @property
    def standard(self) -> bool:
        return self.collection is None and self.cardinality is None


@dataclass(frozen=True, eq=False)
class CompiledProcess:
    """One executable process of a file. Two compilations of the same bytes have the same `digest`."""

    info: ProcessInfo
    elements: Mapping[str, Element]
    flows: tuple[str, ...]
    digest: str
    spec: ProcessSpec = field(repr=False)
    warnings: tuple[Finding, ...] = ()
    start_elements: Mapping[str, str] = field(default_factory=dict)  # id -> none | message | signal | timer
    start_names: Mapping[str, str] = field(default_factory=dict)  # id -> name of the message or signal, or the timer


class Findings:
    """Collects what is wrong with a file, so that a designer sees everything at once."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def error(self, element_id: str | None, code: str, pattern: str, **values: object) -> None:
        self.add("error", element_id, code, pattern, **values)

    def warning(self, element_id: str | None, code: str, pattern: str, **values: object) -> None:
        self.add("warning", element_id, code, pattern, **values)

    def info(self, element_id: str | None, code: str, pattern: str, **values: object) -> None:
        self.add("info", element_id, code, pattern, **values)

    def unknown(self, known: Known, element_id: str, code: str, pattern: str, **values: object) -> None:
        (self.error if known.strict else self.warning)(element_id, code, pattern, **values)

    def add(self, severity: str, element_id: str | None, code: str, pattern: str, **values: object) -> None:
        """The same is not told twice."""
        told = {name: str(value) for name, value in values.items()}
        found = Finding(element_id, code, fill(pattern, told), severity, pattern, told, MENDS.get(code, ""))
        if found not in self.all:
            self.all.append(found)

    @property
    def errors(self) -> list[Finding]:
        return [f for f in self.all if f.severity == "error"]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.all if f.severity == "warning")
