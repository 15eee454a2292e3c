"""What one round of the soak does: shared by the processes that take part in it."""

from pathlib import Path
from typing import Literal

import msgspec

Mode = Literal["records", "sessions"]
"""`records`: writers append through the store's client. `sessions`: clients edit through whole servers."""

MODES: tuple[Mode, ...] = ("records", "sessions")

WRITERS = 8
PROCESSES = 3
NOTEBOOKS = ("n0", "n1", "n2", "n3")
"""Fewer than writers, so that several compete for each log."""

REGION = "eu-west-1"


class Plan(msgspec.Struct, frozen=True):
    """One round: on one emulator, in one mode, with one seed."""

    engine: str
    mode: Mode
    seed: int
    edits: int
    """Of all writers together."""
    endpoint_url: str
    """The proxy's."""
    table: str
    folder: str
    """Where the processes leave what they were told and saw, and the blobs."""

    def edits_of(self, writer: int) -> int:
        return self.edits // WRITERS + (writer < self.edits % WRITERS)

    def told_by(self, writer: int) -> Path:
        """Each acknowledgement as a line of JSON."""
        return Path(self.folder) / f"told-{writer}.jsonl"

    def seen_by(self, process: int) -> Path:
        """Each history that the process's reader followed, a line for each record."""
        return Path(self.folder) / f"seen-{process}.jsonl"

    def counted_by(self, process: int) -> Path:
        """Its attempts; written at the end, so that it tells of a good one."""
        return Path(self.folder) / f"counted-{process}.json"


def log_of(notebook_id: str) -> str:
    """The log of one of NOTEBOOKS."""
    return f"ada/{notebook_id}"
