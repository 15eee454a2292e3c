"""What the measurements ran on, and how much of it others used meanwhile."""

import os
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import apsw
import psutil

PACKAGES = ("quire", "ipykernel", "jupyter-client", "uvicorn", "websockets")

QUIET_PERCENT = 10.0
OBSERVED_S = 1.0


def description() -> dict[str, Any]:
    """The size of the machine and the versions of what matters."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        **{name: version(name) for name in PACKAGES},
    }


def await_quiet(seconds_max: float) -> None:
    """Return when the machine has been idle for a second, but after `seconds_max` in any case."""
    give_up_at = time.monotonic() + seconds_max
    while time.monotonic() < give_up_at and psutil.cpu_percent(OBSERVED_S) > QUIET_PERCENT:
        pass  # cpu_percent has waited


def watch_others() -> Callable[[], float]:
    """Starts now; a call gives the share of the machine, in percent, that other programs have used since.

    The processes that we started count as ours.
    """
    began, busy_before, ours_before = time.monotonic(), _busy_s(), _our_s()

    def used() -> float:
        others = (_busy_s() - busy_before) - (_our_s() - ours_before)
        share = 100 * others / ((time.monotonic() - began) * (os.cpu_count() or 1))
        return min(max(share, 0.0), 100.0)

    return used


def _busy_s() -> float:
    """Processor seconds that the machine has spent on anything."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _our_s() -> float:
    """Of this process, of its children that have ended, and of those that live."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    ended = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return ended + sum(map(_living_s, psutil.Process().children(recursive=True)))


def _living_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
