"""Tables of pandas, which a cell has imported."""

import sys
from collections.abc import Sequence
from itertools import compress
from typing import Any

from .questions import Refusal
from .short_repr import shortened
from .table_cells import Cell, CellMaker, float_cell, short_float
from .table_filters import compare, negative, test_of
from .table_frames import COLUMNS_MAX, COPIED_CELLS_MAX, NAME_CHARS_MAX, Column, Condition, Kind, Rows, Sort

_LOOKED_AT = 50
"""Rows that tell what a column of Python objects holds."""
_NUMPY_KINDS: dict[str, Kind] = {
    "b": "boolean",
    "i": "integer",
    "u": "integer",
    "f": "number",
    "M": "time",
    "m": "duration",
    "c": "other",
}
_INFERRED: dict[str, Kind] = {
    "string": "text",
    "boolean": "boolean",
    "integer": "integer",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "date": "time",
    "datetime": "time",
    "datetime64": "time",
    "time": "time",
    "timedelta": "duration",
    "timedelta64": "duration",
    "categorical": "category",
    "empty": "text",
}


class PandasFrame:
    """A DataFrame, or a Series as one of one column."""

    def __init__(self, value: Any) -> None:
        self._pandas: Any = sys.modules["pandas"]
        self._numpy: Any = sys.modules["numpy"]
        frame = value if value.ndim == 2 else value.to_frame(name=value.name)
        self.index: int = frame.index.nlevels
        self.total = len(frame.index)
        self.total_columns = self.index + int(frame.shape[1])
        if self.total_columns > COLUMNS_MAX:
            frame = frame.iloc[:, : max(0, COLUMNS_MAX - self.index)]
        # What later cells add to the frame or take away must not change what is shown; the data is shared.
        self._frame: Any = frame.copy(deep=frame.size <= COPIED_CELLS_MAX)
        self.columns: Sequence[Column] = self._describe_columns()

    def _describe_columns(self) -> list[Column]:
        frame = self._frame.iloc[:_LOOKED_AT]
        levels = [frame.index.get_level_values(level) for level in range(self.index)]
        columns = [self._column(level.name, level) for level in levels]
        return columns + [self._column(label, frame.iloc[:, at]) for at, label in enumerate(frame.columns)]

    def _column(self, label: Any, values: Any) -> Column:
        return Column(_name(label), shortened(str(values.dtype), 100), self._kind(values))

    def _kind(self, values: Any) -> Kind:
        dtype = values.dtype
        if isinstance(dtype, self._pandas.CategoricalDtype):
            return "category"
        known = _NUMPY_KINDS.get(getattr(dtype, "kind", "O"))
        if known is not None:
            return known
        if isinstance(dtype, self._pandas.StringDtype):
            return "text"
        return _INFERRED.get(self._pandas.api.types.infer_dtype(values, skipna=True), "other")

    def page(self, rows: Rows) -> list[list[Cell]]:
        part = self._frame.iloc[rows]
        maker = CellMaker()
        cells = [_cells(part.index.get_level_values(level), maker) for level in range(self.index)]
        return cells + [_cells(part.iloc[:, at], maker) for at in range(part.shape[1])]

    def order(self, conditions: Sequence[Condition], sort: Sequence[Sort]) -> Rows:
        mask: Any = None
        for condition in conditions:
            met = self._mask(condition)
            mask = met if mask is None else mask & met
        numpy = self._numpy
        rows = numpy.arange(self.total) if mask is None else numpy.flatnonzero(mask)
        for key in reversed(sort):
            values = self._values(key.column).array
            if len(rows) != self.total or key is not sort[-1]:
                values = values.take(rows)
            rows = rows[self._sorted(values, descending=key.descending)]
        return rows.astype(numpy.int32) if self.total < 2**31 else rows

    def _sorted(self, values: Any, *, descending: bool) -> Any:
        try:
            return values.argsort(ascending=not descending, kind="stable", na_position="last")
        except (TypeError, ValueError):
            # Objects that have no order, or of several types: as they are shown.
            text_of = _text_maker()
            texts = [None if null else text_of(value) for value, null in zip(values, values.isna(), strict=True)]
            array = self._pandas.array(texts, dtype="string")
            return array.argsort(ascending=not descending, kind="stable", na_position="last")

    def _values(self, column: int) -> Any:
        if column < self.index:
            return self._frame.index.get_level_values(column)
        return self._frame.iloc[:, column - self.index]

    def _mask(self, condition: Condition) -> Any:
        values = self._values(condition.column)
        numpy = self._numpy
        nulls = numpy.asarray(values.isna())
        if condition.op in {"null", "not_null"}:
            return nulls if condition.op == "null" else ~nulls
        dtype = values.dtype
        if isinstance(dtype, self._pandas.CategoricalDtype):
            array = values.array
            categories = array.categories
            met = self._each(condition, categories, numpy.zeros(len(categories), dtype=bool))
            # Code -1, a null, is the last.
            mask = numpy.append(met, False)[array.codes]
        elif getattr(dtype, "kind", "O") in "biufMm":
            mask = self._native(condition, values)
        elif isinstance(dtype, self._pandas.StringDtype):
            mask = self._native_text(condition, values)
        else:
            mask = self._each(condition, values, nulls)
        mask[nulls] = negative(condition.op)
        return mask

    def _native(self, condition: Condition, values: Any) -> Any:
        wanted = condition.value
        if values.dtype.kind == "M":
            wanted = self._timestamp(wanted, getattr(values.dtype, "tz", None))
        elif values.dtype.kind == "m":
            wanted = self._pandas.Timedelta(wanted)
        return self._as_mask(compare(condition.op, values.array, wanted))

    def _native_text(self, condition: Condition, values: Any) -> Any:
        if condition.op not in {"contains", "not_contains"}:
            return self._as_mask(compare(condition.op, values.array, condition.value))
        found = self._as_mask(values.str.contains(condition.value, case=False, regex=False, na=False))
        return ~found if condition.op == "not_contains" else found

    def _as_mask(self, found: Any) -> Any:
        if hasattr(found, "to_numpy"):
            found = found.to_numpy(dtype=bool, na_value=False)
        return self._numpy.array(found, dtype=bool)

    def _each(self, condition: Condition, values: Any, nulls: Any) -> Any:
        test = test_of(condition, _text_maker())
        met = (not null and test(value) for value, null in zip(values, nulls, strict=True))
        return self._numpy.fromiter(met, dtype=bool, count=len(values))

    def _timestamp(self, text: str, zone: Any) -> Any:
        try:
            wanted = self._pandas.Timestamp(text)
        except (ValueError, TypeError) as error:
            raise Refusal(f"{text!r} is not a time: write it as 2026-01-31 or 2026-01-31T12:00:00.") from error
        if zone is None and wanted.tz is not None:
            raise Refusal(f"{text!r} has a time zone, and the times of this column have none.")
        return wanted.tz_localize(zone) if zone is not None and wanted.tz is None else wanted

    def sample(self, column: int, most: int) -> list[Any]:
        values = self._values(column)
        values = values[:: _step(self.total, most)] if column < self.index else values.iloc[:: _step(self.total, most)]
        filled = list(values)
        for at in compress(range(len(filled)), values.isna()):
            filled[at] = None
        return filled


def _step(total: int, most: int) -> int:
    return max(1, -(-total // most))


def _name(label: Any) -> str:
    if label is None:
        return ""
    parts = label if isinstance(label, tuple) else (label,)
    try:
        return shortened(" / ".join(map(str, parts)), NAME_CHARS_MAX)
    except Exception:  # noqa: BLE001 - any object can be a label
        return f"<{type(label).__name__}>"


def _cells(values: Any, maker: CellMaker) -> list[Cell]:
    dtype = values.dtype
    nulls = values.isna()
    width = getattr(dtype, "itemsize", 8)
    if getattr(dtype, "kind", "O") == "f" and width < 8:
        pairs = zip(values, nulls, strict=True)
        return [None if null else float_cell(short_float(float(value), width)) for value, null in pairs]
    return maker.column(values.tolist(), nulls)


def _text_maker() -> Any:
    maker = CellMaker()

    def text_of(value: Any) -> str:
        return value if type(value) is str else str(maker.cell(value))

    return text_of
