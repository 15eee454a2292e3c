"""Whom the operating system serves first, and whom it gives up first: never the server."""

import os
from pathlib import Path

_OUT_OF_MEMORY_SCORE = Path("/proc/self/oom_score_adj")
_RAISED = 300
"""Of 1,000: a kernel is ended before another process of its size."""


def yield_to_others(nice: int) -> None:
    """Take the processor only when the server and others leave it, and be the first to go when memory runs out."""
    os.nice(nice)
    if _OUT_OF_MEMORY_SCORE.exists():
        try:
            _OUT_OF_MEMORY_SCORE.write_text(str(max(_RAISED, int(_OUT_OF_MEMORY_SCORE.read_text()))))
        except PermissionError:
            # Some containers forbid it; the limits on memory are there all the same.
            return
