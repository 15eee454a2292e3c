"""Whole sessions under fire, on every engine. A failing seed is printed, and how to run it again.

On the memory engine time is virtual: a pause of ten minutes takes none, and a seed is one order of events. The other
engines have threads and sockets, whose order no seed decides; there a seed decides the faults and what clients do.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
import structlog

import quire.storage.append
from quire.sessions import journal
from quire.storage.memory import MemoryStore
from tests.simulation.running import Simulation
from tests.simulation.virtual_time import VirtualTimeLoop
from tests.storage.engines import ENGINES

MEMORY_SEEDS = 200
SEEDS = {"sqlite": 8, "files": 8}
"""How many on each other engine; 2 unless said here."""

PAUSES = (0.001, 0.02, 0.5, 3.0, 30.0, 700.0)
"""Seconds, on the virtual clock: shorter and longer than a client waits for its answer, and than a proof of the head is
good for (W9)."""

MUST_BE_MET = (
    *("saved", "in doubt", "crash", "Conflict", "CellNotFound", "NotebookNotFound"),
    *("lost request", "lost answer", "zombie wrote", "zombie refused", "refused access", "read failed"),
)
"""A simulation in which nothing went wrong proves nothing."""


def run_in_virtual_time(seed: int) -> Simulation:
    """One seed on the memory engine."""
    simulation = Simulation(MemoryStore(), seed, pauses=PAUSES)
    with (
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
        pytest.MonkeyPatch.context() as patch,
        structlog.testing.capture_logs(),
    ):
        random.seed(seed)  # That of the pauses between attempts.
        patch.setattr(journal, "elapsed_seconds", runner.get_loop().time)
        faults = runner.run(simulation.run())
    assert faults == {}, f"seed {seed}: run_in_virtual_time({seed}) runs it again"
    return simulation


def test_W2_W3_W5_W9_I1_C6_nothing_acknowledged_is_lost_doubled_or_overwritten_unseen() -> None:
    met: Counter[str] = Counter()
    for seed in range(MEMORY_SEEDS):
        met += run_in_virtual_time(seed).met
    assert [kind for kind in MUST_BE_MET if not met[kind]] == []


def test_a_seed_is_one_order_of_events() -> None:
    first, second = run_in_virtual_time(7), run_in_virtual_time(7)
    assert first.met == second.met
    assert first.met != run_in_virtual_time(8).met


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine != "memory"])
async def test_W2_W3_W5_I1_C6_the_same_holds_on_every_engine(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quire.storage.append, "PAUSE_SECONDS_MAX", 0.02)
    met: Counter[str] = Counter()
    for seed in range(SEEDS.get(engine, 2)):
        store = await ENGINES[engine](tmp_path / str(seed))
        simulation = Simulation(store, seed)
        with structlog.testing.capture_logs():
            faults = await simulation.run()
        await store.close()
        assert faults == {}, f"seed {seed} on {engine}"
        met += simulation.met
    assert met["saved"] > 0
    assert met["in doubt"] > 0
