"""The tables that cells have shown: pages of their rows are sent as long as the results stand."""

import json
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from .questions import Handler, Refusal
from .recorder import Event
from .table_arrow import ArrowFrame
from .table_cells import rows_of
from .table_filters import condition_of
from .table_frames import Filter, Frame, Rows, Sort
from .table_pandas import PandasFrame
from .table_polars import PolarsFrame
from .table_profile import profile_of

MIME_TYPE = "application/vnd.quire.table+json"
FIRST_ROWS = 50
PAGE_ROWS_MAX = 500
KEPT_PER_CELL = 20
"""Tables of one cell whose rows can be asked for; earlier ones show their first page alone."""
_ORDERS_KEPT = 4
"""Sorted or filtered orders that are remembered: one takes 4 bytes a row."""
_SAMPLE_ROWS = 100_000
_LIBRARIES: dict[tuple[str, str], Callable[[Any], Frame]] = {
    ("pandas", "DataFrame"): PandasFrame,
    ("pandas", "Series"): PandasFrame,
    ("polars", "DataFrame"): PolarsFrame,
    ("polars", "Series"): PolarsFrame,
    ("pyarrow", "Table"): ArrowFrame,
}
"""By package and class: what comes from a library is found without importing it."""


def frame_of(value: object) -> Frame | None:
    """`value` as a table, sharing its data; None if it is none."""
    for kind in type(value).__mro__:
        make = _LIBRARIES.get((kind.__module__.partition(".")[0], kind.__name__))
        if make is not None:
            return make(value)
    return None


class Tables:
    """Everything that was shown and can still be looked at.

    Args:
        running: the id of the cell that runs now; None between cells.
    """

    def __init__(self, running: Callable[[], str | None]) -> None:
        self._running = running
        self._frames: dict[str, Frame] = {}
        self._of_cell: dict[str, deque[str]] = {}
        self._orders: OrderedDict[tuple[str, str], Rows] = OrderedDict()

    def handlers(self) -> dict[str, Handler]:
        """Of the questions about tables."""
        return {"table_page": self.page, "table_column": self.column}

    def show(self, value: object) -> Event | None:
        """The content of the output that shows `value`, whose rows are kept from now on; None if it is no table."""
        frame = frame_of(value)
        if frame is None:
            return None
        table = secrets.token_hex(8)
        content = {
            "table": table,
            "columns": [column._asdict() for column in frame.columns],
            "index": frame.index,
            "rows": _page(frame, slice(0, FIRST_ROWS), min(FIRST_ROWS, frame.total)),
            "total": frame.total,
            "total_columns": frame.total_columns,
        }
        cell_id = self._running()
        if cell_id is not None:
            kept = self._of_cell.setdefault(cell_id, deque())
            kept.append(table)
            self._frames[table] = frame
            if len(kept) > KEPT_PER_CELL:
                self._drop(kept.popleft())
        return content

    def forget(self, cell_ids: Iterable[str]) -> None:
        """The results of these cells are going: so does what they showed."""
        for cell_id in cell_ids:
            for table in self._of_cell.pop(cell_id, ()):
                self._drop(table)

    def _drop(self, table: str) -> None:
        self._frames.pop(table, None)
        for key in [key for key in self._orders if key[0] == table]:
            del self._orders[key]

    def page(
        self,
        table: str,
        offset: int = 0,
        limit: int = FIRST_ROWS,
        sort: Iterable[Mapping[str, Any]] = (),
        filters: Iterable[Mapping[str, Any]] = (),
    ) -> Event:
        """Some rows: `{rows, total, offset}`, where `total` are those that pass the filters.

        Raises:
            Refusal: the table is gone, or there is no such column or operator, or a value does not fit.
        """
        frame = self._frame(table)
        if not 0 < limit <= PAGE_ROWS_MAX or offset < 0:
            raise Refusal(f"A page has 1 to {PAGE_ROWS_MAX} rows, and begins at row 0 or later.")
        if not sort and not filters:
            count = max(0, min(limit, frame.total - offset))
            return {
                "rows": _page(frame, slice(offset, offset + count), count),
                "total": frame.total,
                "offset": offset,
            }
        order = self._order(table, frame, list(sort), list(filters))
        rows = order[offset : offset + limit]
        return {"rows": _page(frame, rows, len(rows)), "total": len(order), "offset": offset}

    def column(self, table: str, column: int) -> Event:
        """What a column holds, by a sample of its rows. Raises Refusal."""
        frame = self._frame(table)
        _check_column(frame, column)
        values = frame.sample(column, _SAMPLE_ROWS)
        return profile_of(frame.columns[column].kind, values)

    def _frame(self, table: str) -> Frame:
        frame = self._frames.get(table)
        if frame is None:
            raise Refusal("The rows of this table are no longer in the kernel: run the cell again.")
        return frame

    def _order(self, table: str, frame: Frame, sort: list[Mapping[str, Any]], filters: list[Mapping[str, Any]]) -> Rows:
        key = (table, json.dumps([sort, filters], sort_keys=True))
        order = self._orders.get(key)
        if order is None:
            for entry in (*sort, *filters):
                _check_column(frame, entry.get("column"))
            conditions = [condition_of(cast("Filter", entry), list(frame.columns)) for entry in filters]
            keys = [Sort(entry["column"], bool(entry.get("descending"))) for entry in sort]
            order = frame.order(conditions, keys)
            self._orders[key] = order
            if len(self._orders) > _ORDERS_KEPT:
                self._orders.popitem(last=False)
        self._orders.move_to_end(key)
        return order


def _page(frame: Frame, rows: Rows, count: int) -> list[Any]:
    return rows_of(frame.page(rows), count)


def _check_column(frame: Frame, column: object) -> None:
    if not isinstance(column, int) or not 0 <= column < len(frame.columns):
        raise Refusal(f"There is no column {column!r}: this table shows {len(frame.columns)}, counted from 0.")
