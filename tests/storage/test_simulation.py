"""W1 to W3 under fire: several writers, one log, a store that loses requests and answers. A failing seed is printed."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from quire.storage.append import append_until_definite
from quire.storage.protocol import NotebookStore, Record, StoreUnavailable
from tests.storage.engines import DYNAMODB_ENGINES, ENGINES, whole_log
from tests.storage.faulty import FaultyStore

LOG = "alice/n1"
WRITERS = 5
EDITS = 12
SEEDS = {"memory": 150} | dict.fromkeys(DYNAMODB_ENGINES, 2)
"""How many simulations; 6 unless said here. Those of DynamoDB meet worse in tests/storage/dynamodb."""


async def _no_pause(_seconds: float) -> None:
    await asyncio.sleep(0)


async def _head(store: FaultyStore) -> int:
    while True:
        try:
            page = await store.read_newest(LOG, 1)
        except StoreUnavailable:
            continue
        return page.records[-1].revision if page.records else 0


async def _write(store: FaultyStore, writer: int) -> list[str]:
    """Append EDITS edits, each at whatever revision it wins; return those acknowledged."""
    acknowledged = []
    for number in range(EDITS):
        edit = f"writer-{writer}-edit-{number}"
        tries = 0
        while True:
            tries += 1
            head = await _head(store)
            # A new attempt after a lost race has other bytes, and so another commit id.
            record = Record(head + 1, f"{edit}-try-{tries}", edit.encode(), checkpoint_revision=1)
            try:
                result = await append_until_definite(store, LOG, record, pause=_no_pause)
            except StoreUnavailable:
                continue
            if result.accepted:
                break
        acknowledged.append(edit)
    return acknowledged


async def _simulate(store: NotebookStore, seed: int) -> Counter[str]:
    faulty = FaultyStore(store, random.Random(seed))
    acknowledged = await asyncio.gather(*(_write(faulty, writer) for writer in range(WRITERS)))
    await faulty.settle()
    records = await whole_log(store, LOG)
    told = f"seed {seed}, faults {faulty.faults}"
    assert [one.revision for one in records] == list(range(1, len(records) + 1)), f"a gap: {told}"
    counts = Counter(one.body.decode() for one in records)
    expected = {edit for edits in acknowledged for edit in edits}
    assert expected - set(counts) == set(), f"lost: {told}"
    assert set(counts) - expected == set(), f"nobody wrote: {told}"
    assert {edit: count for edit, count in counts.items() if count > 1} == {}, f"duplicated: {told}"
    for edits in acknowledged:
        written = [one.body.decode() for one in records if one.body.decode() in edits]
        assert written == edits, f"out of order: {told}"
    return Counter(faulty.faults)


@pytest.mark.parametrize("engine", ENGINES)
async def test_W2_W3_no_edit_is_lost_or_doubled_and_there_is_no_gap(engine: str, tmp_path: Path) -> None:
    faults: Counter[str] = Counter()
    for seed in range(SEEDS.get(engine, 6)):
        folder = tmp_path / str(seed)
        store = await ENGINES[engine](folder)
        faults += await _simulate(store, seed)
        await store.close()
    # A simulation in which nothing went wrong proves nothing.
    for kind in ("lost request", "lost answer", "zombie wrote", "zombie refused", "refused access", "read failed"):
        assert faults[kind] > 0, kind
