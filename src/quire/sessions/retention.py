"""How long the trash keeps a notebook (H3)."""

from quire.storage.protocol import Header

TRASH_MS = 30 * 24 * 3600 * 1000


def restorable(header: Header, now_ms: int) -> bool:
    """Whether a notebook in the trash can still be brought back for sure: clean-up has not begun with it."""
    return now_ms - header.deleted_at < TRASH_MS
