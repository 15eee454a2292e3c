"""The notebook's state: immutable values, as they stand after some commit.

All times are integers: milliseconds since the Unix epoch, UTC. There are no floats, so NaN cannot occur (E2).
"""

import hashlib
from typing import Literal

import msgspec

CellType = Literal["python", "sql", "markdown"]
CellStatus = Literal["idle", "queued", "running", "success", "error", "blocked", "stale"]
RunMode = Literal["automatic", "lazy"]

CODE_BYTES_MAX = 256 * 1024
"""Longest code of one cell, in bytes of UTF-8: an edit must fit one item with room to spare (W7)."""
NAME_BYTES_MAX = 1024
CELLS_MAX = 10_000
IDEMPOTENCY_ENTRIES_MAX = 512
IDEMPOTENCY_AGE_MS_MAX = 24 * 3600 * 1000


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything that is stored: immutable, and unknown fields are an error, not a loss (E1)."""


class BlobRef(Value, frozen=True):
    """Names data in the blob store, under the notebook's own `log_id` (W6)."""

    sha256: str
    size: int
    """Bytes as stored."""


Data = str | BlobRef
"""Text, inline or as a blob (UTF-8). Of a binary MIME type: base64 inline, the raw bytes as a blob."""


class Output(Value, frozen=True):
    """One thing a cell showed, in the richest MIME type that it offered."""

    mime_type: str
    data: Data
    metadata: str = "{}"
    """A JSON object, kept as text (E2)."""
    display_id: str = ""


class CellError(Value, frozen=True):
    """Why a cell has no fresh result, in words for its author."""

    name: str
    """The exception's class, or one of our own: MultipleDefinitions, Cycle, Blocked, KernelDied, Interrupted, ..."""
    message: str = ""
    traceback: tuple[str, ...] = ()
    """Lines without frames of our own; may hold ANSI colours."""
    line: int = 0
    """Line in the cell, from 1; 0: unknown."""
    caused_by: str = ""
    """The cell to look at, where that is another one."""


class Result(Value, frozen=True):
    """What the latest run of a cell left behind."""

    run_id: str
    epoch: int
    code_hash: str
    revision: int
    """The commit that holds this result."""
    started_at: int = 0
    duration_ms: int = 0
    stdout: Data = ""
    stderr: Data = ""
    outputs: tuple[Output, ...] = ()


class CellConfig(Value, frozen=True):
    """A cell's settings: not code, so they never conflict with an edit (W5)."""

    disabled: bool = False
    code_hidden: bool = False
    output_hidden: bool = False
    result_name: str = ""
    """SQL: the name that its result gets; empty: the default."""
    connection: str = ""
    """SQL: which connection; empty: the notebook's default."""


class Cell(Value, frozen=True):
    """One cell as of a revision."""

    cell_id: str
    type: CellType
    code: str
    code_revision: int
    """The commit that last changed this cell's code, type or existence (W5)."""
    status: CellStatus = "idle"
    stale_since: int = 0
    """The commit that last made this cell's result outdated."""
    error: CellError | None = None
    result: Result | None = None
    config: CellConfig = CellConfig()


class Settings(Value, frozen=True):
    """A notebook's own settings."""

    run_mode: RunMode = "automatic"


class IdempotencyEntry(Value, frozen=True):
    """A request that has been carried out: asked again, it gets the same answer (I1)."""

    request_hash: str
    result: str
    """The answer as JSON text, without the revision."""
    revision: int
    at: int


class Notebook(Value, frozen=True):
    """The fold of commits 1 to `revision` (C4). `cells` is in page order."""

    notebook_id: str
    user_id: str
    name: str
    revision: int
    created_at: int
    updated_at: int
    cells: dict[str, Cell] = {}
    settings: Settings = Settings()
    deleted_at: int = 0
    """0: not in the trash."""
    purging: bool = False
    epoch: int = 0
    owner: str = ""
    """The instance whose kernel runs this notebook, since `epoch` (R1)."""
    idempotency: dict[str, IdempotencyEntry] = {}


def code_hash_of(cell_type: CellType, code: str) -> str:
    """Names what ran: a result belongs to the code with this hash and to no other (R2)."""
    return hashlib.blake2b(f"{cell_type}\n{code}".encode(), digest_size=12).hexdigest()
