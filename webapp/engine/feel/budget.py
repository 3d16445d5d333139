"""What one evaluation may cost, charged in one place.

Every loop round, call, copy and text passes through a `Budget`; nothing else in the package counts. A limit that is
hit ends the evaluation with `LimitExceeded` and is never turned into a FEEL null. One step is about one microsecond of
work, so the default budget ends any expression within about half a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from webapp.engine.errors import LimitExceeded

_T = TypeVar("_T")
#: Characters of text that cost one step to make, scan or keep.
_TEXT_PER_STEP_SHIFT: Final = 6


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one evaluation. `steps`: work; `items`: length of one list; `text`: characters of one string;
    `depth`: nested calls; `nesting`: levels of a result; `result`: values in a result; `exponent`: of `**`."""

    steps: int = 200_000
    items: int = 100_000
    text: int = 1_000_000
    depth: int = 60
    nesting: int = 64
    result: int = 200_000
    exponent: int = 10_000
    warnings: int = 50


DEFAULT_LIMITS: Final = Limits()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Budget:
    """The steps that are left, and the depth of calls. Errors of all methods: LimitExceeded."""

    __slots__ = ("depth", "left", "limits")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.left = limits.steps
        self.depth = 0

    def charge(self, steps: int = 1) -> None:
        """Pay for `steps` of work."""
        self.left -= steps
        if self.left < 0:
            raise LimitExceeded(f"表达式超出计算上限（{self.limits.steps} 步）。")

    def text(self, value: str) -> str:
        """Pay for a text that was made or is scanned; gives it back."""
        if len(value) > self.limits.text:
            raise LimitExceeded(f"字符串超过 {self.limits.text} 个字符。")
        self.charge(1 + (len(value) >> _TEXT_PER_STEP_SHIFT))
        return value

    def items(self, count: int) -> None:
        """Pay for a list of `count` items that is walked or made."""
        if count > self.limits.items:
            raise LimitExceeded(f"列表超过 {self.limits.items} 项。")
        self.charge(1 + count)

    def grow(self, length: int) -> None:
        """Pay for one more item of a list that has `length` items by now."""
        if length > self.limits.items:
            raise LimitExceeded(f"列表超过 {self.limits.items} 项。")
        self.charge(1)

    def value(self, value: Any) -> None:
        """Pay for reading one value, shallowly: its characters, items or entries."""
        kind = type(value)
        if kind is str:
            self.text(value)
        elif kind is list or kind is dict:
            self.items(len(value))
        else:
            self.charge(1)

    def enter(self) -> None:
        """Pay for one call and go one level down; every `enter` has its `leave`."""
        self.charge(1)
        self.depth += 1
        if self.depth > self.limits.depth:
            self.depth -= 1
            raise LimitExceeded(f"函数调用嵌套超过 {self.limits.depth} 层。")

    def leave(self) -> None:
        self.depth -= 1


class Run(Budget):
    """One evaluation: its budget, its instant (`now`, timezone-aware) and the warnings that it recorded.

    `fired`: ids of the rules of decision tables that were hit, in order.
    """

    __slots__ = ("fired", "now", "warnings")

    def __init__(self, now: datetime = _EPOCH, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.left = limits.steps
        self.depth = 0
        self.now = now
        self.warnings: list[str] = []
        self.fired: list[str] = []

    def null(self, warning: str) -> _T | None:
        """Record why a value is null (FEEL has no exceptions); gives None, whatever the type of the value was."""
        if len(self.warnings) < self.limits.warnings:
            self.warnings.append(warning)
        return None
