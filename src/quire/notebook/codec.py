"""Bytes of commits and checkpoints (E1, E2): JSON by msgspec, versioned, strict about what it does not know.

Two versions stand in every record: `format`, the writer's, and `min_reader`, the lowest format a reader must know
to fold it without loss. A reader of a lower format raises `NewerFormat`, and the notebook becomes read-only.

A checkpoint is JSON lines: a head (the state without its cells), then one cell a line, so that a large one can be
encoded and decoded cell by cell without holding the interpreter lock for long (C5).
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from quire.notebook.changes import Commit
from quire.notebook.model import BlobRef, Cell, Notebook, Value

FORMAT = 1
"""The format that this version writes, and the newest that it reads."""

MIN_READER = 1
"""The lowest format that can fold what this version writes without loss."""

DEPTH_MAX = 100
"""Deepest JSON a client or kernel may send: msgspec decodes less depth than it encodes (E2)."""


class CodecError(Exception):
    """Bytes that are not a commit or checkpoint of a format we know."""


class NewerFormat(CodecError):
    """Bytes written by a newer version that this one would fold with a loss (E1)."""

    def __init__(self, min_reader: int) -> None:
        super().__init__(
            f"this notebook was written by a newer version of Quire (format {min_reader}; this one reads up to "
            f"{FORMAT}): it can be kept but not read here. Upgrade this server"
        )
        self.min_reader = min_reader


class _Versions(msgspec.Struct, frozen=True):
    """What every version of the format can read of every other."""

    format: int
    min_reader: int


class _Body(Value, frozen=True, kw_only=True):
    format: int
    min_reader: int
    commit: Commit | None = None
    blob: BlobRef | None = None
    """Instead of `commit`: a body too large for the log, in the blob store (W6)."""


class CheckpointHead(Value, frozen=True, kw_only=True):
    """First line of a checkpoint."""

    format: int
    min_reader: int
    previous: int
    """Revision of the record that carries the checkpoint before this one; 0: none (C1)."""
    state: Notebook | None = None
    """Without its cells, which follow one a line."""
    cells: int = 0
    """How many lines follow: a checkpoint that was cut short is an error, not a notebook with fewer cells (C1)."""
    blob: BlobRef | None = None
    """Instead of `state`: the checkpoint's lines are there, compressed by zstd (C5)."""
    revision: int = 0
    """Of the state in `blob`."""


_REF_BYTES_MAX = 1024

_encoder = msgspec.json.Encoder()
_versions = msgspec.json.Decoder(_Versions)
_body = msgspec.json.Decoder(_Body)
_head = msgspec.json.Decoder(CheckpointHead)
_cell = msgspec.json.Decoder(Cell)


def encode_commit(commit: Commit) -> bytes:
    """The body of a record.

    What was encoded is decoded once, so that nothing is written that could not be read (E2).

    Raises:
        CodecError: the commit holds what JSON cannot carry, a lone surrogate say.
    """
    return _checked(_Body(format=FORMAT, min_reader=MIN_READER, commit=commit))


def encode_blob_body(blob: BlobRef) -> bytes:
    """The body of a record whose commit lies in the blob store (W6)."""
    return _checked(_Body(format=FORMAT, min_reader=MIN_READER, blob=blob))


def _checked(body: _Body) -> bytes:
    try:
        data = _encoder.encode(body)
        _body.decode(data)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise CodecError(f"cannot be stored: {error}") from error
    return data


def decode_body(data: bytes) -> Commit | BlobRef:
    """What a record's body holds: the commit, or the name of the blob that does.

    Raises:
        NewerFormat, CodecError.
    """
    _refuse_newer(data)
    body = _decode(_body, data)
    if (body.commit is None) == (body.blob is None):
        raise CodecError("a commit body holds either a commit or a blob")
    return body.commit or body.blob  # type: ignore[return-value]  # one of them is there


def checkpoint_lines(state: Notebook, *, previous: int) -> Iterator[bytes]:
    """The checkpoint of `state`, line by line, each with its newline."""
    head = CheckpointHead(
        format=FORMAT,
        min_reader=MIN_READER,
        previous=previous,
        state=msgspec.structs.replace(state, cells={}),
        cells=len(state.cells),
    )
    yield _encoder.encode(head) + b"\n"
    for cell in state.cells.values():
        yield _encoder.encode(cell) + b"\n"


def encode_checkpoint(state: Notebook, *, previous: int) -> bytes:
    """The whole checkpoint at once: for small states."""
    return b"".join(checkpoint_lines(state, previous=previous))


def encode_checkpoint_ref(blob: BlobRef, *, revision: int, previous: int) -> bytes:
    """Names a checkpoint of the state as of `revision` that lies in the blob store (C5)."""
    head = CheckpointHead(format=FORMAT, min_reader=MIN_READER, previous=previous, blob=blob, revision=revision)
    return _encoder.encode(head) + b"\n"


def decode_checkpoint_head(data: bytes) -> CheckpointHead:
    """The head of a checkpoint: its first line; raises NewerFormat, CodecError."""
    line = data.split(b"\n", 1)[0]
    _refuse_newer(line)
    return _decode(_head, line)


def checkpoint_size(data: bytes) -> int:
    """Bytes of a checkpoint, those of its blob where it is one (C1)."""
    blob = decode_checkpoint_head(data).blob if len(data) < _REF_BYTES_MAX else None
    return blob.size if blob is not None else len(data)


def decode_checkpoint(lines: Iterable[bytes]) -> Notebook:
    """The state that a checkpoint's lines hold; raises NewerFormat, CodecError."""
    head: CheckpointHead | None = None
    cells: dict[str, Cell] = {}
    for line in lines:
        if head is None:
            head = decode_checkpoint_head(line)
        elif line:
            cell = _decode(_cell, line)
            cells[cell.cell_id] = cell
    if head is None or head.state is None:
        raise CodecError("a checkpoint without a state")
    if len(cells) != head.cells:
        raise CodecError(f"a checkpoint of {head.cells} cells that holds {len(cells)}")
    return msgspec.structs.replace(head.state, cells=cells)


def _refuse_newer(data: bytes) -> None:
    versions = _decode(_versions, data)
    if versions.min_reader > FORMAT:
        raise NewerFormat(versions.min_reader)


T = TypeVar("T")


def _decode(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CodecError(f"not a record of a format we know: {error}") from error
