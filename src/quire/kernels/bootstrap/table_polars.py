"""Tables of polars, which a cell has imported."""

import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from .questions import Refusal
from .short_repr import shortened
from .table_cells import Cell, CellMaker, duration_text, float_cell, short_float
from .table_filters import compare, negative, test_of
from .table_frames import COLUMNS_MAX, COPIED_CELLS_MAX, NAME_CHARS_MAX, Column, Condition, Kind, Rows, Sort

_NANOSECONDS = {"ns": 1, "us": 1000, "ms": 1_000_000}
_BINARY_FLOATS = {"Float16": 2, "Float32": 4}


class PolarsFrame:
    """A DataFrame, or a Series as one of one column. It has no index."""

    index = 0

    def __init__(self, value: Any) -> None:
        self._polars: Any = sys.modules["polars"]
        frame = value if isinstance(value, self._polars.DataFrame) else value.to_frame()
        self.total = int(frame.height)
        self.total_columns = int(frame.width)
        # It shares the data, and columns that later cells add do not appear in it.
        self._shown: Any = frame.select(frame.columns[:COLUMNS_MAX])
        if self.total * len(self._shown.columns) <= COPIED_CELLS_MAX:
            self._shown = self._shown[list(range(self.total))]
        self.columns: Sequence[Column] = [
            Column(shortened(name, NAME_CHARS_MAX), shortened(str(dtype), 100), _kind(dtype))
            for name, dtype in zip(self._shown.columns, self._shown.dtypes, strict=True)
        ]

    def page(self, rows: Rows) -> list[list[Cell]]:
        part = self._shown[rows]
        maker = CellMaker()
        return [_cells(values, maker) for values in part.get_columns()]

    def order(self, conditions: Sequence[Condition], sort: Sequence[Sort]) -> Rows:
        polars = self._polars
        keys: dict[str, Any] = {"row": polars.int_range(self.total, dtype=polars.UInt32, eager=True)}
        for number, key in enumerate(sort):
            values = self._shown.to_series(key.column)
            if _name(values.dtype) == "Object":
                raise Refusal(f"The values of column {values.name!r} have no order.")
            keys[f"key {number}"] = _without_nan(values)
        frame = polars.DataFrame(keys)
        mask: Any = None
        for condition in conditions:
            met = self._mask(condition)
            mask = met if mask is None else mask & met
        if mask is not None:
            frame = frame.filter(mask)
        if sort:
            try:
                frame = frame.sort(
                    list(keys)[1:],
                    descending=[key.descending for key in sort],
                    nulls_last=True,
                    maintain_order=True,
                )
            except (polars.exceptions.PolarsError, TypeError) as error:
                raise Refusal(f"The values have no order: {shortened(str(error), 200)}") from error
        return frame.to_series(0)

    def _mask(self, condition: Condition) -> Any:
        values = _without_nan(self._shown.to_series(condition.column))
        op = condition.op
        if op in {"null", "not_null"}:
            return values.is_null() if op == "null" else values.is_not_null()
        match self.columns[condition.column].kind:
            case "text" | "category":
                mask = self._text_mask(values.cast(self._polars.String), condition)
            case "other":
                mask = self._each(values, condition)
            case "time":
                mask = compare(op, values, _time(values.dtype, condition.value))
            case _ if values.dtype.is_decimal():
                mask = self._each(values, condition)
            case _:
                mask = compare(op, values, self._within(values.dtype, condition.value))
        return mask.fill_null(negative(op))

    def _within(self, dtype: Any, wanted: Any) -> Any:
        """An integer that the type of the column does not have is compared as a float."""
        if not dtype.is_integer():
            return wanted
        try:
            self._polars.Series([wanted], dtype=dtype)
        except (OverflowError, TypeError):
            return float(wanted)
        return wanted

    def _text_mask(self, values: Any, condition: Condition) -> Any:
        if condition.op not in {"contains", "not_contains"}:
            return compare(condition.op, values, condition.value)
        found = values.str.to_lowercase().str.contains(condition.value.lower(), literal=True)
        return ~found if condition.op == "not_contains" else found

    def _each(self, values: Any, condition: Condition) -> Any:
        maker = CellMaker()
        test = test_of(condition, lambda value: str(maker.cell(value)))
        met = [None if value is None else test(value) for value in values.to_list()]
        return self._polars.Series(met, dtype=self._polars.Boolean)

    def sample(self, column: int, most: int) -> list[Any]:
        values = _without_nan(self._shown.to_series(column))
        return list(values.gather_every(max(1, -(-self.total // most))).to_list())


def _kind(dtype: Any) -> Kind:
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    match _name(dtype):
        case "Boolean":
            return "boolean"
        case "String" | "Utf8":
            return "text"
        case "Categorical" | "Enum":
            return "category"
        case "Date" | "Datetime" | "Time":
            return "time"
        case "Duration":
            return "duration"
        case _:
            return "other"


def _name(dtype: Any) -> str:
    return str(dtype.base_type().__name__)


def _without_nan(values: Any) -> Any:
    """With NaN as null, which it is shown as."""
    return values.fill_nan(None) if values.dtype.is_float() else values


def _cells(values: Any, maker: CellMaker) -> list[Cell]:
    dtype = values.dtype
    name = _name(dtype)
    if name in _BINARY_FLOATS:
        width = _BINARY_FLOATS[name]
        return [None if value is None else float_cell(short_float(value, width)) for value in values.to_list()]
    if name == "Duration":
        # Python's durations have no nanoseconds, and neither have its times.
        unit = _NANOSECONDS[dtype.time_unit]
        return [None if value is None else duration_text(value * unit) for value in values.to_physical().to_list()]
    if name == "Datetime" and dtype.time_unit == "ns":
        return list(values.dt.to_string("%Y-%m-%dT%H:%M:%S%.f" + ("%:z" if dtype.time_zone else "")).to_list())
    if name == "Time":
        return list(values.dt.to_string("%H:%M:%S%.f").to_list())
    return [maker.cell(value) for value in values.to_list()]


def _time(dtype: Any, text: str) -> date | time:
    name = _name(dtype)
    try:
        if name == "Time":
            return time.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        example = "12:30:00" if name == "Time" else "2026-01-31 or 2026-01-31T12:00:00"
        raise Refusal(f"{text!r} is not a time: write it as {example}.") from error
    if name == "Date":
        return moment.date()
    if dtype.time_zone is None:
        if moment.tzinfo is not None:
            raise Refusal(f"{text!r} has a time zone, and the times of this column have none.")
        return moment
    zone = ZoneInfo(dtype.time_zone)
    return moment.astimezone(zone) if moment.tzinfo is not None else moment.replace(tzinfo=zone)
