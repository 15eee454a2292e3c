"""From records to a state: the newest checkpoint and the commits behind it (C1 to C4)."""

import asyncio
from dataclasses import dataclass

import structlog

from quire.blobs.protocol import BlobMissing, BlobStore
from quire.notebook import codec
from quire.notebook.changes import Commit
from quire.notebook.fold import FoldError, apply
from quire.notebook.model import Notebook
from quire.sessions import packing
from quire.storage.protocol import PAGE_RECORDS_MAX, NotebookStore, Record

log = structlog.get_logger(__name__)


class ContentLost(codec.CodecError):
    """A blob that the log names is missing or damaged, and the state cannot be told without it (W6)."""

    def __init__(self, revision: int, error: BlobMissing) -> None:
        way_out = f", or read an earlier revision (?revision={revision - 1})" if revision > 1 else ""
        super().__init__(
            f"Revision {revision} of this notebook cannot be read, so nothing can be added behind it: its content is "
            f"missing or damaged in the blob store ({error}). Put that blob back from a backup{way_out}."
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A state, and what the checkpoint policy must know of the log behind it."""

    state: Notebook
    checkpoint_revision: int
    checkpoint_bytes: int
    tail_commits: int
    tail_bytes: int


class _Records:
    """The part of a log that has been read, which grows backwards as it is needed."""

    def __init__(self, store: NotebookStore, log_id: str, records: tuple[Record, ...]) -> None:
        self._store = store
        self._log_id = log_id
        self._by_revision = {record.revision: record for record in records}
        self.first = records[0].revision
        self.last = records[-1].revision

    async def reach(self, revision: int) -> None:
        """Read what is missing from `revision` on."""
        after, wanted = revision - 1, self.first
        while after < wanted - 1:
            page = await self._store.read_after(self._log_id, after)
            if not page.records:
                break
            for record in page.records:
                if record.revision < wanted:
                    self._by_revision[record.revision] = record
            after = page.records[-1].revision
        self.first = min(self.first, revision)

    def get(self, revision: int) -> Record:
        """The record at `revision`. Raises FoldError where the log has a gap (C3)."""
        record = self._by_revision.get(revision)
        if record is None:
            log.error("log_gap", log_id=self._log_id, revision=revision)
            raise FoldError(f"the log {self._log_id} has no record at revision {revision}")
        return record


async def load(store: NotebookStore, blobs: BlobStore, log_id: str, *, revision: int | None = None) -> Loaded | None:
    """The state at the head, or at `revision`; None if the log is empty or does not reach that far.

    One page in the common case; where the checkpoint lies further back, the records between (C2).

    Raises:
        NewerFormat, CodecError, FoldError, StorageError, BlobError.
    """
    if revision is None:
        page = await store.read_newest(log_id)
    else:
        page = await store.read_after(log_id, max(0, revision - PAGE_RECORDS_MAX))
        while page.records and page.records[-1].revision < revision and page.more:
            page = await store.read_after(log_id, page.records[-1].revision)
    kept = tuple(record for record in page.records if revision is None or record.revision <= revision)
    if not kept or (revision is not None and kept[-1].revision != revision):
        return None
    records = _Records(store, log_id, kept)
    carrier = records.get(records.last).checkpoint_revision
    state, carrier, size = await _checkpoint(blobs, log_id, records, carrier)
    tail_bytes = 0
    await records.reach(state.revision + 1)
    for number in range(state.revision + 1, records.last + 1):
        record = records.get(number)
        tail_bytes += len(record.body)
        state = apply(state, await read_commit(blobs, log_id, record))
    return Loaded(
        state=state,
        checkpoint_revision=carrier,
        checkpoint_bytes=size,
        tail_commits=records.last - carrier,
        tail_bytes=tail_bytes,
    )


async def _checkpoint(blobs: BlobStore, log_id: str, records: _Records, carrier: int) -> tuple[Notebook, int, int]:
    """The newest checkpoint that can be read (C5), the revision that carries it, and its size in bytes."""
    while True:
        await records.reach(carrier)
        raw = records.get(carrier).checkpoint
        if raw is None:
            raise FoldError(f"revision {carrier} of {log_id} should carry a checkpoint")
        head = codec.decode_checkpoint_head(raw)
        if head.blob is None:
            return await packing.decode_lines(raw), carrier, len(raw)
        try:
            packed = await blobs.get(log_id, head.blob.sha256)
            return await packing.decode_packed(packed), carrier, head.blob.size
        except (BlobMissing, codec.CodecError) as error:
            if isinstance(error, codec.NewerFormat):
                raise
            if not head.previous:
                if isinstance(error, BlobMissing):
                    raise ContentLost(carrier, error) from error
                raise
            log.error("checkpoint_unreadable", log_id=log_id, revision=carrier, error=str(error))
            carrier = head.previous


async def read_commit(blobs: BlobStore, log_id: str, record: Record) -> Commit:
    """The commit that a record holds or names (W6).

    Raises:
        ContentLost: its blob is missing or damaged. CodecError: it is not the record's own.
    """
    body = codec.decode_body(record.body)
    if not isinstance(body, Commit):
        try:
            data = await blobs.get(log_id, body.sha256)
        except BlobMissing as error:
            log.error("commit_body_missing", log_id=log_id, revision=record.revision, error=str(error))
            raise ContentLost(record.revision, error) from error
        body = await asyncio.to_thread(codec.decode_body, data)
    if not isinstance(body, Commit) or body.revision != record.revision or body.commit_id != record.commit_id:
        raise codec.CodecError(f"the body at revision {record.revision} of {log_id} belongs to another record")
    return body


async def read_commits(store: NotebookStore, blobs: BlobStore, log_id: str, after: int, last: int) -> list[Commit]:
    """The commits `after + 1` to `last`, newest first."""
    commits: list[Commit] = []
    while after < last:
        page = await store.read_after(log_id, after)
        if not page.records:
            break
        commits += [await read_commit(blobs, log_id, record) for record in page.records if record.revision <= last]
        after = page.records[-1].revision
    return commits[::-1]
