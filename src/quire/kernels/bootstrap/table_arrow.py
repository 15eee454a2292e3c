"""Tables of pyarrow, which a cell has imported."""

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from .questions import Refusal
from .short_repr import shortened
from .table_cells import Cell, CellMaker, float_cell, short_float
from .table_filters import negative, test_of
from .table_frames import COLUMNS_MAX, NAME_CHARS_MAX, Column, Condition, Kind, Rows, Sort

_FLOATS = {"halffloat": 2, "float": 4}


class ArrowFrame:
    """A Table. It has no index."""

    index = 0

    def __init__(self, value: Any) -> None:
        self._arrow: Any = sys.modules["pyarrow"]
        self.total = int(value.num_rows)
        self.total_columns = int(value.num_columns)
        # By number: names need not be unique.
        self._values: list[Any] = [value.column(number) for number in range(min(value.num_columns, COLUMNS_MAX))]
        self.columns: Sequence[Column] = [
            Column(shortened(str(name), NAME_CHARS_MAX), shortened(str(values.type), 100), self._kind(values.type))
            for name, values in zip(value.column_names[:COLUMNS_MAX], self._values, strict=True)
        ]

    def page(self, rows: Rows) -> list[list[Cell]]:
        if isinstance(rows, slice):
            part = [values.slice(rows.start, rows.stop - rows.start) for values in self._values]
        else:
            part = [values.take(rows) for values in self._values]
        maker = CellMaker()
        return [self._cells(values, maker) for values in part]

    def order(self, conditions: Sequence[Condition], sort: Sequence[Sort]) -> Rows:
        compute = importlib.import_module("pyarrow.compute")
        arrow = self._arrow
        rows = arrow.array(range(self.total), type=arrow.int64())
        for condition in conditions:
            rows = rows.filter(self._mask(condition, rows))
        if not sort:
            return rows
        keys = arrow.table([self._values[key.column].take(rows) for key in sort], [str(n) for n in range(len(sort))])
        directions = [(str(n), "descending" if key.descending else "ascending") for n, key in enumerate(sort)]
        try:
            return rows.take(compute.sort_indices(keys, sort_keys=directions, null_placement="at_end"))
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError, TypeError) as error:
            raise Refusal(f"The values have no order: {shortened(str(error), 200)}") from error

    def _mask(self, condition: Condition, rows: Any) -> Any:
        values = self._python(self._values[condition.column].take(rows))
        op = condition.op
        if op in {"null", "not_null"}:
            met = [(value is None) == (op == "null") for value in values]
        else:
            maker = CellMaker()
            test = test_of(condition, lambda value: str(maker.cell(value)))
            met = [negative(op) if value is None else test(value) for value in values]
        return self._arrow.array(met, type=self._arrow.bool_())

    def sample(self, column: int, most: int) -> list[Any]:
        step = max(1, -(-self.total // most))
        rows = self._arrow.array(range(0, self.total, step), type=self._arrow.int64())
        return self._python(self._values[column].take(rows))

    def _kind(self, dtype: Any) -> Kind:
        types = self._arrow.types
        tests: tuple[tuple[Any, Kind], ...] = (
            (types.is_boolean, "boolean"),
            (types.is_integer, "integer"),
            (types.is_floating, "number"),
            (types.is_decimal, "number"),
            (types.is_string, "text"),
            (types.is_large_string, "text"),
            (types.is_dictionary, "category"),
            (types.is_duration, "duration"),
            (types.is_temporal, "time"),
        )
        return next((kind for test, kind in tests if test(dtype)), "other")

    def _cells(self, values: Any, maker: CellMaker) -> list[Cell]:
        return [float_cell(value) if isinstance(value, float) else maker.cell(value) for value in self._python(values)]

    def _python(self, values: Any) -> list[Any]:
        """As Python objects, with NaN as null; as text where Python has no such type (times with nanoseconds)."""
        try:
            found = values.to_pylist()
        except (ValueError, TypeError):
            found = values.cast(self._arrow.string()).to_pylist()
        width = _FLOATS.get(str(values.type))
        if width is not None:
            found = [None if value is None else short_float(float(value), width) for value in found]
        return [None if isinstance(value, float) and value != value else value for value in found]  # noqa: PLR0124 - NaN
