"""Changes: the typed facts a log is made of, and the commit that carries them.

A published change's meaning never alters (E1): what a newer version needs gets a new kind and a higher
`min_reader`. `author`, `at` and the idempotency key belong to each change, since one commit may fold the
requests of several clients (W4).
"""

from typing import Literal

from quire.notebook.model import Cell, CellConfig, CellError, CellType, Data, Output, Settings, Value


class Idempotency(Value, frozen=True):
    """The request behind a change (I1)."""

    key: str
    request_hash: str
    result: str = "{}"


class ChangeBase(Value, frozen=True, kw_only=True, tag_field="kind"):
    """What every change says."""

    author: str
    """A user id, or `system` for what the server did by itself."""
    at: int
    idempotency: Idempotency | None = None


class NotebookCreated(ChangeBase, frozen=True, kw_only=True, tag="notebook_created"):
    """The first change of every log: the owner is in it (H2)."""

    notebook_id: str
    user_id: str
    name: str
    cells: tuple[Cell, ...] = ()
    settings: Settings = Settings()


class NotebookRenamed(ChangeBase, frozen=True, kw_only=True, tag="notebook_renamed"):
    name: str


class NotebookConfigured(ChangeBase, frozen=True, kw_only=True, tag="notebook_configured"):
    settings: Settings


class NotebookDeleted(ChangeBase, frozen=True, kw_only=True, tag="notebook_deleted"):
    """To the trash. A fence: other writers stop here (W9, H3)."""


class NotebookUndeleted(ChangeBase, frozen=True, kw_only=True, tag="notebook_undeleted"):
    """Back from the trash."""


class NotebookPurging(ChangeBase, frozen=True, kw_only=True, tag="notebook_purging"):
    """The last change of a log, before gc erases it (W9)."""


class NotebookRestored(ChangeBase, frozen=True, kw_only=True, tag="notebook_restored"):
    """The content becomes that of an earlier revision; nothing is rewritten."""

    from_revision: int
    name: str
    settings: Settings
    cells: tuple[Cell, ...]


class CellInserted(ChangeBase, frozen=True, kw_only=True, tag="cell_inserted"):
    cell_id: str
    type: CellType
    code: str
    after_cell_id: str | None
    """None: first."""
    config: CellConfig = CellConfig()


class CellEdited(ChangeBase, frozen=True, kw_only=True, tag="cell_edited"):
    cell_id: str
    code: str
    type: CellType


class CellMoved(ChangeBase, frozen=True, kw_only=True, tag="cell_moved"):
    cell_id: str
    after_cell_id: str | None


class CellDeleted(ChangeBase, frozen=True, kw_only=True, tag="cell_deleted"):
    cell_id: str


class CellConfigured(ChangeBase, frozen=True, kw_only=True, tag="cell_configured"):
    cell_id: str
    config: CellConfig


class CellsMarked(ChangeBase, frozen=True, kw_only=True, tag="cells_marked"):
    """What an edit or a run means for other cells: outdated, blocked, unblocked, cut off."""

    cell_ids: tuple[str, ...]
    status: Literal["idle", "stale", "blocked", "error", "queued", "running"]
    error: CellError | None = None


class CellRan(ChangeBase, frozen=True, kw_only=True, tag="cell_ran"):
    """A result, or with `status` running a part of one (R2)."""

    cell_id: str
    run_id: str
    epoch: int
    code_hash: str
    base_revision: int
    """The revision that the run was planned on: what became stale later stays stale."""
    status: Literal["running", "success", "error"]
    started_at: int = 0
    duration_ms: int = 0
    stdout: Data = ""
    stderr: Data = ""
    outputs: tuple[Output, ...] = ()
    error: CellError | None = None


class KernelOwned(ChangeBase, frozen=True, kw_only=True, tag="kernel_owned"):
    """A kernel starts only after this commit; a lower epoch's kernel stops (R1)."""

    epoch: int
    instance: str


Change = (
    NotebookCreated
    | NotebookRenamed
    | NotebookConfigured
    | NotebookDeleted
    | NotebookUndeleted
    | NotebookPurging
    | NotebookRestored
    | CellInserted
    | CellEdited
    | CellMoved
    | CellDeleted
    | CellConfigured
    | CellsMarked
    | CellRan
    | KernelOwned
)


class Commit(Value, frozen=True):
    """Changes that become true together, at one position of the log."""

    revision: int
    commit_id: str
    changes: tuple[Change, ...]


def kind_of(change: Change) -> str:
    """The tag under which a change is stored, such as `cell_edited`."""
    tag = type(change).__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def touched_cells(change: Change) -> tuple[str, ...]:
    """The cells that a change names, in its own order."""
    match change:
        case CellsMarked():
            return change.cell_ids
        case NotebookCreated() | NotebookRestored():
            return tuple(cell.cell_id for cell in change.cells)
        case CellInserted() | CellEdited() | CellMoved() | CellDeleted() | CellConfigured() | CellRan():
            return (change.cell_id,)
        case _:
            return ()
