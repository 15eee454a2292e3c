"""What only the files engine has: a folder that people may look into, copy, and put things into."""

import asyncio
import json
import os
import threading
import zlib
from pathlib import Path

import pytest

from quire.storage.files import FilesStore
from quire.storage.files_log import LogFile
from quire.storage.files_logs import OpenLogs
from quire.storage.protocol import DamagedRecord, StoreUnavailable
from tests.storage.engines import fill, header, record, whole_log

LOG = "alice/n1"


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("quire-")]


def our_descriptors(folder: Path) -> int:
    count = 0
    for path in Path("/proc/self/fd").iterdir():
        try:
            count += path.readlink().is_relative_to(folder)
        except FileNotFoundError:
            continue  # the one that listed them
    return count


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_the_folder_can_be_read_by_people(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path / "notebooks")
    body = b'{"format":1,"commit":{}}'
    await store.append("ann%40example.com/demo-Ann", record(1, body=body, checkpoint=b"{}\n{}\n"))
    await store.append("ann%40example.com/demo-Ann", record(2, body=b"\xff"))
    await store.create_header(header("ann@example.com", "demo-Ann", name="Süße Daten", db_conn_string=b"\xff"))
    await store.check()
    await store.close()
    assert names(tmp_path / "notebooks") == [
        "format",
        "headers",
        "headers/ann@example.com",
        "headers/ann@example.com/demo-%41nn.json",
        "lock",
        "logs",
        "logs/ann%2540example.com%2fdemo-%41nn.jsonl",
    ]
    lines = (tmp_path / "notebooks" / "logs" / "ann%2540example.com%2fdemo-%41nn.jsonl").read_bytes().splitlines()
    first, second = map(json.loads, lines)
    assert first["record"]["body"] == body.decode()
    assert first["record"]["checkpoint"] == "{}\n{}\n"
    assert second["record"]["body_base64"] == "/w=="
    stored = lines[0][lines[0].index(b'"record":') + 9 : -1]
    assert (first["crc32"], first["bytes"]) == (f"{zlib.crc32(stored):08x}", len(stored))
    found = json.loads((tmp_path / "notebooks" / "headers/ann@example.com/demo-%41nn.json").read_bytes())
    assert (found["name"], found["revision"]) == ("Süße Daten", 1)


async def test_the_folder_is_only_for_its_owner_to_enter(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path / "a" / "b")
    await fill(store, LOG, 1)
    await store.create_header(header())
    await store.close()
    for path in [tmp_path / "a", *(tmp_path / "a").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


async def test_closing_leaves_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    await asyncio.gather(*(fill(store, f"alice/{number}", 3) for number in range(5)))
    assert our_threads()
    await store.close()
    assert our_threads() == []
    assert our_descriptors(tmp_path) == 0


async def test_closing_finishes_what_was_asked_before(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    asked = [asyncio.create_task(store.append(f"alice/{number}", record(1))) for number in range(50)]
    await asyncio.sleep(0)  # each has begun
    await store.close()
    await asyncio.gather(*asked)
    again = await FilesStore.open(tmp_path)
    for number in range(50):
        assert len(await whole_log(again, f"alice/{number}")) == 1
    await again.close()


async def test_W1_work_on_one_log_is_done_in_the_order_in_which_it_came(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    await asyncio.gather(*(store.append(LOG, record(revision)) for revision in range(1, 40)))
    assert [one.revision for one in await whole_log(store, LOG)] == list(range(1, 40))
    await store.close()


async def test_W2_a_cancelled_append_is_either_there_or_not(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    head = 0
    for _ in range(30):
        asked = asyncio.create_task(store.append(LOG, record(head + 1)))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        found = [one.revision for one in await whole_log(store, LOG)]
        assert found in (list(range(1, head + 1)), list(range(1, head + 2)))
        head = len(found)
    await store.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors through /proc")
async def test_many_logs_hold_few_descriptors(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path, open_logs_max=4)
    logs = [f"alice/{number}" for number in range(40)]
    for revision in (1, 2):
        await asyncio.gather(*(store.append(log, record(revision)) for log in logs))
        assert our_descriptors(tmp_path) <= 4 + 1  # and the lock
    for log in logs:
        assert len(await whole_log(store, log)) == 2
    assert our_descriptors(tmp_path) <= 4 + 1
    await store.close()


def test_the_logs_used_last_stay_open(tmp_path: Path) -> None:
    logs = OpenLogs(tmp_path, open_max=2)
    opened: dict[str, list[LogFile]] = {}
    for name in ("a", "b", "a", "c", "a", "b"):
        with logs.using(name) as log:
            if not log.exists:
                log.append(record(1))
            opened.setdefault(name, []).append(log)
    assert len({id(log) for log in opened["a"]}) == 1
    assert len({id(log) for log in opened["b"]}) == 2
    logs.close()


async def test_a_folder_in_use_is_refused_with_the_reason(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    with pytest.raises(
        StoreUnavailable, match=rf"in use by another process \(process {os.getpid()} on .*one process at a time"
    ):
        await FilesStore.open(tmp_path)
    await store.append(LOG, record(1))
    await store.close()
    again = await FilesStore.open(tmp_path)
    assert len(await whole_log(again, LOG)) == 1
    await again.close()


async def test_a_newer_layout_asks_for_an_upgrade(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("quire files 2\n")
    with pytest.raises(StoreUnavailable, match=r"newer version of Quire.*upgrade"):
        await FilesStore.open(tmp_path)
    (tmp_path / "format").write_text("parquet")
    with pytest.raises(StoreUnavailable, match="another program's file"):
        await FilesStore.open(tmp_path)
    assert our_descriptors(tmp_path) == 0


async def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(StoreUnavailable, match="file"):
            await FilesStore.open(path)


async def test_W1_a_deleted_file_takes_no_writes_and_one_put_back_does(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    await fill(store, LOG, 2)
    file = tmp_path / "logs" / "alice%2fn1.jsonl"
    hidden = file.rename(tmp_path / "hidden")
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await store.append(LOG, record(3))
    file.write_bytes(hidden.read_bytes())
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await store.read_newest(LOG)
    hidden.rename(file)
    await store.append(LOG, record(3))
    assert [one.revision for one in await whole_log(store, LOG)] == [1, 2, 3]
    await store.close()


async def test_W1_a_file_that_another_program_wrote_to_takes_no_writes(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    await fill(store, LOG, 2)
    file = tmp_path / "logs" / "alice%2fn1.jsonl"
    with file.open("ab") as other:
        other.write(b"\n")
    with pytest.raises(StoreUnavailable, match="altered by another program"):
        await store.append(LOG, record(3))
    await store.close()


async def test_W1_a_folder_that_was_replaced_takes_no_writes(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "moved")
    with pytest.raises(StoreUnavailable, match="lock"):
        await store.append(LOG, record(1))
    other = await FilesStore.open(tmp_path / "store")
    for writing in (store.append(LOG, record(1)), store.create_header(header()), store.check()):
        with pytest.raises(StoreUnavailable, match="was replaced"):
            await writing
    await other.append(LOG, record(1))
    await other.close()
    await store.close()


async def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    await store.create_header(header())
    for place in (tmp_path, tmp_path / "headers", tmp_path / "headers" / "alice", tmp_path / "logs"):
        for name in (".DS_Store", "Notes.json", "x y.json", "README", ".new"):
            (place / name).write_text("mine")
    assert (await store.list_headers("alice")).headers == (header(),)
    assert await store.find_headers("n1") == (header(),)
    assert [one async for one in store.scan_headers()] == [header()]
    await store.close()
    assert (tmp_path / "headers" / "alice" / "Notes.json").read_text() == "mine"


async def test_H1_a_header_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    await store.create_header(header())
    folder = tmp_path / "headers" / "alice"
    (folder / "n2.json").write_bytes((folder / "n1.json").read_bytes())
    with pytest.raises(DamagedRecord, match=r"n2\.json holds the header of notebook n1 of alice"):
        await store.get_header("alice", "n2")
    await store.close()


async def test_E1_a_field_of_a_newer_version_is_not_dropped(tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path)
    await store.create_header(header())
    file = tmp_path / "headers" / "alice" / "n1.json"
    newer = file.read_bytes().replace(b"{", b'{"pinned":true,', 1)
    file.write_bytes(newer)
    with pytest.raises(DamagedRecord, match="pinned"):
        await store.refresh_header("alice", "n1", name="x", revision=9, updated_at=9)
    assert file.read_bytes() == newer
    await store.close()
