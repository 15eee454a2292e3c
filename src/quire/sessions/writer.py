"""The single writer of a notebook: judges requests, folds them into commits, appends them, rebases (W2 to W5)."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import structlog

from quire.blobs.protocol import BlobError
from quire.notebook.changes import Change
from quire.notebook.codec import CodecError, NewerFormat
from quire.notebook.fold import Draft, FoldError
from quire.notebook.model import Notebook
from quire.sessions.errors import NotSaved, ReadOnly, Refused
from quire.sessions.intents import Answer, Decision, Intent, Repeated, decide
from quire.sessions.journal import BODY_BYTES_MAX, Applied, Journal
from quire.storage.protocol import StorageError

T = TypeVar("T")

log = structlog.get_logger(__name__)

ANSWER_TIMEOUT_S = 20.0
"""How long a request waits for a definite outcome. It stays in the queue, and may still be saved later (W2)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The request is durable in `revision`."""

    revision: int
    answer: Answer


@dataclass(eq=False)
class _Request:
    intent: Intent
    late: bool
    """Run results go after edits (W4)."""
    done: asyncio.Future[Receipt]
    answer: Answer = field(default_factory=dict)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def succeed(self, revision: int, answer: Answer) -> None:
        if not self.done.done():
            self.done.set_result(Receipt(revision, answer))


@dataclass(slots=True)
class _Batch:
    """The next commit while it is put together."""

    draft: Draft
    changes: list[Change] = field(default_factory=list)
    taken: list[_Request] = field(default_factory=list)
    settled: list[tuple[_Request, Refused | None]] = field(default_factory=list)
    """Needs no commit: refused, or (None) there is nothing to change."""
    touched: set[str] = field(default_factory=set)
    size: int = 0


class Writer:
    """An actor: one task, one queue, one put in flight (W4).

    Args:
        journal: the log; this is its only user.
        marks: what edits mean for other cells, given the states before and after; pure.
        applied: told of every commit in order, our own and others', before requests are answered.
        saving: told why the store does not take commits, and with None when it does again.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        marks: Callable[[Notebook, Notebook], tuple[Change, ...]],
        applied: Callable[[Applied], None],
        saving: Callable[[str | None], None],
    ) -> None:
        self._journal = journal
        self._marks = marks
        self._applied = applied
        self._saving = saving
        self._failing: str | None = None
        self._pending: list[_Request] = []
        self._refreshes: list[asyncio.Future[None]] = []
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stuck = asyncio.Event()
        """Set while a put has no definite answer (W2)."""
        self._task = asyncio.create_task(self._loop(), name=f"writer {journal.log_id}")

    @property
    def state(self) -> Notebook:
        """The committed state, as far as this process knows."""
        return self._journal.state

    async def submit(self, intent: Intent, *, late: bool = False) -> Receipt:
        """Carry out `intent`; returns when its commit is durable.

        Raises:
            Refused: judged and refused. NotSaved: the store refused, or gave no definite answer in time.
        """
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._pending.append(_Request(intent, late, done))
        self._wake()
        return await _answer(done)

    async def refresh(self) -> None:
        """Apply what other writers appended up to now (C6). Raises NotSaved, ReadOnly.

        While a put is stuck, it is enough that there is nothing to apply: the notebook can be read.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._refreshes.append(done)
        self._wake()
        stuck = asyncio.ensure_future(self._stuck.wait())
        try:
            either: set[asyncio.Future[Any]] = {done, stuck}
            await asyncio.wait(either, timeout=ANSWER_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            if not done.done() and await self._journal.at_head():
                done.add_done_callback(_retrieved)
                return
        except StorageError as error:
            done.add_done_callback(_retrieved)
            raise NotSaved(str(error)) from error
        finally:
            stuck.cancel()
        await _answer(done, "The store has not answered yet. Try again in a moment.")

    async def settle(self) -> None:
        """Return when every request made before this call is decided, whichever way."""
        waiting = [request.done for request in self._pending]
        if waiting:
            await asyncio.wait(waiting, timeout=ANSWER_TIMEOUT_S)

    async def close(self) -> None:
        """Finish what is pending, unless the store does not answer; then stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), ANSWER_TIMEOUT_S)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._fail_all(NotSaved("The notebook was closed before this change was saved."))
        await self._journal.close()

    # -- the actor

    def _wake(self) -> None:
        self._idle.clear()
        self._work.set()

    async def _loop(self) -> None:
        while True:
            await self._work.wait()
            try:
                if self._refreshes:
                    await self._refresh()
                if self._pending:
                    await self._turn()
            except (NewerFormat, CodecError, FoldError) as error:
                # Nothing can be written behind a record that cannot be read (E1, C3).
                self._fail_all(ReadOnly(str(error)))
            except Refused as refusal:
                self._fail_all(refusal)  # The log is gone.
            except (StorageError, BlobError) as error:
                self._note_failing(str(error))
                self._fail_all(NotSaved(str(error)))
            except Exception:
                log.exception("writer_failed", log_id=self._journal.log_id)
                self._fail_all(NotSaved("The server failed while saving. Its log says why."))
            if not self._pending and not self._refreshes:
                self._work.clear()
                self._idle.set()

    def _fail_all(self, error: Exception) -> None:
        waiting, self._pending = self._pending, []
        refreshes, self._refreshes = self._refreshes, []
        for request in waiting:
            request.fail(error)
        for refresh in refreshes:
            if not refresh.done():
                refresh.set_exception(error)

    async def _refresh(self) -> None:
        waiting = list(self._refreshes)
        await self._follow()
        self._refreshes = self._refreshes[len(waiting) :]
        for refresh in waiting:
            if not refresh.done():
                refresh.set_result(None)

    async def _follow(self) -> bool:
        """Apply what others appended; whether there was anything."""
        applied = await self._journal.follow()
        for one in applied:
            self._applied(one)
        return bool(applied)

    async def _turn(self) -> None:
        """One commit, or none."""
        batch = self._fold()
        if batch.settled:
            # A commit of another writer that we have not seen may make it another decision (C6).
            if await self._follow():
                return
            for request, refusal in batch.settled:
                self._pending.remove(request)
                if refusal is None:
                    request.succeed(self._journal.state.revision, request.answer)
                else:
                    request.fail(refusal)
        if not batch.taken:
            return
        marks = self._marks(self._journal.state, batch.draft.freeze())
        try:
            applied = await self._journal.append((*batch.changes, *marks), on_unknown=self._note_unknown)
        finally:
            self._stuck.clear()
        if applied is None:
            await self._follow()
            return
        self._note_failing(None)
        self._pending = [request for request in self._pending if request not in batch.taken]
        self._applied(applied)
        for request in batch.taken:
            request.succeed(applied.after.revision, request.answer)

    def _fold(self) -> _Batch:
        """Judge what is pending, in order, against the pending state (W4)."""
        state = self._journal.state
        batch = _Batch(Draft(state, state.revision + 1))
        for request in sorted(self._pending, key=lambda one: one.late):
            if batch.size > BODY_BYTES_MAX or not self._judge(request, batch):
                break
        return batch

    def _judge(self, request: _Request, batch: _Batch) -> bool:
        """Whether the commit may go on to grow.

        It ends before a request that it leaves nothing to do for, or refused: nobody is told what rests on changes
        that are not durable yet (W4).
        """
        touches = request.intent.touches
        if touches is not None and touches in batch.touched:
            return True
        refusal: Refused | None = None
        decision: Decision | Repeated = Decision(())
        try:
            decision = decide(request.intent, batch.draft)
        except Refused as error:
            refusal = error
        if isinstance(decision, Repeated):
            if decision.revision <= self._journal.state.revision:
                self._pending.remove(request)
                request.succeed(decision.revision, decision.answer)
            return True
        request.answer = decision.answer
        if not decision.changes:
            if batch.taken:
                return False
            batch.settled.append((request, refusal))
            return True
        size = sum(len(msgspec.json.encode(change)) for change in decision.changes)
        if batch.taken and batch.size + size > BODY_BYTES_MAX:
            return True
        for change in decision.changes:
            batch.draft.apply(change)
        batch.changes.extend(decision.changes)
        batch.taken.append(request)
        batch.size += size
        if touches is not None:
            batch.touched.add(touches)
        return True

    # -- how saving goes

    def _note_unknown(self, reason: Exception) -> None:
        self._stuck.set()
        self._note_failing(f"The store gives no definite answer: {reason}. What was saved is safe; trying again.")

    def _note_failing(self, detail: str | None) -> None:
        if detail != self._failing:
            self._failing = detail
            self._saving(detail)


_KEPT = (
    "The store has not answered yet. The change is kept and saved as soon as it does; "
    "send it again with the same Idempotency-Key to learn the outcome."
)


async def _answer(done: "asyncio.Future[T]", overdue: str = _KEPT) -> T:
    try:
        return await asyncio.wait_for(asyncio.shield(done), ANSWER_TIMEOUT_S)
    except TimeoutError:
        done.add_done_callback(_retrieved)
        raise NotSaved(overdue) from None


def _retrieved(future: "asyncio.Future[T]") -> None:
    """Nobody waits any more: an exception must not be reported as forgotten."""
    if not future.cancelled():
        future.exception()
