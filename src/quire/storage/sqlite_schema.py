"""The tables of the SQLite engine, and how a database file comes to be.

A record's key is one integer, `position` = number of the log << 32 | revision, so that a log's records lie side by
side in the table itself: an append to one log writes one page (4.6 KB with a body of 200 bytes; 9.9 KB with a key of
text and number in an index of its own, 7.6 KB WITHOUT ROWID), and the newest 64 records are one short range.
"""

import os
from pathlib import Path

import apsw

from quire.storage.protocol import StoreUnavailable
from quire.storage.sqlite_connection import connect, drop, when_free

SCHEMA_VERSION = 1
"""Kept as `user_version`."""

APPLICATION_ID = 0x51756972
"""Kept as `application_id`: tells our files from other programs' ('Quir')."""

REVISION_BITS = 32

_TABLES = """
CREATE TABLE logs(
    number INTEGER PRIMARY KEY,
    log_id TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE commits(
    position INTEGER PRIMARY KEY,
    commit_id TEXT NOT NULL,
    body BLOB NOT NULL,
    checkpoint_revision INTEGER NOT NULL,
    checkpoint BLOB
) STRICT;
CREATE TABLE headers(
    user_id TEXT NOT NULL,
    notebook_id TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    db_conn_string BLOB NOT NULL,
    ttl INTEGER NOT NULL,
    PRIMARY KEY(user_id, notebook_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX headers_by_notebook ON headers(notebook_id);
CREATE TABLE probe(id INTEGER PRIMARY KEY, checks INTEGER NOT NULL) STRICT;
"""


def open_database(path: Path, *, vfs: str | None = None) -> apsw.Connection:
    """A connection to the database at `path`, which is made if there is none; its folder too (0700).

    Raises:
        StoreUnavailable: it belongs to another program or to a newer version.
        apsw.Error, OSError: it cannot be opened or made.
    """
    new_folders = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    for folder in reversed(new_folders):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)  # an empty database; SQLite gives its other files the same permissions
    connection = connect(path, create=True, vfs=vfs)
    try:
        when_free(lambda: _prepare(connection, path))
    except BaseException:
        drop(connection)
        raise
    # A process that was killed may have left commits that it had not synced yet. SQLite has just taken them over as
    # they are: what was found must not vanish once we have answered for it (W2).
    _sync(path.with_name(f"{path.name}-wal"), missing_ok=True)
    for folder in (path.parent, *(made.parent for made in new_folders)):
        _sync(folder)  # SQLite syncs its files, not the names of new ones
    return connection


def _prepare(connection: apsw.Connection, path: Path) -> None:
    """Make the tables or check that they are ours; may be called again after a busy error."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    if not _is_ready(connection, path):
        # WAL cannot be set inside of a transaction, and the file keeps it.
        connection.pragma("journal_mode", "WAL")
        connection.execute("BEGIN IMMEDIATE")
        if not _is_ready(connection, path):
            connection.execute(_TABLES)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", SCHEMA_VERSION)
        connection.execute("COMMIT")
    mode = connection.pragma("journal_mode", "WAL")
    if mode != "wal":
        raise StoreUnavailable(f"database {path}: its file system cannot do WAL (shared memory): use a local disk")


def _is_ready(connection: apsw.Connection, path: Path) -> bool:
    """Whether the tables are there; raises StoreUnavailable if somebody else's or a newer version's are."""
    application = connection.pragma("application_id")
    version = connection.pragma("user_version")
    if application == APPLICATION_ID and version == SCHEMA_VERSION:
        return True
    if application == APPLICATION_ID and version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"database {path} was written by a newer version of Quire (schema {version}; this one knows "
            f"{SCHEMA_VERSION}): upgrade this server, or name another file"
        )
    if application or version or connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StoreUnavailable(f"{path} is another program's database: name another file")
    return False


def _sync(path: Path, *, missing_ok: bool = False) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        if missing_ok:
            return
        raise
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
