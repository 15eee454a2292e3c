"""W2 and W3: sending until the answer is definite."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from quire.storage.append import PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN, AppendResult, append_until_definite
from quire.storage.memory import MemoryStore
from quire.storage.protocol import (
    ItemTooLarge,
    KeyExists,
    NotebookStore,
    OutcomeUnknown,
    Record,
    StoreUnavailable,
)
from tests.storage.engines import fill, incompressible, record

LOG = "alice/n1"
MINE = record(2, commit_id="mine", body=b'{"mine":1}')
THEIRS = record(2, commit_id="theirs")
UNKNOWN = OutcomeUnknown("timed out")
UNAVAILABLE = StoreUnavailable("access denied")


class Script:
    """A store that answers appends and reads as a test says, and keeps what it was sent."""

    def __init__(self, appends: list[Exception | None], reads: list[Exception | Record | None] | None = None) -> None:
        self._appends = iter(appends)
        self._reads = iter(reads or [])
        self.sent: list[tuple[str, Record]] = []
        self.read: list[int] = []
        self.sent_often = asyncio.Event()

    async def append(self, log_id: str, record: Record) -> None:
        self.sent.append((log_id, record))
        if len(self.sent) == 500:
            self.sent_often.set()
        answer = next(self._appends)
        if answer is not None:
            raise answer

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        assert log_id == LOG
        self.read.append(revision)
        answer = next(self._reads)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def _no_pause(_seconds: float) -> None:
    await asyncio.sleep(0)


async def send(
    script: Script,
    *,
    on_unknown: Callable[[Exception], None] | None = None,
    pause: Callable[[float], Awaitable[None]] = _no_pause,
) -> AppendResult:
    return await append_until_definite(script, LOG, MINE, on_unknown=on_unknown, pause=pause)


async def test_W2_an_accepted_record_is_sent_once() -> None:
    script = Script([None])
    assert await send(script) == AppendResult(accepted=True, attempts=1)
    assert script.sent == [(LOG, MINE)]


async def test_W2_an_unknown_outcome_sends_the_very_same_record_again() -> None:
    script = Script([UNKNOWN, UNKNOWN, UNKNOWN, None])
    assert await send(script) == AppendResult(accepted=True, attempts=4)
    assert all(log_id == LOG and sent is MINE for log_id, sent in script.sent)


async def test_W2_unavailable_at_first_is_definite() -> None:
    script = Script([UNAVAILABLE])
    with pytest.raises(StoreUnavailable):
        await send(script)
    assert len(script.sent) == 1


async def test_W2_unavailable_after_an_unknown_attempt_is_not_definite() -> None:
    script = Script([UNKNOWN, UNAVAILABLE, UNAVAILABLE, KeyExists(2, MINE)])
    assert await send(script) == AppendResult(accepted=True, attempts=4)


async def test_W2_too_large_is_definite() -> None:
    with pytest.raises(ItemTooLarge):
        await append_until_definite(MemoryStore(), LOG, record(1, body=incompressible(400_000)))


async def test_W3_a_taken_key_with_our_commit_id_is_our_own_success() -> None:
    assert (await send(Script([UNKNOWN, KeyExists(2, MINE)]))).accepted
    script = Script([UNKNOWN, KeyExists(2, None)], [MINE])
    assert await send(script) == AppendResult(accepted=True, attempts=2)
    assert script.read == [2]


async def test_W3_a_taken_key_with_another_commit_id_is_a_lost_race() -> None:
    lost = AppendResult(accepted=False, stored=THEIRS, attempts=1)
    assert await send(Script([KeyExists(2, THEIRS)])) == lost
    assert await send(Script([KeyExists(2, None)], [THEIRS])) == lost


async def test_W3_a_record_that_does_not_follow_the_head_is_lost() -> None:
    assert await send(Script([KeyExists(2, None)], [None])) == AppendResult(accepted=False, attempts=1)


async def test_W3_a_refusal_that_cannot_be_read_is_not_definite() -> None:
    script = Script([KeyExists(2, None), UNAVAILABLE, KeyExists(2, None)], [UNAVAILABLE, MINE])
    assert await send(script) == AppendResult(accepted=True, attempts=3)


async def test_W2_the_caller_is_told_once_and_why() -> None:
    told: list[Exception] = []
    await send(Script([UNKNOWN, UNAVAILABLE, UNKNOWN, None]), on_unknown=told.append)
    assert told == [UNKNOWN]
    told.clear()
    await send(Script([None]), on_unknown=told.append)
    assert told == []


async def test_W2_pauses_grow_to_a_bound_and_are_spread() -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    await send(Script([*[UNKNOWN] * 100, None]), pause=note)
    assert len(pauses) == 100
    for number, seconds in enumerate(pauses):
        longest = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN * 2 ** min(number, 30))
        assert longest / 2 <= seconds <= longest
    assert len(set(pauses)) > 90


async def test_W2_it_never_gives_up_but_can_be_cancelled() -> None:
    script = Script([UNKNOWN] * 10_000)
    sending = asyncio.create_task(send(script))
    await script.sent_often.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_W3_with_each_engine(store: NotebookStore) -> None:
    await fill(store, LOG, 1)
    assert await append_until_definite(store, LOG, MINE) == AppendResult(accepted=True)
    assert await append_until_definite(store, LOG, MINE) == AppendResult(accepted=True)
    assert await append_until_definite(store, LOG, THEIRS) == AppendResult(accepted=False, stored=MINE)
    assert await append_until_definite(store, LOG, record(9)) == AppendResult(accepted=False)
