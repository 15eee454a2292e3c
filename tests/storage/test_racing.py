"""The judge of the simulations: each thing that may be wrong with a log is seen."""

import pytest

from tests.storage.racing import Saved, judge

TOLD = [[Saved("a0", 1), Saved("a1", 3)], [Saved("b0", 2)]]


def test_W1_a_log_that_holds_what_was_told_is_clean() -> None:
    assert judge({1: ["a0"], 2: ["b0"], 3: ["a1"]}, TOLD).faults == {}


@pytest.mark.parametrize(
    ("log", "faults"),
    [
        ({1: ["a0"], 2: ["b0"]}, {"lost": ["a1"]}),
        ({1: ["a0"], 2: ["b0"], 3: ["a1"], 4: ["a1"]}, {"doubled": ["a1"], "moved": ["a1"]}),
        ({1: ["a0"], 3: ["b0", "a1"]}, {"gaps": ["2"], "moved": ["b0"]}),
        ({1: ["a0"], 2: ["b0"], 3: ["a1"], 4: ["c"]}, {"unasked": ["c"]}),
        ({1: ["a1"], 2: ["b0"], 3: ["a0"]}, {"moved": ["a0", "a1"], "disordered": ["a1"]}),
    ],
)
def test_W1_what_is_wrong_is_named(log: dict[int, list[str]], faults: dict[str, list[str]]) -> None:
    assert judge(log, TOLD).faults == faults
