"""What a client may ask about the tables that cells have shown (docs/outputs.md)."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from quire.api import schemas
from quire.sessions.session import Session

SECONDS_MAX = 10.0
"""Ten million rows are sorted in about three."""
_ENTRIES_MAX = 50
_VALUE_CHARS_MAX = 1000

Table = Annotated[str, Field(max_length=64)]
Column = Annotated[int, Field(ge=0, lt=200)]
Value = Annotated[str, Field(max_length=_VALUE_CHARS_MAX)] | bool | int | float | None


class Sort(schemas.Body):
    column: Column
    descending: bool = False


class Filter(schemas.Body):
    column: Column
    op: Literal["contains", "not_contains", "eq", "ne", "lt", "le", "gt", "ge", "null", "not_null"]
    value: Value = None


class PageAsked(schemas.Body):
    table: Table
    offset: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    sort: Annotated[list[Sort], Field(default_factory=list, max_length=_ENTRIES_MAX)]
    filters: Annotated[list[Filter], Field(default_factory=list, max_length=_ENTRIES_MAX)]


class ColumnAsked(schemas.Body):
    table: Table
    column: Column


async def answer(session: Session, asked: PageAsked | ColumnAsked) -> dict[str, Any]:
    """What the kernel says. Raises NotAnswered."""
    model = PageAsked if isinstance(asked, PageAsked) else ColumnAsked
    kind = "table_page" if model is PageAsked else "table_column"
    arguments = asked.model_dump(include=set(model.model_fields))
    found: dict[str, Any] = json.loads(await session.ask_kernel(kind, arguments, seconds_max=SECONDS_MAX))
    return found
