"""W1 to W3 under fire: several writers, one log, a store that loses requests and answers. A failing seed is printed."""

import random
from collections import Counter
from pathlib import Path

import pytest

from quire.storage.protocol import NotebookStore
from tests.storage.engines import DYNAMODB_ENGINES, ENGINES, whole_log
from tests.storage.faulty import FaultyStore
from tests.storage.racing import edits_in, judge, race

LOG = "alice/n1"
WRITERS = 5
EDITS = 12
SEEDS = {"memory": 150} | dict.fromkeys(DYNAMODB_ENGINES, 2)
"""How many simulations; 6 unless said here. Those of DynamoDB meet worse in tests/storage/dynamodb."""


async def _simulate(store: NotebookStore, seed: int) -> Counter[str]:
    faulty = FaultyStore(store, random.Random(seed))
    told = await race([faulty] * WRITERS, LOG, edits=EDITS)
    await faulty.settle()
    records = await whole_log(store, LOG)
    assert judge(edits_in(records), told).faults == {}, f"seed {seed}, faults {faulty.faults}"
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
