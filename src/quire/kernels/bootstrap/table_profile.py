"""What a column holds, in a few numbers: a small histogram, or its most frequent values."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from .recorder import Event
from .table_cells import CellMaker
from .table_frames import Kind

BINS_MAX = 20
TOP_MAX = 10


def profile_of(kind: Kind, values: list[Any]) -> Event:
    """Describe the values of a column, None for nulls.

    Numbers, times and durations: `bins` are the counts of equal parts from `low` to `high`. Others: `bins` are the
    most frequent values, `{value, count}`. `seen` is the number of values that were looked at.
    """
    present = [value for value in values if value is not None]
    profile: Event = {
        "kind": kind,
        "bins": [],
        "low": None,
        "high": None,
        "nulls": len(values) - len(present),
        "distinct": 0,
        "seen": len(values),
    }
    if kind in {"integer", "number", "time", "duration"}:
        try:
            return profile | _histogram(present)
        except (TypeError, ValueError, OverflowError, ArithmeticError):
            # Python objects of several types.
            return profile | _top(present)
    return profile | _top(present)


def _histogram(values: list[Any]) -> Event:
    distinct = len(set(values))
    cell = CellMaker().cell
    finite = [value for value in values if not (isinstance(value, float) and abs(value) == float("inf"))]
    if not finite:
        return {"distinct": distinct}
    low, high = min(finite), max(finite)
    start, end = _place(low, low), _place(high, low)
    if start == end:
        bins = [len(finite)]
    else:
        count = BINS_MAX
        if isinstance(low, int) and isinstance(high, int):
            count = min(BINS_MAX, int(high) - int(low) + 1)
        bins = [0] * count
        for value in finite:
            bins[min(count - 1, int((_place(value, low) - start) / (end - start) * count))] += 1
    return {"bins": bins, "low": cell(low), "high": cell(high), "distinct": distinct}


def _place(value: Any, low: Any) -> float:
    """Where a value stands on a line that has `low` somewhere near its beginning."""
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    if isinstance(value, datetime | date):
        return float((value - low).total_seconds())
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value - low)


def _top(values: list[Any]) -> Event:
    cell = CellMaker().cell
    counts = Counter(cell(value) for value in values)
    top = [{"value": value, "count": count} for value, count in counts.most_common(TOP_MAX)]
    return {"bins": top, "distinct": len(counts)}
