"""`python -m bench [SUBJECT ...]`: measures real server processes, prints tables, writes JSON into bench/results."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench import (
    analysis,
    cold,
    dynamodb,
    edits,
    floor,
    jupyter,
    loading,
    machine,
    memory,
    misbehaviour,
    opening,
    reruns,
    stalls,
    start,
    throughput,
    written,
)
from bench.samples import Effort, stopwatch
from bench.tables import Table

RESULTS = Path(__file__).parent / "results"

SUBJECTS: dict[str, Callable[[Effort], list[Table]]] = {
    "start": start.measure,
    "edits": edits.measure,
    "analysis": analysis.measure,
    "opening": opening.measure,
    "reruns": reruns.measure,
    "written": written.measure,
    "loading": loading.measure,
    "floor": floor.measure,
    "memory": memory.measure,
    "stalls": stalls.measure,
    "misbehaviour": misbehaviour.measure,
    "jupyter": jupyter.measure,
    "dynamodb": dynamodb.measure,
    "cold": cold.measure,
    "throughput": throughput.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"{', '.join(SUBJECTS)}; none: all")
    parser.add_argument("--rounds", type=int, default=11, help="how often what is slow is measured (default: 11)")
    parser.add_argument("--without-marimo", action="store_true", help="leave marimo out")
    parser.add_argument(
        "--wait-quiet",
        type=float,
        default=0,
        metavar="S",
        help="before each subject wait up to S seconds for an idle machine",
    )
    options = parser.parse_args()
    if unknown := set(options.subjects) - SUBJECTS.keys():
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    if options.rounds < 1:
        parser.error("--rounds is 1 or more")
    effort = Effort(options.rounds, marimo=not options.without_marimo)
    on = machine.description()
    print(", ".join(f"{name} {value}" for name, value in on.items()))
    print("\nEach figure is a median, with the 95th percentile in parentheses, after a warm-up.")
    for name in options.subjects or SUBJECTS:
        machine.await_quiet(options.wait_quiet)
        _write(name, on, _measured(name, effort))


def _measured(name: str, effort: Effort) -> dict[str, Any]:
    elapsed, others = stopwatch(), machine.watch_others()
    tables = SUBJECTS[name](effort)
    for table in tables:
        print(f"\n{table.as_text()}", flush=True)
    used = others()
    print(f"\n({name}: {elapsed() / 1000:.0f} s, in which other programs used {used:.0f} % of the machine)", flush=True)
    return {"others_used_percent": used, "tables": [table.as_json() for table in tables]}


def _write(name: str, on: dict[str, Any], result: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode({"machine": on, **result}), indent=1)
    (RESULTS / f"{name}.json").write_bytes(content + b"\n")


if __name__ == "__main__":
    main()
