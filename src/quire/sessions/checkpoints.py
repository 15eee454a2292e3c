"""When a checkpoint is due (C1), and how it is built: in the record, or beside the log (C5)."""

import asyncio

from quire.blobs.protocol import BlobStore
from quire.notebook import codec
from quire.notebook.model import BlobRef, Notebook
from quire.sessions.loading import Loaded
from quire.sessions.packing import THREAD_BYTES_MIN, pack_lines
from quire.storage.protocol import Record

COMMITS_MIN = 64
TAIL_BYTES_MAX = 1024 * 1024
INLINE_PACKED_MAX = 280 * 1024
"""Largest checkpoint in a record, compressed: with a body of 64 KB it stays below the item's 350 KB (W7)."""
INLINE_RAW_MAX = 2 * 1024 * 1024


class CheckpointPolicy:
    """Counts what was appended since the newest checkpoint."""

    def __init__(self, newest: int, checkpoint_bytes: int, tail_commits: int, tail_bytes: int) -> None:
        self.newest = newest
        """Revision of the record that carries the newest checkpoint."""
        self._checkpoint_bytes = checkpoint_bytes
        self._tail_commits = tail_commits
        self._tail_bytes = tail_bytes

    @classmethod
    def of(cls, loaded: Loaded) -> "CheckpointPolicy":
        return cls(loaded.checkpoint_revision, loaded.checkpoint_bytes, loaded.tail_commits, loaded.tail_bytes)

    def stored(self, record: Record) -> None:
        """Count a record that is in the log."""
        if record.checkpoint is not None:
            self.newest = record.revision
            self._checkpoint_bytes = codec.checkpoint_size(record.checkpoint)
            self._tail_commits = self._tail_bytes = 0
        else:
            self._tail_commits += 1
            self._tail_bytes += len(record.body)

    def due(self) -> bool:
        """After 64 commits and as many bytes as the last one has, or when the tail reaches 1 MB (C1)."""
        enough = self._tail_commits + 1 >= COMMITS_MIN and self._tail_bytes >= self._checkpoint_bytes
        return enough or self._tail_bytes >= TAIL_BYTES_MAX


async def build_checkpoint(
    blobs: BlobStore, log_id: str, state: Notebook, *, previous: int, only_inline: bool = False
) -> bytes | None:
    """The checkpoint of `state` as a record carries it: whole, or the name of a blob that was put just now.

    With `only_inline`: None instead of a blob.
    """
    inline = await _inline(state, previous)
    if inline is not None or only_inline:
        return inline
    head = await stored_blob(blobs, log_id, state, previous=previous)
    assert head.blob is not None
    return codec.encode_checkpoint_ref(head.blob, revision=head.revision, previous=previous)


async def _inline(state: Notebook, previous: int) -> bytes | None:
    size = estimated_size(state)
    if size > INLINE_RAW_MAX:
        return None
    if size < THREAD_BYTES_MIN:
        return codec.encode_checkpoint(state, previous=previous)
    packed = await asyncio.to_thread(pack_lines, state, previous=previous)
    if len(packed) > INLINE_PACKED_MAX:
        return None
    return await asyncio.to_thread(codec.encode_checkpoint, state, previous=previous)


def estimated_size(state: Notebook) -> int:
    """Bytes of `state` as JSON, to within a small factor, without encoding it."""
    size = 200 * (1 + len(state.cells)) + 150 * len(state.idempotency)
    for cell in state.cells.values():
        size += len(cell.code)
        if cell.result is not None:
            size += sum(_inline_size(output.data) for output in cell.result.outputs)
            size += _inline_size(cell.result.stdout) + _inline_size(cell.result.stderr)
    return size


def _inline_size(data: str | BlobRef) -> int:
    return len(data) if isinstance(data, str) else 120


async def stored_blob(blobs: BlobStore, log_id: str, state: Notebook, *, previous: int) -> codec.CheckpointHead:
    """Put `state` into the blob store, encoded cell by cell in a thread, and name it (C5)."""
    packed = await asyncio.to_thread(pack_lines, state, previous=previous)
    sha256 = await blobs.put(log_id, packed)
    blob = BlobRef(sha256, len(packed))
    return codec.CheckpointHead(
        format=codec.FORMAT, min_reader=codec.MIN_READER, previous=previous, blob=blob, revision=state.revision
    )
