"""Readers that follow logs while they grow: each history is, at any time, a prefix of what the log becomes (C3, C6)."""

import asyncio

import msgspec

from quire.storage.protocol import NotebookStore, StorageError


class Observed(msgspec.Struct, frozen=True):
    """One record, as a reader found it."""

    log_id: str
    revision: int
    commit_id: str


class Reader:
    """Follows some logs, page by page."""

    def __init__(self, store: NotebookStore, log_ids: list[str]) -> None:
        self._store = store
        self._heads = dict.fromkeys(log_ids, 0)
        self.history: list[Observed] = []

    async def follow(self, until: asyncio.Event) -> None:
        """Read all logs in turn until told to end, and once more behind that."""
        ending = False
        while not ending:
            ending = until.is_set()
            for log_id in self._heads:
                await self._catch_up(log_id)
            for _ in range(60):  # Some seconds between two rounds: the writers need the machine more.
                if not until.is_set():
                    await asyncio.sleep(0.05)

    async def _catch_up(self, log_id: str) -> None:
        more = True
        while more:
            try:
                newest = await self._store.read_newest(log_id, 1)
                page = await self._store.read_after(log_id, self._heads[log_id])
            except StorageError:
                await asyncio.sleep(0)
                continue
            head = newest.records[-1].revision if newest.records else 0
            if head < self._heads[log_id]:
                raise AssertionError(f"C6: {log_id} ended at {head}, after it was read up to {self._heads[log_id]}")
            for record in page.records:
                if record.revision != self._heads[log_id] + 1:
                    raise AssertionError(f"C3: {log_id}: {record.revision} was read behind {self._heads[log_id]}")
                self._heads[log_id] = record.revision
                self.history.append(Observed(log_id, record.revision, record.commit_id))
            more = page.more
