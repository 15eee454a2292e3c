"""Commits what a run reports: at once when it is little, in groups when it is much (W4), never lost to a full disk."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from quire.blobs.protocol import BlobError, BlobStore
from quire.notebook.changes import CellRan, CellsMarked
from quire.sessions.clock import now_ms
from quire.sessions.consequences import SYSTEM
from quire.sessions.errors import NotSaved, Refused
from quire.sessions.intents import Intent, Origin
from quire.sessions.notebook_intents import Record
from quire.sessions.offload import offload

log = structlog.get_logger(__name__)

PACE_S = 0.05
"""Shortest time between two commits of results: a DynamoDB partition takes 1,000 write units a second."""
CHUNK_BYTES_MAX = 48 * 1024
RETRY_S_MIN = 0.25
RETRY_S_MAX = 5.0

Fact = CellRan | CellsMarked


class ResultLog:
    """The way from a kernel's reports to the log, in order.

    Args:
        submit: hands an intent to the writer and returns when it is durable.
        failing: told why results cannot be saved now; they are kept and sent again. Told None when they are saved.
    """

    def __init__(
        self,
        blobs: BlobStore,
        log_id: str,
        submit: Callable[[Intent], Awaitable[object]],
        failing: Callable[[str | None], None],
    ) -> None:
        self._blobs = blobs
        self._log_id = log_id
        self._submit = submit
        self._failing = failing
        self._facts: list[Fact] = []
        self._unsaved: list[Fact] = []
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._hurry = asyncio.Event()
        self._task = asyncio.create_task(self._loop(), name=f"results {log_id}")

    def add(self, fact: Fact) -> None:
        """Commit `fact` soon."""
        self._facts.append(fact)
        self._drained.clear()
        self._arrived.set()

    def holds(self, cell_id: str) -> bool:
        """Whether a result of this cell is on its way, and not known to be durable yet."""
        facts = (*self._unsaved, *self._facts)
        return any(isinstance(fact, CellRan) and fact.cell_id == cell_id for fact in facts)

    async def drain(self) -> None:
        """Return when everything added so far is durable, or refused for good."""
        self._hurry.set()
        await self._drained.wait()
        self._hurry.clear()

    async def close(self) -> None:
        """Stop; what was not drained is lost to the log (its cells stay as they were)."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _loop(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._facts:
                self._unsaved, self._facts = self._facts, []
                await self._commit()
                if not self._hurry.is_set():
                    await self._pause()
            self._drained.set()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._hurry.wait(), PACE_S)
        except TimeoutError:
            return

    async def _commit(self) -> None:
        delay, failed = RETRY_S_MIN, False
        while self._unsaved:
            try:
                self._unsaved = [await self._offloaded(fact) for fact in self._unsaved]
                for chunk in _chunks(self._unsaved):
                    await self._submit(Record(Origin(SYSTEM, now_ms()), chunk))
                    self._unsaved = self._unsaved[len(chunk) :]
            except Refused as refusal:
                log.info("results_dropped", log_id=self._log_id, reason=str(refusal))
                self._unsaved = []
            except (NotSaved, BlobError) as error:
                failed = True
                self._failing(str(error))
                await asyncio.sleep(delay)
                delay = min(2 * delay, RETRY_S_MAX)
        if failed:
            self._failing(None)

    async def _offloaded(self, fact: Fact) -> Fact:
        return await offload(self._blobs, self._log_id, fact) if isinstance(fact, CellRan) else fact


def _chunks(facts: list[Fact]) -> list[tuple[Fact, ...]]:
    """Groups that fit one commit body each."""
    chunks: list[tuple[Fact, ...]] = []
    current: list[Fact] = []
    size = 0
    for fact in facts:
        bytes_of = len(msgspec.json.encode(fact))
        if current and size + bytes_of > CHUNK_BYTES_MAX:
            chunks.append(tuple(current))
            current, size = [], 0
        current.append(fact)
        size += bytes_of
    if current:
        chunks.append(tuple(current))
    return chunks
