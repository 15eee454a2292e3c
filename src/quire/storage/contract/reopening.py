"""What engines do that keep their data: closed and opened again; opened twice at a time."""

# ruff: noqa: N802 - a title begins with the rule that it proves

import asyncio
from typing import Protocol

import pytest

from quire.storage.contract.samples import LOG, fill, header, record, whole_log
from quire.storage.protocol import Header, KeyExists, NotebookStore


class Ground(Protocol):
    """Somewhere to keep data, empty at first."""

    async def open(self) -> NotebookStore:
        """A store of the data there; after `close`, or beside another, it is opened again."""
        ...


@pytest.mark.asyncio
class ReopeningContract:
    """For engines whose data outlives the process; the fixture `ground` gives fresh ground."""

    async def test_W1_what_was_acknowledged_is_there_after_reopening(self, ground: Ground) -> None:
        store = await ground.open()
        await fill(store, LOG, 100, size=2000)
        expected = await whole_log(store, LOG)
        await store.close()
        again = await ground.open()
        assert await whole_log(again, LOG) == expected
        await fill(again, LOG, 1, after=100)
        with pytest.raises(KeyExists):
            await again.append(LOG, record(100))

    async def test_headers_are_there_after_reopening(self, ground: Ground) -> None:
        store = await ground.open()
        kept = [header(notebook_id=f"n{number}", db_conn_string=b"\0x", deleted_at=number % 2) for number in range(10)]
        for one in kept:
            await store.create_header(one)
        await store.close()
        again = await ground.open()
        found: list[Header] = [one async for one in again.scan_headers()]
        assert sorted(found, key=lambda one: one.notebook_id) == kept


@pytest.mark.asyncio
class SharingContract:
    """For engines whose data several stores may use at a time; the fixture `ground` gives fresh ground."""

    async def test_W1_two_stores_on_the_same_ground_are_one(self, ground: Ground) -> None:
        first, second = await ground.open(), await ground.open()
        for revision in range(1, 40):
            writer, reader = (first, second) if revision % 2 else (second, first)
            await writer.append(LOG, record(revision))
            assert await reader.read_one(LOG, revision) == record(revision)
            with pytest.raises(KeyExists):
                await reader.append(LOG, record(revision, commit_id="late"))
        rivals = [(store, record(40, commit_id=f"rival-{number}")) for number, store in enumerate((first, second) * 5)]
        answers = await asyncio.gather(*(store.append(LOG, one) for store, one in rivals), return_exceptions=True)
        assert [answer is None for answer in answers].count(True) == 1
