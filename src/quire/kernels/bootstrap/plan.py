"""Runs plans: cells in order, what failed blocks what depends on it, an interrupt ends the rest."""

import gc
from collections.abc import Callable, Iterable
from typing import Any, TypedDict

from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

from .cells import CellCompiler, CellRunner, filename_of
from .errors import Describer, error_of
from .interrupts import Interrupts
from .memory import MemoryLimit
from .namespace import Namespace
from .private_names import prefix_of
from .recorder import Event, Recorder
from .variables import Variables

# IPython gives these no types.
_execution_info: Any = ExecutionInfo
_execution_result: Any = ExecutionResult


class Step(TypedDict):
    """One cell of a plan, as the server sends it."""

    cell_id: str
    code: str
    writes: list[str]
    parents: list[str]


class Plan(TypedDict):
    """What one execute request carries."""

    number: int
    sent_ns: int
    """`time.monotonic_ns()` when it was sent: an interrupt since then is meant for it."""
    steps: list[Step]
    forget: list[str]


class PlanRunner:
    """Everything that lasts from one plan to the next."""

    def __init__(
        self,
        shell: Any,
        recorder: Recorder,
        interrupts: Interrupts,
        describer: Describer,
        memory: MemoryLimit,
        prepare_streams: Callable[[], None],
        drain_streams: Callable[[], None],
        forget_shown: Callable[[Iterable[str]], None],
    ) -> None:
        self._shell = shell
        self._recorder = recorder
        self._interrupts = interrupts
        self._describer = describer
        self._memory = memory
        self._prepare_streams = prepare_streams
        self._drain_streams = drain_streams
        self._forget_shown = forget_shown
        self._namespace = Namespace(shell.user_ns)
        self.variables = Variables(self._namespace)
        self._compiler = CellCompiler(shell)
        self._runner = CellRunner(shell, interrupts)

    async def run(self, plan: Plan) -> None:
        """Run a plan; every step gets exactly one end."""
        recorder = self._recorder
        recorder.open_plan(plan["number"], plan["sent_ns"])
        try:
            self._namespace.forget(dict.fromkeys(plan["forget"], ()))
            self._namespace.forget({step["cell_id"]: step["writes"] for step in plan["steps"]})
            self._forget_shown([*plan["forget"], *(step["cell_id"] for step in plan["steps"])])
            failed: dict[str, str] = {}
            with self._shell.builtin_trap, self._shell.display_trap:
                for step in plan["steps"]:
                    if self._interrupts.requested_since(plan["sent_ns"]):
                        recorder.end_without_running(step["cell_id"], "skipped")
                    else:
                        await self._step(step, failed)
        finally:
            recorder.close_plan()

    async def _step(self, step: Step, failed: dict[str, str]) -> None:
        cell_id = step["cell_id"]
        cause = next((failed[parent] for parent in step["parents"] if parent in failed), None)
        if cause is not None:
            failed[cell_id] = cause
            error = error_of("Blocked", "A cell that this one depends on failed.", caused_by=cause)
            self._recorder.end_without_running(cell_id, "blocked", error)
            return
        self._recorder.start_cell(cell_id)
        before = self._namespace.snapshot()
        problem = await self._run_cell(step)
        self._drain_streams()
        self._namespace.claim(cell_id, step["writes"], before)
        if problem is not None:
            failed[cell_id] = cell_id
        self._recorder.end_cell(problem)

    async def _run_cell(self, step: Step) -> Event | None:
        """Run one cell; returns its error. An interrupt may come anywhere between `enter_cell` and `leave_cell`."""
        interrupts = self._interrupts
        self._prepare_streams()
        interrupts.install()
        # A warning is shown each time the cell runs, not once in the kernel's life.
        self._shell.user_ns.pop("__warningregistry__", None)
        self._memory.enter_cell()
        try:
            try:
                interrupts.enter_cell()
                await self._run_with_events(step)
            finally:
                interrupts.leave_cell()
        except BaseException as error:  # noqa: BLE001 - a cell may raise anything; nothing of it ends the kernel
            self._memory.leave_cell()
            interrupts.leave_cell()
            if isinstance(error, MemoryError):
                self._memory.note_shortage()
            if isinstance(error, KeyboardInterrupt):
                # It may not have come through our handler: a cell can install its own.
                interrupts.note()
            return self._describe(error, step["cell_id"])
        self._memory.leave_cell()
        return None

    async def _run_with_events(self, step: Step) -> None:
        """As IPython does around a cell: matplotlib's figures and extensions such as autoreload hang on these."""
        events = self._shell.events
        events.trigger("pre_execute")
        info = _execution_info(
            step["code"], store_history=False, silent=False, shell_futures=False, cell_id=step["cell_id"]
        )
        events.trigger("pre_run_cell", info)
        result = _execution_result(info)
        try:
            cell = self._compiler.compile(step["cell_id"], step["code"])
            await self._runner.run(cell, step["code"])
        except BaseException as error:
            self._memory.leave_cell()
            result.error_in_exec = error
            raise
        finally:
            events.trigger("post_execute")
            events.trigger("post_run_cell", result)

    def _describe(self, error: BaseException, cell_id: str) -> Event:
        try:
            return self._describer.describe(error, filename_of(cell_id), prefix_of(cell_id))
        finally:
            # Frames hold on to the cell's data, and the traceback to frames.
            error.__traceback__ = None
            if isinstance(error, MemoryError):
                gc.collect()
