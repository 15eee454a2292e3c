"""A short soak: `make soak` runs the long one. A failure prints its seed and how to run it again."""

import pytest

from tests.emulators.processes import EMULATORS, EmulatorMissing
from tests.soak.plan import MODES, Mode
from tests.soak.rounds import Outcome, run_round
from tests.soak.tables import COLUMNS, KINDS, complaint_of, row_of, sum_of, table_of

EDITS = 160


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("engine", EMULATORS)
async def test_W1_W2_W3_C3_C6_nothing_is_lost_between_processes_and_a_failing_network(engine: str, mode: Mode) -> None:
    """8 writers in 3 processes compete for 4 logs; readers see beginnings of what the logs become."""
    seed = 20 + MODES.index(mode)
    try:
        outcome = await run_round(engine, mode, seed, EDITS)
    except EmulatorMissing as missing:
        pytest.skip(f"{engine}: {missing}")
    assert outcome.faults == {}, complaint_of(outcome, EDITS)
    assert outcome.acknowledged >= EDITS
    # A soak in which nothing went wrong proves nothing.
    assert sum(outcome.met[kind] for kind in KINDS) > EDITS / 4, dict(outcome.met)


def test_a_failure_is_shown_with_its_seed_and_how_to_run_it_again() -> None:
    outcome = Outcome("moto", "records", 7, commits=1999, acknowledged=2000)
    outcome.add("ada/n0", {"lost": ["edit-1"]})
    told = complaint_of(outcome, 2000)
    assert "seed 7 on moto" in told
    assert "ada/n0: edit-1" in told
    assert "python -m tests.soak --engine moto --mode records --seed 7 --commits 2000" in told
    table = table_of([row_of(outcome), sum_of([outcome, outcome])]).splitlines()
    assert table[2].split("|")[1 + COLUMNS.index("lost")].strip() == "1"
    assert table[3].split("|")[1 + COLUMNS.index("commits")].strip() == "3,998"
