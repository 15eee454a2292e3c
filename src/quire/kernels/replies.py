"""Tells a kernel that takes long from one that a cell has broken: it would never say that its plan is over."""

import asyncio
from typing import Any

from quire.kernels.channels import Channels

AFTER_REPLY_S = 2.0
"""The last batch is sent before ipykernel's own reply; it comes on another socket."""
BROKEN = (
    "The kernel was ended: a cell has changed it in a way that left it unable to run cells. "
    "Its variables are gone; the next run starts a fresh kernel."
)


class Reply:
    """What is still to come for one plan that has just been sent."""

    def __init__(self, channels: Channels) -> None:
        self._replied = asyncio.create_task(channels.plan_replied(), name="kernel reply")

    @property
    def expected(self) -> set[asyncio.Future[Any]]:
        """To be waited for together with the next batch."""
        return set() if self._replied.done() else {self._replied}

    @property
    def patience(self) -> float | None:
        """How long to wait for the next batch, in s; None: as long as it takes.

        A kernel that says nothing is not broken for that: compiled code may keep the interpreter to itself.
        """
        return AFTER_REPLY_S if self._replied.done() else None

    def close(self) -> None:
        if not self._replied.cancel() and not self._replied.cancelled():
            self._replied.exception()  # A reply that makes no sense is one all the same.
