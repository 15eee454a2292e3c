"""W9: what counts as a proof that a record exists."""

import pytest

from quire.storage.dynamodb import heads
from quire.storage.dynamodb.heads import LOGS_MAX, PROOF_SECONDS_MAX, ProvenHeads


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its first item is the time."""
    clock = [1000.0]
    monkeypatch.setattr(heads, "elapsed_seconds", lambda: clock[0])
    return clock


def test_W9_a_revision_proves_those_before_it_and_none_after() -> None:
    proven = ProvenHeads()
    assert not proven.proves("a", 1)
    proven.note("a", 7, 1000.0)
    assert [revision for revision in range(1, 10) if proven.proves("a", revision)] == list(range(1, 8))
    assert not proven.proves("b", 1)
    proven.forget("a")
    assert not proven.proves("a", 1)
    proven.forget("a")


def test_W9_a_proof_is_good_for_10_minutes_from_when_its_request_was_sent(clock: list[float]) -> None:
    proven = ProvenHeads()
    proven.note("a", 7, 990.0)
    clock[0] = 990.0 + PROOF_SECONDS_MAX - 1
    assert proven.proves("a", 7)
    clock[0] = 990.0 + PROOF_SECONDS_MAX
    assert not proven.proves("a", 7)


def test_W9_a_later_look_at_an_old_record_does_not_prove_the_head_anew(clock: list[float]) -> None:
    proven = ProvenHeads()
    proven.note("a", 7, 1000.0)
    clock[0] = 1500.0
    proven.note("a", 3, 1500.0)
    assert proven.proves("a", 7)
    clock[0] = 1600.0
    assert not proven.proves("a", 7)


def test_W9_after_a_roll_back_the_lower_head_counts(clock: list[float]) -> None:
    proven = ProvenHeads()
    proven.note("a", 200, 1000.0)
    clock[0] = 2000.0
    proven.note("a", 150, 2000.0)
    assert proven.proves("a", 150)
    assert not proven.proves("a", 200)


def test_what_is_kept_is_bounded() -> None:
    proven = ProvenHeads()
    for number in range(LOGS_MAX + 10):
        proven.note(f"log-{number}", 1, 1000.0)
        proven.note("used", 1, 1000.0)
    assert not proven.proves("log-0", 1)
    assert proven.proves("used", 1)
    assert proven.proves(f"log-{LOGS_MAX + 9}", 1)
