"""The readers of the SQLite engine: a few threads, each read with a connection of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

import apsw

from quire.storage.protocol import StoreUnavailable
from quire.storage.sqlite_connection import FileIdentity, connect, drop, explain, when_free

READERS_MAX = 4

T = TypeVar("T")
Query = Callable[[apsw.Connection], T]
"""Reads by one statement, to its end: no read transaction is left open. May run twice."""


class SqliteReaders:
    """Runs queries beside the writer; in WAL mode neither waits for the other."""

    def __init__(self, identity: FileIdentity, *, vfs: str | None = None) -> None:
        self._identity = identity
        self._vfs = vfs
        self._idle: SimpleQueue[apsw.Connection] = SimpleQueue()
        self._closed = False
        self._threads = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="quire-sqlite-reader")

    async def read(self, query: Query[T]) -> T:
        """The result of `query`, which sees every write that was answered before.

        Raises:
            StoreUnavailable: the database cannot be read. And what `query` raises.
        """
        return await self.run(lambda: self._read(query))

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, done in one of the threads."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def refuse(self) -> None:
        """From now on `read` and `run` raise StoreUnavailable."""
        self._closed = True

    def end(self) -> None:
        """Wait for the reads that began, end the threads, close the connections. Not for the event loop."""
        self._threads.shutdown(wait=True)
        while (connection := self._take_idle()) is not None:
            drop(connection)

    def _read(self, query: Query[T]) -> T:
        self._identity.check()
        connection = self._take_idle()
        try:
            if connection is None:
                connection = self._connect()
            reading = connection
            result = when_free(lambda: query(reading))
        except BaseException as error:
            # Whatever it was: a new connection next time, so that this store heals when its file does.
            if connection is not None:
                drop(connection)
            if isinstance(error, apsw.Error):
                raise StoreUnavailable(explain(error, self._identity.path)) from error
            raise
        self._idle.put(connection)
        return result

    def _take_idle(self) -> apsw.Connection | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _connect(self) -> apsw.Connection:
        connection = connect(self._identity.path, vfs=self._vfs)
        connection.pragma("query_only", 1)
        return connection
