"""A real Jupyter kernel, with whole plans as execute requests."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import msgspec
import structlog
import zmq

from quire.kernels.channels import Answer, Batch, BrokenChannel, Channels, Connection
from quire.kernels.environment import KernelFolder
from quire.kernels.launching import Launcher, Spawner
from quire.kernels.oversight import Oversight
from quire.kernels.overtime import Overtime
from quire.kernels.process import KernelProcess
from quire.kernels.protocol import (
    KernelBusy,
    KernelDied,
    KernelEvent,
    KernelUnavailable,
    Plan,
    QuestionRefused,
)
from quire.kernels.replies import BROKEN, Reply
from quire.kernels.settings import KernelSettings

log = structlog.get_logger(__name__)

_INTERRUPT_AGAIN_S = 0.5
_INTERRUPTED_S = 1.0
"""How long a question that is interrupted may take to end."""
_INTERRUPTS_MAX = 20
_LAST_BATCHES_S = 0.05
"""After a death, what the process had sent may still be on its way."""


class JupyterKernel:
    """One ipykernel process, as `Kernel`. Made by `start`."""

    def __init__(
        self, process: KernelProcess, channels: Channels, folder: KernelFolder, cell_seconds_max: float
    ) -> None:
        self._process = process
        self._channels = channels
        self._folder = folder
        self._cell_seconds_max = cell_seconds_max
        self._number = 0
        self._running = False
        self._interrupted = False
        self._question = 0
        self._asking = asyncio.Lock()
        self._plan_waits = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, settings: KernelSettings | None = None, launcher: Launcher | None = None) -> "JupyterKernel":
        """Start a process and wait until it can run plans.

        Args:
            settings: how.
            launcher: starts the process; None: one of its own, from nothing.

        Raises:
            KernelUnavailable: it did not start; says why.
        """
        settings = settings or KernelSettings()
        # Not cancelled with us: a process that nobody knows of would stay.
        launching = asyncio.create_task(cls._launch(settings, launcher or Spawner(settings)))
        try:
            kernel = await asyncio.shield(launching)
        except asyncio.CancelledError:
            await (await launching).close()
            raise
        try:
            await kernel._become_ready(settings)  # noqa: SLF001 - of this class
        except BaseException:
            await kernel.close()
            raise
        return kernel

    @classmethod
    async def _launch(cls, settings: KernelSettings, launcher: Launcher) -> "JupyterKernel":
        folder = await asyncio.to_thread(KernelFolder)
        connection = Connection.in_folder(folder.path)
        try:
            process = await launcher.launch(folder, connection)
        except BaseException:
            await asyncio.to_thread(folder.remove)
            raise
        return cls(process, Channels(connection), folder, settings.cell_seconds_max)

    async def _become_ready(self, settings: KernelSettings) -> None:
        try:
            async with asyncio.timeout(settings.start_seconds_max):
                await self._until_subscribed()
                async for _events in self.run(Plan(run_id="", steps=())):
                    pass
        except TimeoutError:
            raise KernelUnavailable(f"A kernel did not start within {settings.start_seconds_max:g} s.") from None
        except KernelDied as error:
            words = await asyncio.to_thread(self._folder.last_words)
            reason = words.splitlines()[-1] if words else str(error)
            raise KernelUnavailable(f"A kernel could not be started with {settings.command[0]}: {reason}") from error

    async def _until_subscribed(self) -> None:
        """Wait for ipykernel's welcome: from then on no batch is missed."""
        nudging = asyncio.create_task(self._channels.keep_nudging())
        try:
            while await self._channels.decode(await self._receive()) is not None:
                continue
        finally:
            nudging.cancel()

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.alive

    async def run(self, plan: Plan) -> AsyncGenerator[Sequence[KernelEvent], None]:
        """Run `plan`, as `Kernel` says.

        Who stops listening does not stop the plan: `interrupt` does. A next plan waits until it is over.
        """
        if self._running:
            raise RuntimeError("a kernel runs one plan at a time")
        self._number += 1
        number = self._number
        oversight = Oversight(plan)
        overtime = Overtime(self._cell_seconds_max, lambda: self._interrupt(number), self.kill)
        self._running, self._interrupted = True, False
        reply: Reply | None = None
        try:
            if not self.alive:
                raise KernelDied(await self._process.died)
            self._plan_waits.set()
            async with self._asking:
                # The question under way is interrupted, and over: the plan must not be hit in its place.
                self._plan_waits.clear()
            await self._channels.send_plan(_encode(plan, number))
            reply = Reply(self._channels)
            while True:
                batch = await self._next_batch(reply)
                if batch.plan != number:
                    continue
                self._interrupted = batch.interrupted
                events = overtime.check(oversight.check(batch.events, done=batch.done))
                if events:
                    yield events
                if batch.done:
                    return
        finally:
            overtime.close()
            if reply is not None:
                reply.close()
            self._running = False

    async def ask(self, kind: str, arguments: Mapping[str, object], *, seconds_max: float) -> bytes:
        """Ask about the values that the kernel holds, as `Kernel` says."""
        # Goes on if whoever asked leaves: what the kernel does now must be known before the next plan.
        return await asyncio.shield(asyncio.create_task(self._answer(kind, arguments, seconds_max)))

    async def _answer(self, kind: str, arguments: Mapping[str, object], seconds_max: float) -> bytes:
        async with self._asking:
            if self._running:
                raise KernelBusy("The kernel is running cells.")
            if not self.alive:
                raise KernelDied(await self._process.died)
            self._question += 1
            question = {"number": self._question, "kind": kind, "arguments": arguments}
            await self._channels.send_question(question)
            receiving = asyncio.create_task(self._channels.receive_answer(self._question))
            try:
                return await self._in_time(receiving, seconds_max)
            except BrokenChannel as error:
                raise QuestionRefused(f"The kernel's answer could not be read: {error}.") from error
            finally:
                receiving.cancel()

    async def _in_time(self, receiving: "asyncio.Task[Answer]", seconds_max: float) -> bytes:
        either: set[asyncio.Future[Any]] = {receiving, self._process.died}
        waiting = asyncio.create_task(self._plan_waits.wait())
        try:
            await asyncio.wait({*either, waiting}, timeout=seconds_max, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not receiving.done() and not self._process.died.done():
            await self._interrupt_question(either)
            if self._plan_waits.is_set():
                raise KernelBusy("The kernel is about to run cells.")
            raise KernelBusy(f"The kernel did not answer within {seconds_max:g} s.")
        if not receiving.done():
            raise KernelDied(await self._process.died)
        answer = receiving.result()
        if answer.refusal:
            raise QuestionRefused(answer.refusal)
        return bytes(answer.answer)

    async def _interrupt_question(self, ended: set[asyncio.Future[Any]]) -> None:
        """Until one of `ended` is done: the first signal may come before the kernel has begun with the question."""
        for _ in range(_INTERRUPTS_MAX):
            self._process.interrupt()
            done, _pending = await asyncio.wait(
                ended, timeout=_INTERRUPTED_S / _INTERRUPTS_MAX, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return

    async def interrupt(self) -> None:
        """Stop the running cell and the rest of the plan; without one, nothing happens."""
        self._interrupt(self._number)

    def _interrupt(self, number: int) -> None:
        """Until the kernel has noticed: while a cell waits in `os.system`, the signal reaches only the command."""
        if self._running and self._number == number and not self._interrupted:
            self._process.interrupt()
            asyncio.get_running_loop().call_later(_INTERRUPT_AGAIN_S, self._interrupt, number)

    async def kill(self, reason: str) -> None:
        """End the process at once, as `Kernel` says."""
        await self._process.stop(reason)

    async def wait_died(self) -> str:
        return await asyncio.shield(self._process.died)

    async def close(self) -> None:
        """End the process and all that it started; may be called again."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._process.stop()
        self._channels.close()
        await asyncio.to_thread(self._folder.remove)

    async def _next_batch(self, reply: Reply) -> Batch:
        while True:
            frames = await self._receive(reply)
            try:
                batch = await self._channels.decode(frames)
            except BrokenChannel as error:
                await self._process.stop()
                raise KernelDied(f"The kernel was stopped, because its messages were broken: {error}.") from error
            if batch is not None:
                return batch

    async def _receive(self, reply: Reply | None = None) -> list[zmq.Frame]:
        """The next message.

        Raises:
            KernelDied: the process has ended, and its last messages are read; or it cannot run cells any more.
        """
        died = self._process.died
        receiving = self._channels.receive()
        try:
            while True:
                either: set[asyncio.Future[Any]] = {receiving, died}
                if reply is not None:
                    either |= reply.expected
                patience = reply.patience if reply is not None else None
                done, _pending = await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if receiving in done:
                    return receiving.result()
                if died in done:
                    break
                if not done:
                    log.warning("kernel_ended", reason="broken")
                    await self._process.stop(BROKEN)
                    raise KernelDied(BROKEN)
            if self._closing is None:
                await asyncio.wait({receiving}, timeout=_LAST_BATCHES_S)
            if receiving.done() and not receiving.cancelled():
                return receiving.result()
            raise KernelDied(await died)
        finally:
            receiving.cancel()


def _encode(plan: Plan, number: int) -> bytes:
    return msgspec.json.encode(
        {
            "number": number,
            "sent_ns": time.monotonic_ns(),
            "steps": plan.steps,
            "forget": plan.forget,
        }
    )
