"""`make bench`: measured, goal, ratio; kept as JSON under `tests/benchmarks/results/`."""

from __future__ import annotations

import json
import platform
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.bench import run

RESULTS = Path(__file__).with_name("results")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="qy-bench-") as directory:
        figures = run(Path(directory))
    print(f"\n{'what':<58} {'measured':>10} {'goal':>8} {'ratio':>7}")
    for figure in figures:
        print(f"{figure.name:<58} {figure.measured:>8.2f} {figure.unit:<2} ≤ {figure.goal:<5g} {figure.ratio:>7.2f}")
    RESULTS.mkdir(exist_ok=True)
    made = datetime.now(UTC)
    result = {
        "at": made.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in figures],
    }
    path = RESULTS / f"{made:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
