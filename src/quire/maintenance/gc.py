"""Clean-up, beside running servers: the trash is emptied, and blobs that nothing names are removed.

A notebook leaves in two runs. The first commits `purging`, a fence behind which nobody writes; the second, a day later,
when no writer can hold the head before it any more, erases log, blobs and header, in this order (W9, H3). What a run
leaves unfinished the next one finds: a header in the trash without a log is what erasing leaves until its last step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from quire.blobs.protocol import BlobError, BlobInfo
from quire.maintenance.parallel import in_parallel
from quire.maintenance.references import named_blobs
from quire.notebook.codec import CodecError
from quire.notebook.fold import FoldError
from quire.notebook.ids import log_id_of
from quire.notebook.model import Notebook
from quire.sessions.consequences import SYSTEM
from quire.sessions.errors import NotSaved, Refused
from quire.sessions.intents import Intent, Origin
from quire.sessions.loading import load, read_commit
from quire.sessions.notebook_intents import PurgeNotebook, TrashIdle
from quire.sessions.provisioning import SHORT_FORMS, full_id
from quire.sessions.retention import TRASH_MS
from quire.sessions.session import Environment, Session
from quire.storage.protocol import Header, OlderLayout, StorageError

DAY_MS = 24 * 3600 * 1000
ERASE_AFTER_MS = DAY_MS
"""Between `purging` and erasing: writers prove their head at least every 10 minutes (W9)."""
BLOB_AGE_MS = DAY_MS
"""Younger blobs are left alone: the commit that names one may be on its way (B2)."""

NOTEBOOKS_AT_ONCE = 4

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run does. `now_ms`: the time that ages are counted to."""

    now_ms: int
    dry_run: bool = False
    trash_idle_days: int = 0
    """Notebooks without a commit for so many days go to the trash; 0: none does (H4)."""


@dataclass(slots=True)
class Report:
    """What a run did, or in a dry run would do."""

    notebooks: int = 0
    trashed: list[str] = field(default_factory=list)
    purging: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    older: int = 0
    """How many are in an older layout: nothing is done for them."""
    blobs: int = 0
    blob_bytes: int = 0
    left_alone: dict[str, str] = field(default_factory=dict)
    """Log id -> why nothing could be done for it."""


async def collect(environment: Environment, policy: Policy, told: Callable[[Report], None] = lambda _: None) -> Report:
    """Clean up the whole store, notebook by notebook; several runs at a time do no harm.

    One that fails is in `left_alone`, and the others are cleaned all the same.

    Args:
        environment: the store and its blobs; no kernel is started.
        policy: what to do.
        told: called after each notebook with the report so far.

    Raises:
        StorageError: the headers cannot be listed.
    """
    report = Report()

    async def one(header: Header) -> None:
        log_id = log_id_of(header.user_id, header.notebook_id)
        try:
            await _Cleaning(environment, policy, report, header).run()
        except (StorageError, BlobError, NotSaved, Refused, CodecError, FoldError) as error:
            log.warning("left_alone", log_id=log_id, reason=str(error))
            report.left_alone[log_id] = str(error)
        report.notebooks += 1
        told(report)

    await in_parallel(environment.store.scan_headers(), one, NOTEBOOKS_AT_ONCE)
    return report


class _Cleaning:
    """One notebook."""

    def __init__(self, environment: Environment, policy: Policy, report: Report, header: Header) -> None:
        self._environment = environment
        self._store = environment.store
        self._blobs = environment.blobs
        self._policy = policy
        self._report = report
        self._header = header
        self._log_id = log_id_of(header.user_id, header.notebook_id)

    async def run(self) -> None:
        now = self._policy.now_ms
        loaded = await load(self._store, self._blobs, self._log_id)
        if loaded is None:
            await self._without_log()
            return
        state = loaded.state
        if state.purging:
            if now - state.updated_at >= ERASE_AFTER_MS:
                await self._erase(state)
        elif state.deleted_at and now - state.deleted_at >= TRASH_MS:
            self._report.purging.append(self._log_id)
            await self._commit(PurgeNotebook(self._origin, now - TRASH_MS))
        else:
            if self._may_be_idle(state) and await self._is_idle(state):
                self._report.trashed.append(self._log_id)
                await self._commit(TrashIdle(self._origin, now - self._policy.trash_idle_days * DAY_MS))
            elif bool(state.deleted_at) != bool(self._header.deleted_at):
                await self._move_header(state.deleted_at)  # A crash came between fence and header (H3).
            await self._remove_unnamed_blobs()

    @property
    def _key(self) -> tuple[str, str]:
        return self._header.user_id, self._header.notebook_id

    @property
    def _origin(self) -> Origin:
        return Origin(SYSTEM, self._policy.now_ms)

    @property
    def _provisioned(self) -> bool:
        """The demo and the blank notebook: their tombstone stays, so that they are not made again (H3)."""
        header = self._header
        return header.notebook_id in {full_id(header.user_id, short) for short in SHORT_FORMS}

    # -- to the trash, and out of it

    async def _commit(self, intent: Intent) -> None:
        """Judged against the newest state, so that who was faster, with an undelete or an edit, wins."""
        if self._policy.dry_run:
            return
        session = await Session.open(self._environment, *self._key)
        try:
            await session.submit(intent)
            deleted_at = session.state.deleted_at
        finally:
            await session.close("Cleaned up.")
        await self._move_header(deleted_at)

    async def _move_header(self, deleted_at: int) -> None:
        if not self._policy.dry_run:
            await self._store.trash_header(*self._key, deleted_at=deleted_at)

    def _may_be_idle(self, state: Notebook) -> bool:
        days = self._policy.trash_idle_days
        return bool(days) and not state.deleted_at and not self._provisioned

    async def _is_idle(self, state: Notebook) -> bool:
        """By its newest commit: runs count as use, but not as changes of the notebook."""
        (record,) = (await self._store.read_newest(self._log_id, 1)).records
        commit = await read_commit(self._blobs, self._log_id, record)
        used_at = max(state.updated_at, *(change.at for change in commit.changes))
        return self._policy.now_ms - used_at >= self._policy.trash_idle_days * DAY_MS

    async def _erase(self, state: Notebook) -> None:
        self._report.erased.append(self._log_id)
        # Should a crash come behind the next line, the header tells the next run what is left.
        await self._move_header(state.deleted_at or state.updated_at)
        if not self._policy.dry_run:
            await self._store.delete_log(self._log_id)
        await self._erase_rest()

    async def _without_log(self) -> None:
        if not self._header.deleted_at:
            if isinstance(self._store, OlderLayout) and await self._store.read_older(*self._key) is not None:
                self._report.older += 1  # A server takes it over when it is opened.
                return
            raise _NoLog
        if not self._provisioned:
            self._report.erased.append(self._log_id)
        await self._erase_rest()

    async def _erase_rest(self) -> None:
        async for blob in self._blobs.list(self._log_id):
            await self._remove(blob, not_after=self._policy.now_ms)
        if not self._provisioned and not self._policy.dry_run:
            await self._store.delete_header(*self._key)

    # -- blobs

    async def _remove_unnamed_blobs(self) -> None:
        """Blobs first, then the log: what is named until the log is read is kept.

        One that is named later was put later: more than 12 h after it was last written, the put writes it again, and
        the age is checked again at the delete; less than 12 h after, its commit comes within minutes (W9), long before
        the blob is a day old (B2).
        """
        before = self._policy.now_ms - BLOB_AGE_MS
        old = [blob async for blob in self._blobs.list(self._log_id) if blob.modified_at <= before]
        if not old:
            return
        named = await named_blobs(self._store, self._blobs, self._log_id)
        for blob in old:
            if blob.sha256 not in named:
                await self._remove(blob, not_after=before)

    async def _remove(self, blob: BlobInfo, *, not_after: int) -> None:
        if self._policy.dry_run or await self._blobs.delete(self._log_id, blob.sha256, not_after=not_after):
            self._report.blobs += 1
            self._report.blob_bytes += blob.size


class _NoLog(StorageError):
    """A header without a log that is not in the trash."""

    def __init__(self) -> None:
        super().__init__("it has a header but no log")
