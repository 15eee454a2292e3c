"""Copies every notebook of one store, with its blobs, into another; what was copied is read back and compared.

Blobs first, then the log record by record as the bytes it is made of, then the header: a notebook is listed in the
target only when all of it is there. Nothing is overwritten, and the source is only read. A run that was cut off is
continued by the next one: what is there and equal stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from quire.blobs.protocol import BlobError, BlobMissing, BlobStore
from quire.maintenance.comparing import Difference, compare_blobs, compare_headers, compare_logs
from quire.maintenance.parallel import in_parallel
from quire.notebook.ids import log_id_of
from quire.storage.append import append_until_definite
from quire.storage.protocol import Header, HeaderExists, NotebookStore, OlderLayout, Record, StorageError

NOTEBOOKS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where notebooks are kept."""

    store: NotebookStore
    blobs: BlobStore


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one notebook. `records`, `bytes` and `blobs` count what was written now."""

    user_id: str
    notebook_id: str
    state: Literal["complete", "skipped"]
    reason: str = ""
    records: int = 0
    bytes: int = 0
    blobs: int = 0


@dataclass(slots=True)
class Summary:
    """What a run did."""

    complete: int = 0
    records: int = 0
    bytes: int = 0
    blobs: int = 0
    skipped: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        if outcome.state == "skipped":
            self.skipped.append(outcome)
        else:
            self.complete += 1
        self.records += outcome.records
        self.bytes += outcome.bytes
        self.blobs += outcome.blobs


class _Skipped(Exception):
    """This notebook cannot be copied; the message says why, and the way out."""


async def migrate(
    source: Place,
    target: Place,
    *,
    write: bool = True,
    told: Callable[[Outcome], None] = lambda _: None,
    at_once: int = NOTEBOOKS_AT_ONCE,
) -> Summary:
    """Copy all notebooks, also those in the trash.

    A notebook that cannot be copied, or differs, is in the summary's `skipped`; the others are copied all the same.

    Args:
        source: is only read. Its servers may go on meanwhile; the last run is for when they have stopped.
        target: another place.
        write: False: only compare.
        told: called after each notebook.
        at_once: how many notebooks are copied at the same time.

    Raises:
        StorageError: the source's headers cannot be listed.
    """
    summary = Summary()

    async def one(header: Header) -> None:
        copy = _Copy(source, target, header)
        try:
            outcome = await copy.run(write=write)
        except (_Skipped, Difference, StorageError, BlobError) as error:
            outcome = replace(copy.outcome, state="skipped", reason=str(error))
        summary.add(outcome)
        told(outcome)

    await in_parallel(source.store.scan_headers(), one, at_once)
    return summary


class _Copy:
    """One notebook on its way."""

    def __init__(self, source: Place, target: Place, header: Header) -> None:
        self._source = source
        self._target = target
        self._header = header
        self._log_id = log_id_of(header.user_id, header.notebook_id)
        self.outcome = Outcome(header.user_id, header.notebook_id, "complete")

    async def run(self, *, write: bool) -> Outcome:
        head = await self._head()
        if write:
            if head:
                await self._copy_blobs()
                await self._copy_log(head)
            await self._copy_header()
        await compare_logs(self._source.store, self._target.store, self._log_id, up_to=head)
        await compare_blobs(self._source.blobs, self._target.blobs, self._log_id)
        compare_headers(self._header, await self._target.store.get_header(*self._key))
        return self.outcome

    @property
    def _key(self) -> tuple[str, str]:
        return self._header.user_id, self._header.notebook_id

    async def _head(self) -> int:
        """The newest revision in the source; 0: a tombstone without a log. What comes later is for the next run.

        Taken before blobs are listed: all that a commit names is stored before it (W6).
        """
        newest = await self._source.store.read_newest(self._log_id, 1)
        if newest.records:
            return newest.records[-1].revision
        if self._header.deleted_at:
            return 0
        raise _Skipped(
            "it has a header but no log: it may be in an older layout. Open it once with a server on the source, then "
            "run this again"
        )

    async def _copy_blobs(self) -> None:
        there = {blob.sha256 async for blob in self._target.blobs.list(self._log_id)}
        async for blob in self._source.blobs.list(self._log_id):
            if blob.sha256 in there:
                continue
            try:
                data = await self._source.blobs.get(self._log_id, blob.sha256)
            except BlobMissing:
                continue  # Damaged, or taken by gc meanwhile: the comparison tells which.
            await self._target.blobs.put(self._log_id, data)
            self._count(bytes_=len(data), blobs=1)

    async def _copy_log(self, head: int) -> None:
        newest = await self._target.store.read_newest(self._log_id, 1)
        done = 0
        if newest.records:
            last = newest.records[-1]
            done = last.revision
            ours = await self._source.store.read_one(self._log_id, done)
            if ours is None or ours.commit_id != last.commit_id:
                raise Difference(
                    f"the target has a log of its own for it, up to revision {done}: move one of them away first"
                )
        while done < head:
            page = await self._source.store.read_after(self._log_id, done)
            for record in page.records:
                if done == 0 and record.revision != 1:
                    await self._begin(record)
                result = await append_until_definite(self._target.store, self._log_id, record)
                if not result.accepted:
                    raise Difference(f"somebody else writes it in the target, at revision {record.revision}")
                done = record.revision
                self._count(records=1, bytes_=len(record.body) + len(record.checkpoint or b""))
            if not page.records:
                raise Difference(f"the source's log ends at revision {done}, before its head {head}")

    async def _begin(self, record: Record) -> None:
        """The first record of a log that was in an older layout of DynamoDB, and goes on from its revision."""
        store = self._target.store
        if not isinstance(store, OlderLayout) or store.engine != self._source.store.engine:
            raise _Skipped(
                f"its log begins at revision {record.revision}, since it was in an older layout: it can only be copied "
                f"to another {self._source.store.engine} store"
            )
        await store.begin_log(self._log_id, record)

    async def _copy_header(self) -> None:
        header, store = self._header, self._target.store
        try:
            await store.create_header(header)
        except HeaderExists as exists:
            there = exists.stored
        else:
            return
        if there.revision < header.revision:
            await store.refresh_header(
                *self._key, name=header.name, revision=header.revision, updated_at=header.updated_at
            )
        if (there.deleted_at, there.ttl) != (header.deleted_at, header.ttl):
            await store.trash_header(*self._key, deleted_at=header.deleted_at, ttl=header.ttl)
        if there.db_conn_string != header.db_conn_string:
            await store.set_connection(*self._key, db_conn_string=header.db_conn_string)

    def _count(self, *, records: int = 0, bytes_: int = 0, blobs: int = 0) -> None:
        now = self.outcome
        self.outcome = replace(now, records=now.records + records, bytes=now.bytes + bytes_, blobs=now.blobs + blobs)
