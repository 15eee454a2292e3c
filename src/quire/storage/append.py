"""Appending until the answer is definite: W2 and W3 in one place."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from quire.storage.protocol import KeyExists, OutcomeUnknown, Record, StoreUnavailable

PAUSE_SECONDS_MIN = 0.01
PAUSE_SECONDS_MAX = 2.0


class Log(Protocol):
    """What is needed of a NotebookStore."""

    async def append(self, log_id: str, record: Record) -> None: ...

    async def read_one(self, log_id: str, revision: int) -> Record | None: ...


class AppendResult(msgspec.Struct, frozen=True):
    """The definite answer to an append."""

    accepted: bool
    """The log holds our record at its revision. Else it never will, as long as its keys are not erased (W9)."""
    stored: Record | None = None
    """The record that is there instead of ours; None: accepted, or the log ends before that revision."""
    attempts: int = 1


async def append_until_definite(
    store: Log,
    log_id: str,
    record: Record,
    *,
    on_unknown: Callable[[Exception], None] | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AppendResult:
    """Send `record`, the same bytes each time, until the store says whether the log holds it.

    Never gives up: cancel it, and the outcome stays unknown. After a first unknown attempt StoreUnavailable is not
    definite either, since that attempt may have been the one that wrote (W2). A taken key is our own success if the
    record there carries our `commit_id` (W3).

    Args:
        store: any engine.
        log_id: the log.
        record: must not be changed by anyone while its revision is undecided.
        on_unknown: called once, with the reason, when the first attempt leaves the outcome unknown.
        pause: waits that many seconds between attempts.

    Raises:
        StoreUnavailable: the first attempt failed and wrote nothing. ItemTooLarge: it cannot be stored (W7).
    """
    attempts = 0
    undecided = False
    while True:
        attempts += 1
        try:
            return await _attempt(store, log_id, record, attempts)
        except OutcomeUnknown as error:
            reason: Exception = error
        except StoreUnavailable as error:
            if not undecided:
                raise
            reason = error
        if not undecided and on_unknown is not None:
            on_unknown(reason)
        undecided = True
        await pause(_pause_seconds(attempts))


async def _attempt(store: Log, log_id: str, record: Record, attempts: int) -> AppendResult:
    try:
        await store.append(log_id, record)
    except KeyExists as error:
        stored = error.stored
    else:
        return AppendResult(accepted=True, attempts=attempts)
    if stored is None:
        try:
            stored = await store.read_one(log_id, record.revision)
        except StoreUnavailable as error:
            # Refused, but by whose record? An earlier attempt, perhaps before a restart of the caller, may be it.
            raise OutcomeUnknown(f"revision {record.revision} is taken and cannot be read: {error}") from error
    if stored is not None and stored.commit_id == record.commit_id:
        return AppendResult(accepted=True, attempts=attempts)
    return AppendResult(accepted=False, stored=stored, attempts=attempts)


def _pause_seconds(attempts: int) -> float:
    """Doubling from 10 ms to 2 s, between half of it and all: writers that failed together come back apart."""
    # Bounded exponent: this may go on for days.
    longest: float = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN * 2 ** min(attempts - 1, 16))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads the writers, guards nothing
