"""The writer of the SQLite engine: one thread, one connection, group commit.

What waits while a commit is being synced goes into the next one together. Each write in it is judged by itself, and
a refused one harms no other. Answers go to the event loop in one wake-up per commit.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import apsw
import structlog

from quire.storage.protocol import OutcomeUnknown, StorageError, StoreUnavailable
from quire.storage.sqlite_connection import BUSY_SECONDS_MAX, FileIdentity, connect, drop, explain, when_free

BATCH_WRITES_MAX = 512
BATCH_BYTES_MAX = 4 * 1024 * 1024
"""What one transaction takes at most, so that nobody waits long behind the large writes of others."""

_CHECKPOINT_PAGES = 1000
"""4 MB: from here on the write-ahead log is copied into the database after each commit, as far as readers let it."""

_RESTART_PAGES = 4 * _CHECKPOINT_PAGES
"""From here on other processes' writers are made to wait for that: else they could let the log grow for ever."""

T = TypeVar("T")
Write = Callable[[apsw.Connection], T]
"""Judges and writes, inside of a transaction; raises StorageError, having written nothing, to refuse. May run twice."""

_log = structlog.get_logger(__name__)


class _Job:
    """One write, and who waits for it."""

    def __init__(self, write: Write[Any], size: int) -> None:
        self.size = size
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self._write = write
        self._value: Any = None
        self.error: BaseException | None = None

    def judge(self, connection: apsw.Connection) -> None:
        """Write, or note the refusal. What SQLite raises goes through: it ends the transaction for all."""
        self._value, self.error = None, None
        try:
            self._value = self._write(connection)
        except StorageError as refusal:
            self.error = refusal

    def deliver(self) -> None:
        """Answer, on the event loop. Who was cancelled has gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self._value)


class SqliteWriter:
    """Owns the writing connection. Everything but `submit` and `close` happens in its thread."""

    def __init__(
        self,
        connection: apsw.Connection,
        identity: FileIdentity,
        *,
        vfs: str | None = None,
        busy_seconds: float = BUSY_SECONDS_MAX,
    ) -> None:
        self._identity = identity
        self._vfs = vfs
        self._busy_seconds = busy_seconds
        self._wal_pages = 0
        self._doubtful = False
        self._connection: apsw.Connection | None = None
        self._adopt(connection)
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()  # None: the end
        self._ended = False
        self._closing = False
        self._submitting = threading.Lock()
        # A daemon: a store that nobody closed must not keep the process from ending; what was acknowledged is synced.
        self._thread = threading.Thread(target=self._run, name="quire-sqlite-writer", daemon=True)
        self._thread.start()

    async def submit(self, write: Write[T], *, size: int = 0) -> T:
        """Run `write`, which writes about `size` bytes, in a transaction; return its result once that is durable.

        Raises:
            StoreUnavailable: nothing was written. OutcomeUnknown: the disk failed at the commit (W2).
            And the refusal that `write` raised.
        """
        job = _Job(write, size)
        with self._submitting:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            self._queue.put(job)
        result: T = await job.future
        return result

    async def close(self, end_reading: Callable[[], None]) -> None:
        """Finish what waits, call `end_reading` in the thread, empty the write-ahead log, and end the thread."""
        with self._submitting:
            if self._closing:
                return
            self._closing = True
        ended = _Job(lambda _: None, 0)
        self._end = (ended, end_reading)
        self._queue.put(None)
        await ended.future
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            job = self._queue.get()
            if job is None:
                break
            self._serve(job, alone=False)
        self._finish()

    def _serve(self, first: _Job, *, alone: bool) -> None:
        """Commit `first`, and unless `alone` what waits behind it, in one transaction; answer."""
        try:
            connection = self._begin()
        except Exception as error:  # noqa: BLE001 - as below; nothing was written yet
            self._discard()
            batch = [first] if alone else self._gather(first)
            self._fail(batch, StoreUnavailable, error)
            return
        # Gathered only now: what arrived while we waited for another process goes along.
        batch = [first] if alone else self._gather(first)
        try:
            for job in batch:
                job.judge(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must reach who waits, and the thread must live
            self._discard()
            self._serve_after_failure(batch, error)
            return
        if self._commit(connection, batch):
            _answer(batch)
            self._checkpoint_if_grown(connection)

    def _serve_after_failure(self, batch: list[_Job], error: Exception) -> None:
        """The transaction failed before its commit and nothing of it was written: find out whose fault it was."""
        if len(batch) > 1:
            for job in batch:
                self._serve(job, alone=True)
        elif isinstance(error, apsw.Error):
            self._fail(batch, StoreUnavailable, error)
        else:
            batch[0].error = error
            _answer(batch)

    def _begin(self) -> apsw.Connection:
        self._identity.check()
        connection = self._connection
        if connection is None:
            connection = connect(self._identity.path, vfs=self._vfs)
            self._adopt(connection)
        if self._doubtful:
            self._settle(connection)
        when_free(lambda: connection.execute("BEGIN IMMEDIATE"), seconds_max=self._busy_seconds)
        return connection

    def _settle(self, connection: apsw.Connection) -> None:
        """After a failed sync, copy the write-ahead log into the database, and sync that, before anything is answered.

        SQLite may by now have taken the commit over from the write-ahead log as if it were durable, while the system
        may have forgotten to write it: after an error the next sync of the same file succeeds without doing so. To
        say "taken, and by yourself" (W3) of such a commit would acknowledge what a power cut erases.
        """
        when_free(
            lambda: connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART), seconds_max=self._busy_seconds
        )
        self._doubtful = False

    def _gather(self, first: _Job) -> list[_Job]:
        """`first` and what waits behind it, as much as one transaction may take."""
        batch, size = [first], first.size
        while len(batch) < BATCH_WRITES_MAX and size < BATCH_BYTES_MAX:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                self._ended = True
                break
            batch.append(job)
            size += job.size
        return batch

    def _commit(self, connection: apsw.Connection, batch: list[_Job]) -> bool:
        """Make the transaction durable; if that fails, fail all: a refusal too was judged on what is now in doubt."""
        try:
            when_free(lambda: connection.execute("COMMIT"), seconds_max=self._busy_seconds)
        except (apsw.FullError, apsw.BusyError) as error:
            # The frame that makes it a commit is the last one written: without room for it there is none.
            self._discard()
            self._fail(batch, StoreUnavailable, error)
        except apsw.Error as error:
            # The frames may be on the disk, though the sync failed: a later recovery may find a commit (W2).
            self._doubtful = True
            self._discard()
            self._fail(batch, OutcomeUnknown, error)
        else:
            return True
        return False

    def _fail(self, batch: list[_Job], kind: type[StorageError], error: Exception) -> None:
        text = explain(error, self._identity.path) if isinstance(error, apsw.Error) else str(error)
        for job in batch:
            job.error = kind(text)  # one each: raised in several tasks, one would gather all their tracebacks
            job.error.__cause__ = error
        _answer(batch)

    def _adopt(self, connection: apsw.Connection) -> None:
        connection.set_wal_hook(self._note_wal)  # and so SQLite makes no checkpoints of its own
        self._connection = connection

    def _note_wal(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _discard(self) -> None:
        """Roll back by closing: after a failure nothing the connection remembers is trusted. The next write reopens."""
        if self._connection is not None:
            drop(self._connection)
            self._connection = None

    def _checkpoint_if_grown(self, connection: apsw.Connection) -> None:
        """Copy the write-ahead log into the database; after the answers, which need not wait for it."""
        if self._wal_pages >= _RESTART_PAGES:
            self._checkpoint(connection, apsw.SQLITE_CHECKPOINT_RESTART)
        elif self._wal_pages >= _CHECKPOINT_PAGES:
            self._checkpoint(connection, apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _checkpoint(self, connection: apsw.Connection, mode: int) -> None:
        try:
            connection.wal_checkpoint(mode=mode)
        except apsw.BusyError:
            # Others read or copy: the next commit, or the next process to close, tries again.
            _log.debug("wal_checkpoint_postponed", pages=self._wal_pages)
        except apsw.Error as error:
            _log.warning("wal_checkpoint_failed", reason=explain(error, self._identity.path))

    def _finish(self) -> None:
        ended, end_reading = self._end
        try:
            end_reading()
            if self._connection is not None:
                self._checkpoint(self._connection, apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            self._discard()
            _answer([ended])


def _answer(batch: list[_Job]) -> None:
    """Deliver to each event loop in one wake-up."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        loops.setdefault(job.loop, []).append(job)
    for loop, jobs in loops.items():
        try:
            loop.call_soon_threadsafe(_deliver, jobs)
        except RuntimeError:
            _log.debug("write_answered_to_closed_loop", writes=len(jobs))  # nobody waits there any more


def _deliver(batch: Iterable[_Job]) -> None:
    for job in batch:
        job.deliver()
