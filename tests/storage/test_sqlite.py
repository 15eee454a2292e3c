"""What only the SQLite engine has: a file that others may hold, delete, or have written."""

import asyncio
import threading
from pathlib import Path

import apsw
import pytest

from quire.storage.protocol import DamagedRecord, StoreUnavailable
from quire.storage.sqlite import SqliteStore
from quire.storage.sqlite_connection import WAL_BYTES_KEPT
from tests.storage.engines import fill, header, record, whole_log

LOG = "alice/n1"


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("quire-")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quire.db"


async def test_closing_leaves_one_file_and_no_thread(path: Path) -> None:
    store = await SqliteStore.open(path)
    await asyncio.gather(*(fill(store, f"alice/{number}", 3) for number in range(5)))
    await asyncio.gather(*(store.read_newest(f"alice/{number}") for number in range(5)))
    assert our_threads()
    await store.close()
    assert our_threads() == []
    assert [file.name for file in path.parent.iterdir()] == ["quire.db"]


async def test_closing_finishes_what_was_asked_before(path: Path) -> None:
    store = await SqliteStore.open(path)
    asked = [asyncio.create_task(store.append(f"alice/{number}", record(1))) for number in range(50)]
    await asyncio.sleep(0)  # each has begun
    await store.close()
    await asyncio.gather(*asked)
    again = await SqliteStore.open(path)
    for number in range(50):
        assert len(await whole_log(again, f"alice/{number}")) == 1
    await again.close()


async def test_W2_a_cancelled_append_is_either_there_or_not(path: Path) -> None:
    store = await SqliteStore.open(path)
    for revision in range(1, 30):
        asked = asyncio.create_task(store.append(LOG, record(revision)))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await store.check()  # goes through the same queue: the cancelled one is decided
        assert [one.revision for one in await whole_log(store, LOG)] == list(range(1, revision + 1))
    await store.close()


async def test_the_file_is_only_for_its_owner_to_enter(path: Path) -> None:
    store = await SqliteStore.open(path.parent / "a" / "b" / "quire.db")
    assert (path.parent / "a").stat().st_mode & 0o777 == 0o700
    assert (path.parent / "a" / "b").stat().st_mode & 0o777 == 0o700
    await fill(store, LOG, 1)
    files = list((path.parent / "a" / "b").iterdir())
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    await store.close()


async def test_every_commit_is_synced_to_the_disk(path: Path) -> None:
    store = await SqliteStore.open(path)
    settings = await store._readers.read(
        lambda connection: [connection.pragma(name) for name in ("journal_mode", "synchronous", "busy_timeout")]
    )
    assert settings == ["wal", 2, 0]
    await store.close()


async def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"shopping list\n" * 1000)
    with pytest.raises(StoreUnavailable, match="not a SQLite database: move it away"):
        await SqliteStore.open(path)
    assert path.read_bytes() == b"shopping list\n" * 1000
    assert our_threads() == []


async def test_another_programs_database_is_left_alone(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE songs(title)")
    with pytest.raises(StoreUnavailable, match="another program's database: name another file"):
        await SqliteStore.open(path)
    assert [name for (name,) in other.execute("SELECT name FROM sqlite_schema")] == ["songs"]
    assert other.pragma("journal_mode") == "delete"
    other.close()


async def test_a_newer_schema_asks_for_an_upgrade(path: Path) -> None:
    await (await SqliteStore.open(path)).close()
    newer = apsw.Connection(str(path))
    newer.pragma("user_version", 99)
    newer.close()
    with pytest.raises(StoreUnavailable, match=r"newer version of Quire \(schema 99.*upgrade"):
        await SqliteStore.open(path)


async def test_a_folder_that_cannot_be_made_is_named(path: Path) -> None:
    path.write_text("a file")
    with pytest.raises(StoreUnavailable, match=r"quire\.db"):
        await SqliteStore.open(path / "sub" / "quire.db")


async def test_W1_a_deleted_file_takes_no_writes_and_one_put_back_does(path: Path) -> None:
    store = await SqliteStore.open(path)
    await fill(store, LOG, 2)
    hidden = path.rename(path.with_name("hidden.db"))
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await store.append(LOG, record(3))
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await store.read_newest(LOG)
    assert not path.exists()
    hidden.rename(path)
    await store.append(LOG, record(3))
    assert [one.revision for one in await whole_log(store, LOG)] == [1, 2, 3]
    await store.close()


async def test_W2_a_locked_database_is_definite_and_heals(path: Path) -> None:
    store = await SqliteStore.open(path, busy_seconds=0.05)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="other processes keep it locked"):
        await store.append(LOG, record(1))
    assert await whole_log(store, LOG) == []  # readers do not wait
    other.execute("ROLLBACK")
    await store.append(LOG, record(1))
    other.close()
    await store.close()


async def test_a_write_waits_for_another_process_that_is_done_in_time(path: Path) -> None:
    store = await SqliteStore.open(path)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    asked = [asyncio.create_task(store.append(f"alice/{number}", record(1))) for number in range(10)]
    done, _ = await asyncio.wait(asked, timeout=0.05)
    assert not done
    other.execute("COMMIT")
    await asyncio.gather(*asked)
    other.close()
    await store.close()


async def test_no_read_transaction_is_left_open(path: Path) -> None:
    store = await SqliteStore.open(path)
    await fill(store, LOG, 100, size=20_000)
    await store.read_newest(LOG)  # ends early: the page is full
    await store.read_after(LOG, 3, 2)
    await store.read_one(LOG, 5)
    await store.create_header(header())
    async for _ in store.scan_headers():
        break
    other = apsw.Connection(str(path))
    assert other.pragma("user_version") == 1
    left, _ = other.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)  # raises BusyError while anyone reads
    assert left == 0
    other.close()
    await store.close()


async def test_the_write_ahead_log_stays_small(path: Path) -> None:
    store = await SqliteStore.open(path)
    for round_ in range(8):
        await asyncio.gather(*(fill(store, f"alice/{round_}-{number}", 10, size=60_000) for number in range(10)))
    assert path.stat().st_size > 40_000_000
    assert path.with_name("quire.db-wal").stat().st_size <= 2 * WAL_BYTES_KEPT
    await store.close()


async def test_a_damaged_value_names_its_log_and_revision(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.append(LOG, record(1, body=b"{" + b"abc " * 1000))
    await fill(store, LOG, 1, after=1)
    other = apsw.Connection(str(path))
    other.execute("UPDATE commits SET body = substr(body, 1, length(body) - 1) WHERE length(body) > 20")
    other.close()
    with pytest.raises(DamagedRecord, match=r"revision 1 of log alice/n1: .*cannot be read"):
        await store.read_newest(LOG)
    assert await store.read_one(LOG, 2) is not None
    await store.close()
