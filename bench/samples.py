"""Repeated measurements and what is reported of them."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure."""

    rounds: int
    """How often what is slow is measured; what is fast, several times as often."""
    marimo: bool
    """Whether to measure marimo as well."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Values of one quantity; the unit is the table's."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """By nearest rank: of 10 values the largest."""
        return self._rank(0.95)

    @property
    def p99(self) -> float:
        """By nearest rank."""
        return self._rank(0.99)

    def _rank(self, share: float) -> float:
        return sorted(self.values)[math.ceil(share * len(self.values)) - 1]

    def as_json(self) -> dict[str, Any]:
        return {"n": len(self.values), "median": self.median, "p95": self.p95, "values": list(self.values)}


def stopwatch() -> Callable[[], float]:
    """Starts now; each call gives the milliseconds since."""
    start = time.perf_counter()
    return lambda: 1000 * (time.perf_counter() - start)


def repeated(action: Callable[[int], float], rounds: int, *, warm_up: int = WARM_UP) -> Samples:
    """What `action` returns for round 0, 1, ...; the first `warm_up` rounds do not count."""
    return Samples(tuple(action(number) for number in range(warm_up + rounds))[warm_up:])


def repeated_in_turn(actions: Sequence[Callable[[int], float]], rounds: int) -> list[Samples]:
    """As `repeated`, for each action; they take turns, so that a disturbance of the machine meets all alike."""
    taken: list[list[float]] = [[] for _ in actions]
    for number in range(WARM_UP + rounds):
        for action, values in zip(actions, taken, strict=True):
            values.append(action(number))
    return [Samples(tuple(values[WARM_UP:])) for values in taken]


def timed(action: Callable[[int], object]) -> Callable[[int], float]:
    """`action`, returning the milliseconds it took."""

    def run(number: int) -> float:
        elapsed = stopwatch()
        action(number)
        return elapsed()

    return run
