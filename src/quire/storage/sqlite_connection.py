"""Connections to a SQLite database file: how they are set up, how a busy one is waited for, what errors mean."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw
import structlog

from quire.storage.protocol import StoreUnavailable

BUSY_SECONDS_MAX = 5.0
"""How long a write waits for other processes before it is refused."""

_RETRY_SECONDS = (0.0002, 0.002)
"""SQLite's own busy time-out sleeps ever longer and so starves under saturating writers; this is fair enough."""

WAL_BYTES_KEPT = 8 * 1024 * 1024
"""The write-ahead log is cut to this when it starts anew: below, it is written over, which syncs faster."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


def connect(path: Path, *, create: bool = False, vfs: str | None = None) -> apsw.Connection:
    """A connection that syncs every commit (W1) and never sleeps inside SQLite.

    Raises:
        apsw.Error: as SQLite reports it; see `explain`.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    try:
        when_free(lambda: _set_up(connection))
    except BaseException:
        drop(connection)
        raise
    return connection


def _set_up(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(0)
    # Even these may find the database busy: they read its schema, which another process may be making.
    connection.pragma("synchronous", "FULL")
    connection.pragma("fullfsync", 1)  # macOS: through the drive's cache; elsewhere it does nothing
    connection.pragma("checkpoint_fullfsync", 1)
    connection.pragma("journal_size_limit", WAL_BYTES_KEPT)
    connection.pragma("trusted_schema", 0)


def drop(connection: apsw.Connection) -> None:
    """Close a connection that has failed; its transaction is rolled back. Never raises."""
    try:
        connection.close(force=True)
    except apsw.Error as error:
        # SQLite tried to tidy its files on the same failing disk; whoever opens them next does that again.
        _log.debug("failed_connection_closed", reason=str(error))


def when_free(action: Callable[[], T], *, seconds_max: float = BUSY_SECONDS_MAX) -> T:
    """Call `action` until SQLite is not busy, sleeping 0.2 to 2 ms in between; for threads, not for the event loop.

    Raises:
        apsw.BusyError: still busy after `seconds_max`. And whatever else `action` raises.
    """
    give_up_at = time.monotonic() + seconds_max
    while True:
        try:
            return action()
        except apsw.BusyError:
            if time.monotonic() >= give_up_at:
                raise
        time.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311 - spreads the writers, guards nothing


class FileIdentity:
    """Tells whether the path still leads to the file that was opened.

    SQLite goes on writing to a file that was deleted or replaced: such edits would be acknowledged, then lost.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity = self._stat()

    def check(self) -> None:
        """Raise StoreUnavailable if it does not."""
        try:
            same = self._stat() == self._identity
        except FileNotFoundError:
            same = False
        except OSError as error:
            raise StoreUnavailable(f"the database cannot be reached: {error}") from error
        if not same:
            raise StoreUnavailable(
                f"the database {self.path} was deleted or replaced while the server ran: put it back or restart"
            )

    def _stat(self) -> tuple[int, int]:
        status = os.stat(self.path)  # noqa: PTH116 - runs before every commit; a Path costs three times as much
        return status.st_dev, status.st_ino


_REASONS: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.FullError, "the disk is full: make room on it"),
    (apsw.ReadOnlyError, "it is read-only: check the permissions of the file and of its folder"),
    (apsw.PermissionsError, "permission denied: check the permissions of the file and of its folder"),
    (
        apsw.CantOpenError,
        "it cannot be opened: check that its folder exists and may be written, and that the disk has room",
    ),
    (apsw.NotADBError, "the file is not a SQLite database: move it away, or name another one"),
    (apsw.CorruptError, "the file is damaged: restore it from a copy, or try `sqlite3 FILE .recover`"),
    (apsw.BusyError, "other processes keep it locked"),
    (apsw.NoMemError, "out of memory"),
    (apsw.IOError, "the disk reports an error (it may be full or failing)"),
)


def explain(error: apsw.Error, path: Path) -> str:
    """What went wrong, and what to do about it."""
    reason = next((text for kind, text in _REASONS if isinstance(error, kind)), "SQLite refuses")
    return f"database {path}: {reason} ({error})"
