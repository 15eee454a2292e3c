"""Revisions that this process has seen in a log lately.

DynamoDB can put on the condition that a key is free, but not that the one before it is taken. So a put is only sent
on the proof that its predecessor exists: this process wrote or read it, strongly consistently, within 10 minutes (W9);
without a proof it is read. Records vanish only when gc erases a log, a day after a fence.
"""

import time
from collections import OrderedDict

PROOF_SECONDS_MAX = 600
LOGS_MAX = 10_000


def elapsed_seconds() -> float:
    """Seconds on a clock that counts sleep, where the system has one (W9)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ProvenHeads:
    """For each log used lately the highest revision seen, and when."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def note(self, log_id: str, revision: int, at: float) -> None:
        """A request that was sent at `at` proved that the log holds `revision`, and so those before it."""
        known = self._seen.get(log_id)
        # A proof of a lower revision says nothing about a higher one, unless that one is forgotten by now.
        self._seen[log_id] = (revision, at) if known is None or _expired(known) else max(known, (revision, at))
        self._seen.move_to_end(log_id)
        if len(self._seen) > LOGS_MAX:
            self._seen.popitem(last=False)

    def proves(self, log_id: str, revision: int) -> bool:
        """Whether `revision` is known to exist."""
        known = self._seen.get(log_id)
        return known is not None and known[0] >= revision and not _expired(known)

    def forget(self, log_id: str) -> None:
        """The log is being erased."""
        self._seen.pop(log_id, None)


def _expired(proof: tuple[int, float]) -> bool:
    return elapsed_seconds() - proof[1] >= PROOF_SECONDS_MAX
