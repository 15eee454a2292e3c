"""Tables: printed as Markdown, so that they can be pasted into a document, and kept as JSON."""

from dataclasses import dataclass, field
from typing import Any

from bench.samples import Samples

Value = Samples | float | str


@dataclass(slots=True)
class Table:
    """Rows of values. Samples are shown as their median, with the 95th percentile in parentheses."""

    title: str
    columns: tuple[str, ...]
    """The first is that of the rows' names."""
    rows: list[tuple[str, list[Value]]] = field(default_factory=list)
    note: str = ""

    def add(self, name: str, *values: Value) -> None:
        self.rows.append((name, list(values)))

    def as_text(self) -> str:
        lines = [list(self.columns), *([name, *map(shown, values)] for name, values in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        rule = [f"{'-' * (widths[0])}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
        texts = [_row(lines[0], widths), _row(rule, widths), *(_row(line, widths) for line in lines[1:])]
        parts = ["\n".join(texts)] if self.rows else []
        return "\n\n".join([f"### {self.title}", *parts, *([self.note] if self.note else [])])

    def as_json(self) -> dict[str, Any]:
        rows = {
            name: {
                column: value.as_json() if isinstance(value, Samples) else value
                for column, value in zip(self.columns[1:], values, strict=True)
            }
            for name, values in self.rows
        }
        return {"title": self.title, "rows": rows, "note": self.note}


def shown(value: Value) -> str:
    """Three digits or so."""
    if isinstance(value, Samples):
        return f"{shown(value.median)} ({shown(value.p95)})"
    if isinstance(value, str):
        return value
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _row(texts: list[str], widths: list[int]) -> str:
    first, *others = (
        text.rjust(width) if place else text.ljust(width)
        for place, (text, width) in enumerate(zip(texts, widths, strict=True))
    )
    return "| " + " | ".join([first, *others]) + " |"
