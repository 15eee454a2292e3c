"""The two clocks: one for people, one for elapsed time."""

import time


def now_ms() -> int:
    """Milliseconds since the epoch. No correctness rests on it."""
    return time.time_ns() // 1_000_000


def elapsed_seconds() -> float:
    """Seconds on a clock that counts sleep, where the system has one (W9)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
