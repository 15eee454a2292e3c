"""One live notebook in this process: its state, its kernel, its subscribers."""

import asyncio
import contextlib
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass

import structlog

from quire.analysis.graph import Graph
from quire.blobs.protocol import BlobError, BlobStore
from quire.kernels.protocol import KernelSource
from quire.notebook import changes as ch
from quire.notebook.codec import CodecError
from quire.notebook.fold import FoldError
from quire.notebook.model import Notebook, RunMode
from quire.sessions import events
from quire.sessions.asking import ask
from quire.sessions.cell_intents import EditCell, InsertCell
from quire.sessions.clock import now_ms
from quire.sessions.consequences import SYSTEM, changed_code, consequences, dependents
from quire.sessions.errors import CellNotFound, KeyReused, NotebookNotFound, NotSaved, ReadOnly, RevisionNotFound
from quire.sessions.intents import Intent, Origin
from quire.sessions.journal import Applied, Journal
from quire.sessions.loading import load, read_commits
from quire.sessions.names import THREAD_CODE_CHARS_MIN, NameIndex
from quire.sessions.notebook_intents import OwnKernel
from quire.sessions.results import ResultLog
from quire.sessions.runner import Run, Runner
from quire.sessions.scheduler import Wanted
from quire.sessions.writer import Receipt, Writer
from quire.storage.protocol import NotebookStore, StorageError

log = structlog.get_logger(__name__)

HEADER_DELAY_S = 2.0
"""A header follows its log within 5 s (H1); several commits share one refresh."""


CLOSE_S = 5.0
"""How long closing waits for results that are on their way to the log."""

RUN_KEYS_MAX = 128
"""Idempotency keys of runs that a session remembers."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What every session of this process shares."""

    store: NotebookStore
    blobs: BlobStore
    kernels: KernelSource
    instance: str
    """This process, in `owner(epoch)` commits (R1)."""
    run_mode: RunMode = "automatic"
    """Of notebooks that are made here."""
    kernel_idle_s: float = 0
    """A kernel that has run nothing for this long is ended, though its notebook stays open; 0: never."""


class Session:
    """One notebook. Everything that changes it goes through `submit` and `run`.

    Use `Session.open`; `close` writes what is pending and ends the kernel.
    """

    def __init__(self, environment: Environment, journal: Journal, names: NameIndex) -> None:
        self._environment = environment
        self._log_id = journal.log_id
        self._names = names
        self._header_due = asyncio.Event()
        self.subscribers = events.Subscribers()
        self._writer = Writer(journal, marks=self._marks, applied=self._applied, saving=self._saving)
        self._results = ResultLog(environment.blobs, journal.log_id, self._submit_late, self._saving)
        self._runner = Runner(self, environment.kernels, self._results, idle_s=environment.kernel_idle_s)
        self._header_task = asyncio.create_task(self._keep_header(), name=f"header {self._log_id}")
        self._runs: dict[str, tuple[str, Run]] = {}
        self._failing: str | None = None
        self._preparing: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, environment: Environment, user_id: str, notebook_id: str) -> "Session":
        """Load the notebook.

        Raises:
            NotebookNotFound: it has no log. NewerFormat, FoldError, StorageError: it cannot be read.
        """
        journal = await Journal.open(environment.store, environment.blobs, user_id, notebook_id)
        if journal is None:
            raise NotebookNotFound(notebook_id)
        return cls(environment, journal, await NameIndex.of(journal.state))

    # -- what it shows

    @property
    def state(self) -> Notebook:
        return self._writer.state

    @property
    def graph(self) -> Graph:
        return self._names.graph

    @property
    def view(self) -> events.View:
        """The notebook as a person should see it now."""
        return events.View(
            state=self.state,
            graph=self.graph,
            progress=self._runner.progress,
            kernel=self._runner.kernel_state,
            cut_off=not self._runner.busy,
        )

    @property
    def busy(self) -> bool:
        """Whether something runs, or somebody follows."""
        return self._runner.busy or bool(len(self.subscribers))

    def writes_of(self, cell_id: str) -> tuple[str, ...]:
        return self._names.writes_of(cell_id)

    def tell(self, event: events.Event) -> None:
        self.subscribers.tell(event)

    async def refresh(self) -> None:
        """See every commit acknowledged anywhere before this call (C6). Raises NotSaved, ReadOnly."""
        await self._writer.refresh()

    async def settle(self) -> None:
        """Return when every request made before this call is decided, whichever way."""
        while self._preparing:
            await asyncio.wait(list(self._preparing))
        await asyncio.sleep(0)  # Those that were prepared hand themselves in.
        await self._writer.settle()

    def follow(self) -> tuple[events.Subscription, list[events.Event]]:
        """A new subscription, and the events that show the current run, and how saving goes. End with `unfollow`."""
        failing = [events.Saving(self._failing)] if self._failing else []
        return self.subscribers.add(), [*self._runner.shown_so_far(), *failing]

    def unfollow(self, subscription: events.Subscription) -> None:
        self.subscribers.remove(subscription)

    async def state_at(self, revision: int) -> Notebook:
        """The notebook as of `revision`. Raises RevisionNotFound, ReadOnly, NotSaved."""
        loaded = None
        if 1 <= revision <= self.state.revision:
            store, blobs = self._environment.store, self._environment.blobs
            try:
                loaded = await load(store, blobs, self._log_id, revision=revision)
            except (CodecError, FoldError) as error:
                raise ReadOnly(str(error)) from error
            except (StorageError, BlobError) as error:
                raise NotSaved(str(error)) from error
        if loaded is None:
            raise RevisionNotFound(revision, self.state.revision)
        return loaded.state

    async def commits(self, *, before: int | None, limit: int) -> list[ch.Commit]:
        """Up to `limit` commits below `before` (None: from the newest), newest first.

        Raises:
            ReadOnly: one of them cannot be read. NotSaved: the store does not answer.
        """
        top = self.state.revision if before is None else min(before - 1, self.state.revision)
        try:
            return await read_commits(
                self._environment.store, self._environment.blobs, self._log_id, max(0, top - limit), top
            )
        except (CodecError, FoldError) as error:
            raise ReadOnly(str(error)) from error
        except (StorageError, BlobError) as error:
            raise NotSaved(str(error)) from error

    # -- what changes it

    async def submit(self, intent: Intent) -> Receipt:
        """Carry out `intent`; durable when it returns. Raises Refused, NotSaved."""
        if isinstance(intent, InsertCell | EditCell) and len(intent.code) >= THREAD_CODE_CHARS_MIN:
            await self._prepare(intent.code)
        return await self._writer.submit(intent)

    async def _prepare(self, code: str) -> None:
        """Analysis of much code leaves the event loop; a run that is asked for meanwhile waits for it (`settle`)."""
        prepared = asyncio.ensure_future(self._names.prepare(code))
        self._preparing.add(prepared)
        prepared.add_done_callback(self._preparing.discard)
        await prepared

    async def _submit_late(self, intent: Intent) -> Receipt:
        return await self._writer.submit(intent, late=True)

    def run(self, wanted: Wanted, *, key: str = "", request_hash: str = "") -> Run:
        """Queue a run of what is wanted, and of what depends on it.

        The same `key` gives the same run, as long as this session is open.

        Raises:
            CellNotFound, NotebookNotFound, KeyReused.
        """
        if key and (known := self._runs.get(key)) is not None:
            if known[0] != request_hash:
                raise KeyReused
            return known[1]
        if self.state.deleted_at or self.state.purging:
            raise NotebookNotFound(self.state.notebook_id)
        for cell_id in wanted.cell_ids:
            if cell_id not in self.state.cells:
                raise CellNotFound(cell_id)
        run = Run(str(uuid.uuid4()), wanted, asyncio.get_running_loop().create_future())
        if key:
            self._runs[key] = (request_hash, run)
            while len(self._runs) > RUN_KEYS_MAX:
                del self._runs[next(iter(self._runs))]
        self._runner.run(run)
        return run

    async def interrupt(self) -> None:
        """Stop what runs and what waits."""
        await self._runner.interrupt()

    async def restart(self) -> None:
        """End the kernel; the next run gets a fresh one."""
        await self._runner.stop()

    async def ask_kernel(self, kind: str, arguments: Mapping[str, object], *, seconds_max: float) -> bytes:
        """Ask about the values that the kernel holds; the answer as JSON. Raises NotAnswered."""
        return await ask(self._runner.kernel, kind, arguments, seconds_max)

    async def own_kernel(self) -> int:
        """Commit `owner(epoch)` (R1); the epoch."""
        receipt = await self._writer.submit(OwnKernel(Origin(SYSTEM, now_ms()), self._environment.instance))
        epoch = receipt.answer["epoch"]
        assert isinstance(epoch, int)
        return epoch

    async def close(self, reason: str) -> None:
        """End the kernel, write what is pending, bring the header up to date (H1)."""
        await self._runner.close()
        with contextlib.suppress(TimeoutError):  # A store that does not answer must not keep the process.
            await asyncio.wait_for(self._results.drain(), CLOSE_S)
        await self._results.close()
        await self._writer.close()
        self._header_task.cancel()
        await asyncio.gather(self._header_task, *self._tasks, return_exceptions=True)
        with contextlib.suppress(StorageError):  # The header is repaired on the next load (H1).
            await self.refresh_header()
        self.tell(events.Closed(reason))

    # -- the writer's callbacks

    def _marks(self, before: Notebook, after: Notebook) -> tuple[ch.Change, ...]:
        return consequences(before, after, self._names.graph, self._names.preview(after), now_ms())

    def _applied(self, applied: Applied) -> None:
        graph_before = self._names.graph
        graph_after = self._names.update(applied.after)
        changed = changed_code(applied.before, applied.after)
        if changed:
            deleted = {cell_id for cell_id in changed if cell_id not in applied.after.cells}
            if self._runner.busy:
                self._runner.outdate(dependents(changed, graph_before, graph_after, applied.after))
            self._runner.forget(deleted)
        if applied.after.epoch != applied.before.epoch and applied.after.owner != self._environment.instance:
            self._spawn(self._runner.owner_changed(applied.after.epoch))
        if applied.after.deleted_at and not applied.before.deleted_at:
            self._spawn(self._runner.stop())
        self._header_due.set()
        self.tell(events.Committed(applied.before, applied.after, applied.commit, graph_before, graph_after))

    def _saving(self, detail: str | None) -> None:
        self._failing = detail
        if detail:
            log.warning("store_failing", log_id=self._log_id, detail=detail)
        self.tell(events.Saving(detail))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the header

    async def refresh_header(self) -> None:
        """Bring the header up to the log, if it lags (H1)."""
        state = self.state
        await self._environment.store.refresh_header(
            state.user_id, state.notebook_id, name=state.name, revision=state.revision, updated_at=state.updated_at
        )

    async def _keep_header(self) -> None:
        while True:
            await self._header_due.wait()
            await asyncio.sleep(HEADER_DELAY_S)
            self._header_due.clear()
            try:
                await self.refresh_header()
            except StorageError as error:
                log.warning("header_refresh_failed", log_id=self._log_id, error=str(error))
                self._header_due.set()
