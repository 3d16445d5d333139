"""Random diagrams for as long as one likes: `python -m tests.benchmarks.diagrams [number] [first seed]`.

The tests run a few dozen with a fixed seed (`tests/engine/bpmn/test_random_diagrams.py`); this prints the seed of each
diagram on which the engine and the interpreter of its blocks do not agree, and of each deadlock that was not foretold.
"""

from __future__ import annotations

import random
import sys

from tests.engine.bpmn.diagrams import Maker, tangle
from tests.engine.bpmn.test_random_diagrams import check_tangle, play


def main(number: int = 2000, first: int = 0) -> int:
    """How many diagrams failed."""
    failed = 0
    for seed in range(first, first + number):
        dice = random.Random(seed)
        try:
            play(Maker(dice.randint).block(4, True), dice.randint)
            if seed % 10 == 0:
                check_tangle(tangle(dice.randint), dice.randint)
        except Exception as error:
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:200]}")
    print(f"{number} diagrams, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(*map(int, sys.argv[1:])) else 0)
