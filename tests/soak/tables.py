"""The table of a soak, and how to run again what failed."""

from collections.abc import Iterable, Sequence

from tests.soak.rounds import Outcome
from tests.storage.dynamodb.faulty_proxy import FAULTS

KINDS = tuple(kind for kind in FAULTS if kind != "none")

COLUMNS = (
    *("engine", "mode", "seed", "commits", "acknowledged", "refused", "attempts", "requests", "crashes"),
    *KINDS,
    *("lost", "doubled", "gaps", "other", "seconds"),
)


def row_of(outcome: Outcome) -> list[str]:
    """In the order of COLUMNS."""
    faults = {kind: len(what) for kind, what in outcome.faults.items()}
    named = [faults.pop(kind, 0) for kind in ("lost", "doubled", "gaps")]
    counts = (
        *(outcome.commits, outcome.acknowledged, outcome.refused, outcome.attempts, outcome.requests),
        *(outcome.crashes, *(outcome.met[kind] for kind in KINDS), *named, sum(faults.values())),
    )
    return [outcome.engine, outcome.mode, str(outcome.seed), *map(_number, counts), f"{outcome.seconds:.0f}"]


def sum_of(outcomes: Sequence[Outcome]) -> list[str]:
    """The last row."""
    rows = [row_of(outcome) for outcome in outcomes]
    totals = [sum(int(row[column].replace(",", "")) for row in rows) for column in range(3, len(COLUMNS))]
    return ["all", "", "", *map(_number, totals)]


def table_of(rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [list(COLUMNS), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    rule = ["-" * width if column < 2 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    lines.insert(1, rule)
    return "\n".join(_line(line, widths) for line in lines)


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        text.ljust(width) if column < 2 else text.rjust(width)
        for column, (text, width) in enumerate(zip(texts, widths, strict=True))
    )
    return "| " + " | ".join(padded) + " |"


def complaint_of(outcome: Outcome, edits: int) -> str:
    """What was wrong, the seed, and the command that runs it again."""
    shown = [f"  {kind}: {one}" for kind, what in outcome.faults.items() for one in what[:10]]
    again = f"python -m tests.soak --engine {outcome.engine} --mode {outcome.mode} --seed {outcome.seed}"
    return "\n".join([f"seed {outcome.seed} on {outcome.engine} failed:", *shown, f"{again} --commits {edits}"])


def _number(count: int) -> str:
    return f"{count:,}"
