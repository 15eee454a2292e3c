"""The bodies of requests and answers, as OpenAPI describes them. Limits are checked here, before anything happens."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from quire.notebook.model import CODE_BYTES_MAX, NAME_BYTES_MAX, CellStatus, CellType, RunMode
from quire.sessions.scheduler import Scope, Wanted


def _storable(value: str) -> str:
    """Refuse lone surrogates: no store keeps them (E2)."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        message = "holds a lone surrogate at character {at}, which is not valid Unicode text"
        raise PydanticCustomError("lone_surrogate", message, {"at": error.start}) from error
    return value


def _bounded(limit: int, what: str, way_out: str) -> AfterValidator:
    def check(value: str) -> str:
        size = len(_storable(value).encode())
        if size > limit:
            message = "{what} is {size} bytes of UTF-8; the limit is {limit} bytes. {way_out}"
            context = {"what": what, "size": size, "limit": limit, "way_out": way_out}
            raise PydanticCustomError("too_large", message, context)
        return value

    return AfterValidator(check)


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "a name needs at least one character that is not a space", {})
    return value


Code = Annotated[str, _bounded(CODE_BYTES_MAX, "a cell's code", "Split the cell, or read the data from a file")]
Name = Annotated[str, _bounded(NAME_BYTES_MAX, "a name", "Shorten it"), AfterValidator(_not_blank)]
Id = Annotated[str, Field(max_length=512), AfterValidator(_storable)]
NewCellId = Annotated[str, Field(pattern="^[a-z0-9]{1,64}$")]
Revision = Annotated[int, Field(ge=0, le=2**53)]


class Body(BaseModel):
    """Unknown fields are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewNotebook(Body):
    name: Name = "Untitled"


class NewName(Body):
    name: Name


class NewSettings(Body):
    run_mode: RunMode


class NewConnection(Body):
    connection_string: Annotated[str, Field(max_length=8192), AfterValidator(_storable)]


class NewCell(Body):
    type: CellType
    code: Code = ""
    after_cell_id: Id | None = None
    cell_id: NewCellId | None = None

    @property
    def last(self) -> bool:
        """Without `after_cell_id` a cell is added at the end; null means first."""
        return "after_cell_id" not in self.model_fields_set


class NewCode(Body):
    code: Code
    type: CellType | None = None
    expected_revision: Revision | None = None


class NewPlace(Body):
    after_cell_id: Id | None


class NewCellConfig(Body):
    disabled: bool | None = None
    code_hidden: bool | None = None
    output_hidden: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing", "give at least one of disabled, code_hidden, output_hidden", {})
        return self


class NewRun(Body):
    """`scope` None: these cells; without cells, all that are stale."""

    cell_ids: Annotated[list[Id], Field(max_length=10_000)] | None = None
    scope: Scope | None = None

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        given = len(self.cell_ids or ())
        if self.scope in {"above", "below"} and given != 1:
            raise PydanticCustomError("anchor", "give one cell in cell_ids: the run begins or ends there", {})
        if self.scope in {"stale", "all"} and given:
            raise PydanticCustomError("anchor", "give no cell_ids with this scope", {})
        return self

    @property
    def wanted(self) -> Wanted:
        scope = self.scope or ("stale" if self.cell_ids is None else "cells")
        return Wanted(scope, tuple(self.cell_ids or ()))


class NewRestore(Body):
    revision: Annotated[int, Field(ge=1, le=2**53)]
    expected_revision: Revision | None = None


# -- answers: for OpenAPI; the views make them


class Changed(BaseModel):
    revision: int


class Created(Changed):
    notebook_id: str


class CellCreated(Changed):
    cell_id: str


class ListedNotebook(BaseModel):
    id: str
    name: str
    revision: int
    created_at: int
    updated_at: int
    deleted_at: int | None


class NotebookList(BaseModel):
    notebooks: list[ListedNotebook]
    next_cursor: str | None


class ShownOutput(BaseModel):
    mime_type: str
    data: str | None
    url: str | None
    metadata: dict[str, Any]
    display_id: str


class ShownCell(BaseModel):
    id: str
    type: CellType
    code: str
    code_revision: int
    status: CellStatus
    stdout: str
    stdout_url: str | None
    stderr: str
    stderr_url: str | None
    outputs: list[ShownOutput]
    error: dict[str, Any] | None
    reads: list[str]
    writes: list[str]
    stale_since: int
    run: dict[str, Any] | None
    config: dict[str, Any]


class ShownNotebook(BaseModel):
    id: str
    name: str
    revision: int
    has_connection: bool
    created_at: int
    updated_at: int
    deleted_at: int | None
    run_mode: RunMode
    kernel: Literal["none", "starting", "idle", "busy", "dead"]
    read_only: str | None
    cells: list[ShownCell]


class RunAccepted(BaseModel):
    run_id: str


class RanCell(BaseModel):
    id: str
    status: CellStatus


class RunDone(RunAccepted):
    revision: int
    cells: list[RanCell]


class ShownCommit(BaseModel):
    revision: int
    commit_id: str
    at: int
    authors: list[str]
    summary: str
    kinds: list[str]


class History(BaseModel):
    commits: list[ShownCommit]


class Me(BaseModel):
    user_id: str
    version: str
    store: str
