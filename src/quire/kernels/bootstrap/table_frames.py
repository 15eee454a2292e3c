"""What can be shown as a table, whichever library made it."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypedDict

from .table_cells import Cell

Kind = Literal["integer", "number", "boolean", "text", "time", "duration", "category", "other"]
"""How a page draws and compares the values of a column."""

COLUMNS_MAX = 200
"""How many columns of a table are sent, the index among them."""
NAME_CHARS_MAX = 1000
COPIED_CELLS_MAX = 50_000
"""Frames of up to so many values are copied: a few rows that were taken from a large frame hold on to all of it."""


class Column(NamedTuple):
    name: str
    type: str
    """In the words of the library."""
    kind: Kind


class Sort(NamedTuple):
    column: int
    descending: bool


class Filter(TypedDict):
    """As it is asked for."""

    column: int
    op: str
    value: Any


class Condition(NamedTuple):
    """A filter whose column and operator exist, with the value in the type of the column."""

    column: int
    op: str
    value: Any


Rows = Any
"""Row numbers: a `slice`, or a sequence in the library's own form that can be sliced and counted."""


class Frame(Protocol):
    """A table. `columns` are those that can be sent: first the index, `index` of them."""

    index: int
    total: int
    total_columns: int
    columns: Sequence[Column]

    def page(self, rows: Rows) -> list[list[Cell]]:
        """Cells, column by column."""
        ...

    def order(self, conditions: Sequence[Condition], sort: Sequence[Sort]) -> Rows:
        """The numbers of the rows that meet all conditions, stably sorted, nulls last.

        Raises:
            Refusal: the library cannot do that with these values.
        """
        ...

    def sample(self, column: int, most: int) -> list[Any]:
        """At most so many values, evenly spread over the rows; nulls as None."""
        ...
