"""`make bench` (quick) and `make bench-full` (all): measured, goal, ratio; kept as JSON under `results/`.

`python -m tests.benchmarks [--full] [--only KEY …] [--list]`; the pieces are named in `registry.MODULES`. Each has an
embedded server of its own in the temporary directory, removed when it is done. One that fails does not stop the others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.ground import Ground
from tests.benchmarks.registry import Bench, Figure, benches

RESULTS = Path(__file__).with_name("results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 when a piece broke down or a goal was missed."""
    wanted = _arguments(arguments)
    if wanted.list:
        for bench in benches():
            print(f"{bench.key:<12} {'quick' if bench.quick else 'full ':<6} {bench.title}")
        return 0
    chosen = _chosen(wanted.only, wanted.full)
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": {"processors": os.cpu_count(), "load_before": round(os.getloadavg()[0], 2)},
        "full": wanted.full,
        "pieces": [],
    }
    for bench in chosen:
        result["pieces"].append(_run(bench, wanted.full or bench.key in wanted.only))
        _keep(result)  # after each piece: what was measured is not lost with what comes after it
    return _tell(result)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--full", action="store_true", help="every piece, with whole numbers")
    parser.add_argument("--only", nargs="+", default=[], metavar="KEY", help="these pieces, with whole numbers")
    parser.add_argument("--list", action="store_true", help="name the pieces")
    return parser.parse_args(arguments)


def _chosen(only: Sequence[str], full: bool) -> list[Bench]:
    known = {bench.key: bench for bench in benches()}
    if unknown := [key for key in only if key not in known]:
        sys.exit(f"no such piece: {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[key] for key in only] or [bench for bench in known.values() if full or bench.quick]


def _run(bench: Bench, full: bool) -> dict[str, Any]:
    print(f"\n== {bench.key}: {bench.title}", flush=True)
    figures: list[Figure] = []
    began, error = time.monotonic(), ""
    try:
        with Ground.made(full) as ground:
            for figure in bench.run(ground):
                figures.append(figure)
                print(figure.line(), flush=True)
    except Exception:
        error = traceback.format_exc()
        print(error, file=sys.stderr, flush=True)
    return {
        "key": bench.key,
        "seconds": round(time.monotonic() - began, 1),
        "error": error,
        "figures": [asdict(figure) | {"ratio": figure.ratio, "met": figure.met} for figure in figures],
    }


def _keep(result: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = datetime.fromisoformat(result["at"]).strftime("%Y%m%d-%H%M%S.json")
    RESULTS.joinpath(name).write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _tell(result: dict[str, Any]) -> int:
    print(f"\n{'what':<76} {'measured':>10}    {'goal':<9} {'ratio':>6}")
    missed = broken = 0
    for piece in result["pieces"]:
        for values in piece["figures"]:
            figure = Figure(**{k: v for k, v in values.items() if k not in {"ratio", "met"}})
            missed += not figure.met
            print(figure.line())
        if piece["error"]:
            broken += 1
            print(f"{piece['key']}: broke down: {piece['error'].strip().splitlines()[-1]}")
    print(f"\n{missed} goals missed, {broken} pieces broke down")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
