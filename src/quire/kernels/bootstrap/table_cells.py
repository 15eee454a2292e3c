"""From the values of a table to JSON scalars that lose nothing: a page shows them as they are."""

import math
import struct
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from .short_repr import Describer, shortened

Cell = str | int | float | bool | None

TEXT_CHARS_MAX = 1000
SAFE_INTEGER_MAX = 2**53
"""JavaScript has no larger integers that are exact."""
PAGE_CHARS_MAX = 1_000_000
"""Where the texts of a page are longer in all, each is cut much shorter: it must fit into one answer."""
_CROWDED_CHARS_MAX = 60


class CellMaker:
    """Makes the cells of one page."""

    def __init__(self) -> None:
        self._describe = Describer().describe

    def cell(self, value: Any) -> Cell:
        """A null is None; a library's own nulls (NA, NaT) must have been told before."""
        maker = _SIMPLE.get(type(value))
        if maker is not None:
            return maker(value)
        if isinstance(value, Enum):
            return self._describe(value)
        if type(value).__module__ == "numpy" and getattr(value, "ndim", -1) == 0:
            return self._numpy_scalar(value)
        for kind, make in _SIMPLE.items():
            if isinstance(value, kind):
                return make(value)
        return self._describe(value)

    def _numpy_scalar(self, value: Any) -> Cell:
        kind = value.dtype.kind
        if kind == "f":
            return float_cell(float(str(value)))
        if kind in "Mm":
            return None if str(value) == "NaT" else str(value)
        return self.cell(value.item()) if kind in "biuU" else str(value)

    def column(self, values: Iterable[Any], nulls: Iterable[bool]) -> list[Cell]:
        cell = self.cell
        return [None if null else cell(value) for value, null in zip(values, nulls, strict=True)]


def float_cell(value: float) -> Cell:
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else "inf" if value > 0 else "-inf"


def short_float(value: float, width: int) -> float:
    """The shortest number that is the same as `value` in this many bytes: what its author wrote."""
    if not math.isfinite(value):
        return value
    code, digits_min = ("f", 6) if width == 4 else ("e", 3)
    for digits in range(digits_min, 10):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.unpack(code, struct.pack(code, short))[0] == value:
                return short
        except OverflowError:
            continue
    return value


def duration_text(nanoseconds: int) -> str:
    """Days, hours, minutes and seconds, as pandas writes them."""
    seconds, rest = divmod(nanoseconds, 10**9)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    sign = "+" if days < 0 else ""
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{days} days {sign}{hour:02d}:{minute:02d}:{second:02d}{fraction}"


def rows_of(columns: list[list[Cell]], count: int) -> list[list[Cell]]:
    """Columns turned into `count` rows, with shorter texts if there are too many long ones."""
    if sum(len(cell) for column in columns for cell in column if isinstance(cell, str)) > PAGE_CHARS_MAX:
        columns = [
            [shortened(cell, _CROWDED_CHARS_MAX) if isinstance(cell, str) else cell for cell in column]
            for column in columns
        ]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _row in range(count)]


def _integer_cell(value: int) -> Cell:
    return int(value) if -SAFE_INTEGER_MAX <= value <= SAFE_INTEGER_MAX else _digits(int(value))


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:
        # Python refuses to write out more than some thousand digits.
        return f"<an integer of {value.bit_length():,} bits>"


def _text_cell(value: str) -> Cell:
    return shortened(str.__str__(value), TEXT_CHARS_MAX)


def _duration_cell(value: timedelta) -> Cell:
    nanoseconds = (value.days * 86_400 + value.seconds) * 10**9 + value.microseconds * 1000
    return duration_text(nanoseconds + int(getattr(value, "nanoseconds", 0)))


def _bytes_cell(value: bytes) -> Cell:
    return shortened(repr(value[:TEXT_CHARS_MAX]), TEXT_CHARS_MAX)


_SIMPLE: dict[type, Callable[[Any], Cell]] = {
    str: _text_cell,
    bool: bool,
    int: _integer_cell,
    float: lambda value: float_cell(float(value)),
    type(None): lambda _value: None,
    datetime: lambda value: str(value.isoformat()),
    date: lambda value: str(value.isoformat()),
    time: lambda value: str(value.isoformat()),
    timedelta: _duration_cell,
    Decimal: str,
    bytes: _bytes_cell,
}
