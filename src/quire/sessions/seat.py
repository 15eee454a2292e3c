"""The place of a notebook's kernel: taken when a run needs one, owned in the log (R1), watched, given up when idle."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from quire.kernels import protocol as kp
from quire.sessions import events

log = structlog.get_logger(__name__)


class Owner(Protocol):
    """What the seat needs of its session."""

    def tell(self, event: events.Event) -> None: ...
    async def own_kernel(self) -> int: ...


class Seat:
    """The kernel of one notebook, if there is one.

    Args:
        owner: the session.
        source: where kernels come from.
        idle_s: an idle kernel is ended after this long; 0: never.
        emptied: told whenever the values that a kernel held are gone.
    """

    def __init__(self, owner: Owner, source: kp.KernelSource, idle_s: float, emptied: Callable[[], None]) -> None:
        self._owner = owner
        self._source = source
        self._idle_s = idle_s
        self._emptied = emptied
        self._watch: asyncio.Task[None] | None = None
        self._idling: asyncio.Task[None] | None = None
        self.kernel: kp.Kernel | None = None
        self.state: events.KernelState = "none"
        self.epoch = 0

    async def take(self) -> kp.Kernel:
        """The kernel, started and owned (R1) if there is none. Raises KernelUnavailable, NotSaved, Refused."""
        self._stop_idling()
        if self.kernel is not None:
            return self.kernel
        self._set_state("starting")
        try:
            self.epoch = await self._owner.own_kernel()
            kernel = await self._source.acquire()
        except BaseException:
            self._set_state("none")
            raise
        self.kernel = kernel
        self._set_state("idle")
        self._emptied()
        self._watch = asyncio.create_task(self._watch_kernel(kernel), name="kernel watch")
        return kernel

    def busy(self) -> None:
        """A plan begins."""
        self._stop_idling()
        self._set_state("busy")

    async def rest(self, kernel: kp.Kernel) -> None:
        """The plan that `kernel` was given is over, or there was none."""
        if self.kernel is not kernel:
            return
        if self._watch is not None and self._watch.done():
            await self.lose(kernel)  # It died right behind the plan.
            return
        self._set_state("idle")
        self._stop_idling()
        if self._idle_s:
            self._idling = asyncio.create_task(self._give_up_idle(), name="kernel idle")

    async def lose(self, kernel: kp.Kernel) -> None:
        """`kernel` has died."""
        if self.kernel is not kernel:
            return
        self.kernel = None
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        self._watch = None
        self._stop_idling()
        self._emptied()
        self._set_state("dead")
        await kernel.close()

    async def leave(self) -> None:
        """End the kernel; the next run starts a fresh one."""
        kernel, self.kernel = self.kernel, None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._stop_idling()
        self._emptied()
        if kernel is not None:
            await kernel.close()
        self._set_state("none")

    async def _watch_kernel(self, kernel: kp.Kernel) -> None:
        reason = await kernel.wait_died()
        if self.kernel is kernel and self.state != "busy":  # Else the run that is under way learns of it.
            log.warning("kernel_died", reason=reason)
            await self.lose(kernel)

    async def _give_up_idle(self) -> None:
        await asyncio.sleep(self._idle_s)
        self._idling = None
        log.info("kernel_idle_ended", idle_s=self._idle_s)
        await self.leave()

    def _stop_idling(self) -> None:
        if self._idling is not None:
            self._idling.cancel()
            self._idling = None

    def _set_state(self, state: events.KernelState) -> None:
        if state != self.state:
            self.state = state
            self._owner.tell(events.KernelChanged(state))
