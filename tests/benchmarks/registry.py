"""What a benchmark is, and which there are. Another one: a module with a `BENCH`, and its name in `MODULES`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.ground import Ground

#: Modules in the order in which they run; each has a `BENCH`.
MODULES = (
    "tests.benchmarks.step",
    "tests.benchmarks.crowd",
    "tests.benchmarks.inbox",
    "tests.benchmarks.lists",
    "tests.benchmarks.timers",
    "tests.benchmarks.growth",
    "tests.benchmarks.rounds",
    "tests.benchmarks.unharmed",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure with its goal: at most so much, or at least (`at_least`). A goal of 0 allows nothing."""

    name: str
    measured: float
    goal: float
    unit: str = ""
    at_least: bool = False

    @property
    def ratio(self) -> float:
        """How much of the goal is used up: at most 1 when it is met."""
        over, under = (self.goal, self.measured) if self.at_least else (self.measured, self.goal)
        if under == 0:
            return 0.0 if over == 0 else math.inf
        return over / under

    @property
    def met(self) -> bool:
        return self.ratio <= 1

    def line(self) -> str:
        """A line of the table: what, measured, goal, ratio."""
        goal = f"{'≥' if self.at_least else '≤'} {self.goal:<7,g}"
        missed = "" if self.met else "  MISSED"
        return f"{self.name:<76} {self.measured:>10,.2f} {self.unit:<2} {goal} {self.ratio:>6.2f}{missed}"


@dataclass(frozen=True, slots=True)
class Bench:
    """A piece of the benchmark. `quick`: it runs in `make bench` too, with `ground.full` false: a smaller round.

    `run` gets its own ground (a directory, servers on demand) and leaves nothing behind.
    """

    key: str
    title: str
    run: Callable[[Ground], Iterable[Figure]]
    quick: bool = False


def benches() -> Sequence[Bench]:
    """All, in order. Errors: ValueError when two have the same key."""
    found = [import_module(name).BENCH for name in MODULES]
    if len({bench.key for bench in found}) != len(found):
        raise ValueError("two benchmarks have the same key")
    return found
