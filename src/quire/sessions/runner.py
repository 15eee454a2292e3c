"""Runs cells: takes run requests one after the other, drives the kernel, turns its events into results."""

import asyncio
import contextlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from quire.analysis.graph import Graph
from quire.kernels import protocol as kp
from quire.notebook.changes import CellsMarked
from quire.notebook.model import CellError, Notebook, code_hash_of
from quire.sessions import events
from quire.sessions.attempt import Attempt
from quire.sessions.clock import now_ms
from quire.sessions.consequences import SYSTEM
from quire.sessions.errors import NotSaved, Refused
from quire.sessions.live_cell import LiveCell
from quire.sessions.results import ResultLog
from quire.sessions.scheduler import Schedule, Wanted, cells_wanted, schedule
from quire.sessions.seat import Seat
from quire.sessions.taking import take

log = structlog.get_logger(__name__)

PARTIAL_RESULT_S = 5.0
"""How often a long cell's output so far is committed."""
SECOND_INTERRUPT_S = 1.0
"""Two interrupts within this time are one that was asked for in haste."""
QUEUED = events.Progress("queued")
INTERRUPTED_TWICE = (
    "The kernel was ended: the cell went on after an interrupt, and a second one was asked for. "
    "Its variables are gone; the next run starts a fresh kernel."
)


@dataclass(eq=False, slots=True)
class Run:
    """A request to run cells. `done` ends when all of its results are durable; `cell_ids` is then what ran."""

    run_id: str
    wanted: Wanted
    done: asyncio.Future[None]
    cell_ids: tuple[str, ...] = ()


class Host(Protocol):
    """What the runner needs of its session."""

    @property
    def state(self) -> Notebook: ...
    @property
    def graph(self) -> Graph: ...
    def writes_of(self, cell_id: str) -> tuple[str, ...]: ...
    def tell(self, event: events.Event) -> None: ...
    async def own_kernel(self) -> int: ...


class Runner:
    """The kernel of one notebook, and the queue of its runs.

    Args:
        host: the session.
        source: where kernels come from.
        results: where results go.
        idle_s: an idle kernel is ended after this long; 0: never.
    """

    def __init__(self, host: Host, source: kp.KernelSource, results: ResultLog, *, idle_s: float = 0) -> None:
        self._host = host
        self._results = results
        self._seat = Seat(host, source, idle_s, self._nothing_held)
        self._fresh: dict[str, str] = {}
        self._forget: set[str] = set()
        self._attempt: Attempt | None = None
        self._waiting: list[Run] = []
        self._queued: set[str] = set()
        """Cells that subscribers were told to be waiting behind the plan that runs."""
        self._dropped = False
        """Whether what is being served was interrupted before its plan was made."""
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._loop(), name="runner")

    # -- asked by the session

    @property
    def kernel_state(self) -> events.KernelState:
        return self._seat.state

    @property
    def kernel(self) -> kp.Kernel | None:
        """The kernel that holds the notebook's values, if there is one."""
        return self._seat.kernel

    @property
    def busy(self) -> bool:
        """Whether something runs or waits to run."""
        return self._attempt is not None or bool(self._waiting)

    @property
    def progress(self) -> Mapping[str, events.Progress]:
        """Where the cells of the current plan stand, and those that wait behind it."""
        cells = self._attempt.cells.values() if self._attempt is not None else ()
        planned = {cell.cell_id: events.Progress(cell.status, cell.started_at) for cell in cells}
        return {**{id_: QUEUED for id_ in self._queued if id_ in self._host.state.cells}, **planned}

    def shown_so_far(self) -> list[events.Event]:
        """What a new subscriber must be told to see the current run as others do."""
        told: list[events.Event] = []
        for cell in self._attempt.cells.values() if self._attempt else ():
            if cell.status == "running":
                if text := cell.stdout.value():
                    told.append(events.Streamed(cell.cell_id, "stdout", text))
                if text := cell.stderr.value():
                    told.append(events.Streamed(cell.cell_id, "stderr", text))
                told.extend(events.Shown(cell.cell_id, output) for output in cell.outputs)
        return told

    def run(self, run: Run) -> None:
        """Queue a run; runs that wait for the same kernel become one plan."""
        self._waiting.append(run)
        self._arrived.set()
        if self._attempt is not None:
            waiting = [cell_id for cell_id in self._wanted([run]) if cell_id not in self._attempt.cells]
            self._queued.update(waiting)
            self._host.tell(events.StatusChanged(dict.fromkeys(waiting, QUEUED)))

    def outdate(self, cell_ids: set[str]) -> None:
        """Told of every commit during a run: the inputs of these cells changed."""
        under_way = self._attempt.withdraw(cell_ids) if self._attempt is not None else set()
        for cell_id in filter(self._results.holds, cell_ids - under_way):
            # Its result was made before the edit, and gets into the log behind it (R2).
            self._mark_stale((cell_id,), now_ms())

    def forget(self, cell_ids: set[str]) -> None:
        """Told of every commit: these cells are gone, and their names have to go."""
        if self._seat.kernel is not None:
            self._forget.update(cell_ids)
        for cell_id in cell_ids:
            self._fresh.pop(cell_id, None)

    async def owner_changed(self, epoch: int) -> None:
        """Another instance has taken the notebook over: stop our kernel (R1)."""
        if epoch > self._seat.epoch and self._seat.kernel is not None:
            log.info("kernel_taken_over", epoch=epoch)
            await self.stop()

    async def interrupt(self) -> None:
        """Stop the running cell and what waits behind it. Asked again later, and in vain: end the kernel."""
        self._drop_waiting()
        kernel, attempt = self._seat.kernel, self._attempt
        if kernel is None or attempt is None:
            return
        now = asyncio.get_running_loop().time()
        if attempt.interrupted_at is None:
            attempt.interrupted_at = now
        elif now - attempt.interrupted_at >= SECOND_INTERRUPT_S:
            log.warning("kernel_killed", reason="interrupted twice", run_id=attempt.run_id)
            await kernel.kill(INTERRUPTED_TWICE)
            return
        await kernel.interrupt()

    async def stop(self) -> None:
        """End the kernel; the next run starts a fresh one."""
        self._drop_waiting()
        await self._seat.leave()

    async def close(self) -> None:
        """End the kernel and the queue."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.stop()

    def _nothing_held(self) -> None:
        self._fresh.clear()
        self._forget.clear()

    # -- the loop

    def _wanted(self, runs: list[Run]) -> list[str]:
        """The cells that these runs name: those that they need come to light when a plan is made."""
        state = self._host.state
        return [cell_id for run in runs for cell_id in cells_wanted(state, run.wanted)]

    def _leave_queue(self, planned: Container[str] = ()) -> None:
        """No cell waits any longer; those that are not `planned` are what they were."""
        queued, self._queued = self._queued, set()
        left = self._committed_progress({cell_id: None for cell_id in queued if cell_id not in planned})
        if left:
            self._host.tell(events.StatusChanged(left))

    def _drop_waiting(self) -> None:
        self._dropped = True
        waiting, self._waiting = self._waiting, []
        self._leave_queue(self._attempt.cells if self._attempt is not None else ())
        for run in waiting:
            _finish(run)

    async def _loop(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                runs, self._waiting = self._waiting, []
                self._dropped = False
                try:
                    await self._serve(runs)
                except Exception:
                    log.exception("run_failed", run_ids=[run.run_id for run in runs])
                finally:
                    self._attempt = None
                    for run in runs:
                        self._host.tell(events.RunChanged(run.run_id, "finished", run.cell_ids))
                        _finish(run)

    async def _serve(self, runs: list[Run]) -> None:
        """One plan for all `runs`."""
        try:
            kernel = await self._seat.take()
        except (kp.KernelUnavailable, NotSaved) as error:
            log.warning("no_kernel", reason=str(error))
            self._leave_queue()
            self._cannot_run(runs, CellError(name="KernelUnavailable", message=str(error)))
            await self._results.drain()
            return
        except Refused as refusal:
            log.info("run_dropped", reason=str(refusal))
            self._leave_queue()
            return
        if self._dropped:
            await self._seat.rest(kernel)
            return
        attempt, plan, chosen = self._plan(runs)
        for cell_id, cause in chosen.blocked.items():
            self._mark_blocked(cell_id, cause)
        if chosen.outdated:
            self._mark_stale(chosen.outdated, now_ms())
        for run in runs:
            run.cell_ids = tuple(attempt.cells) + tuple(chosen.blocked)
            self._host.tell(events.RunChanged(run.run_id, "started", run.cell_ids))
        self._leave_queue(attempt.cells)
        if attempt.cells:
            await self._execute(kernel, attempt, plan)
        await self._seat.rest(kernel)
        await self._results.drain()

    def _plan(self, runs: list[Run]) -> tuple[Attempt, kp.Plan, Schedule]:
        state, graph = self._host.state, self._host.graph
        chosen = schedule(state, graph, self._fresh, set(self._wanted(runs)))
        attempt = Attempt(runs[0].run_id, self._seat.epoch, state.revision)
        planned = set(chosen.steps)
        steps = []
        for cell_id in chosen.steps:
            cell = state.cells[cell_id]
            attempt.cells[cell_id] = LiveCell(cell_id, code_hash_of(cell.type, cell.code))
            parents = tuple(parent for parent in graph.parents(cell_id) if parent in planned)
            steps.append(kp.Step(cell_id, cell.code, self._host.writes_of(cell_id), parents))
            self._fresh.pop(cell_id, None)
        forget, self._forget = tuple(sorted(self._forget)), set()
        return attempt, kp.Plan(attempt.run_id, tuple(steps), forget), chosen

    async def _execute(self, kernel: kp.Kernel, attempt: Attempt, plan: kp.Plan) -> None:
        self._attempt = attempt
        self._seat.busy()
        self._host.tell(events.StatusChanged(self.progress))
        partial = asyncio.create_task(self._commit_partial(attempt))
        try:
            async for batch in kernel.run(plan):
                # What begins and ends within one batch is told by its commit alone.
                ended = {event.cell_id for event in batch if isinstance(event, kp.CellEnded)}
                for event in batch:
                    self._handle(attempt, event, tell=event.cell_id not in ended)
        except kp.KernelDied as death:
            await self._died(kernel, attempt, str(death))
        finally:
            partial.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await partial
            self._commit_displays(attempt)
            left = dict.fromkeys(attempt.cells, events.Progress("idle"))
            attempt.cells.clear()
            if left:
                self._host.tell(events.StatusChanged(self._committed_progress(left)))

    def _committed_progress(self, cell_ids: Mapping[str, object]) -> Mapping[str, events.Progress]:
        """The status in the log, for cells that leave a plan without a result."""
        cells = self._host.state.cells
        return {cell_id: events.Progress(cells[cell_id].status) for cell_id in cell_ids if cell_id in cells}

    # -- what the kernel reports

    def _handle(self, attempt: Attempt, event: kp.KernelEvent, *, tell: bool) -> None:
        cell = attempt.cells.get(event.cell_id)
        if cell is None:
            if isinstance(event, kp.OutputReplaced) and event.cell_id in attempt.displays:
                attempt.displays[event.cell_id][0].replace(event.output)
            return
        if isinstance(event, kp.CellEnded):
            self._ended(attempt, cell, event)
            return
        shown = take(cell, event)
        if tell and shown is not None:
            self._host.tell(shown)

    def _ended(self, attempt: Attempt, cell: LiveCell, event: kp.CellEnded) -> None:
        del attempt.cells[cell.cell_id]
        if event.status == "skipped":
            self._host.tell(events.StatusChanged(self._committed_progress({cell.cell_id: None})))
            return
        if event.status == "blocked":
            self._mark_blocked(cell.cell_id, event.error.caused_by if event.error else "")
            return
        if event.status == "success":
            self._fresh[cell.cell_id] = cell.code_hash
        self._finish_cell(attempt, cell, event.status, event.error, event.at, event.duration_ms)
        if any(output.display_id for output in cell.outputs):
            attempt.displays[cell.cell_id] = (cell, event)

    def _commit_displays(self, attempt: Attempt) -> None:
        """Results of cells whose outputs were changed by others after they had ended."""
        for cell, event in attempt.displays.values():
            if cell.dirty:
                self._finish_cell(attempt, cell, event.status, event.error, event.at, event.duration_ms)

    def _finish_cell(
        self, attempt: Attempt, cell: LiveCell, status: str, error: CellError | None, at: int, duration_ms: int
    ) -> None:
        self._results.add(
            cell.result(
                "success" if status == "success" else "error",
                run_id=attempt.run_id,
                epoch=attempt.epoch,
                base_revision=attempt.base_revision,
                at=at,
                duration_ms=duration_ms,
                error=error,
            )
        )
        if cell.cell_id in attempt.outdated:
            self._mark_stale((cell.cell_id,), at)

    def _mark_stale(self, cell_ids: tuple[str, ...], at: int) -> None:
        for cell_id in cell_ids:
            self._fresh.pop(cell_id, None)
        self._results.add(CellsMarked(author=SYSTEM, at=at, cell_ids=cell_ids, status="stale"))

    def _mark_blocked(self, cell_id: str, cause: str) -> None:
        cell = self._host.state.cells.get(cell_id)
        if cell is None or (cell_id == cause and cell.status == "blocked"):
            return  # It is blocked by its own code, and says so already.
        error = CellError(name="Blocked", message="A cell that this one depends on has no result.", caused_by=cause)
        if (other := self._host.state.cells.get(cause)) is not None and other.config.disabled:
            error = CellError("Disabled", "A cell that this one depends on is switched off.", caused_by=cause)
        self._results.add(CellsMarked(author=SYSTEM, at=now_ms(), cell_ids=(cell_id,), status="blocked", error=error))

    def _cannot_run(self, runs: list[Run], error: CellError) -> None:
        state = self._host.state
        cells = tuple(id_ for id_ in dict.fromkeys(self._wanted(runs)) if state.cells[id_].type == "python")
        for run in runs:
            run.cell_ids = cells
        if cells:
            self._results.add(CellsMarked(author=SYSTEM, at=now_ms(), cell_ids=cells, status="error", error=error))

    async def _died(self, kernel: kp.Kernel, attempt: Attempt, reason: str) -> None:
        """What ran has no result but the error; what waited stays as it was."""
        log.warning("kernel_died", reason=reason, run_id=attempt.run_id)
        at = now_ms()
        for cell in attempt.hit():
            del attempt.cells[cell.cell_id]
            cell.started_at = cell.started_at or at
            error = CellError(name="KernelDied", message=reason)
            self._finish_cell(attempt, cell, "error", error, at, max(0, at - cell.started_at))
        await self._seat.lose(kernel)

    async def _commit_partial(self, attempt: Attempt) -> None:
        while True:
            await asyncio.sleep(PARTIAL_RESULT_S)
            self._commit_displays(attempt)
            at = now_ms()
            for cell in attempt.cells.values():
                if cell.status == "running" and cell.dirty and at - cell.started_at >= PARTIAL_RESULT_S * 1000:
                    self._results.add(
                        cell.result(
                            "running",
                            run_id=attempt.run_id,
                            epoch=attempt.epoch,
                            base_revision=attempt.base_revision,
                            at=at,
                            duration_ms=at - cell.started_at,
                        )
                    )


def _finish(run: Run) -> None:
    if not run.done.done():
        run.done.set_result(None)
