"""The files engine after a crash, and on files that somebody altered."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from quire.storage import files_disk, files_log
from quire.storage.files import FilesStore
from quire.storage.files_lines import MARK
from quire.storage.protocol import DamagedRecord, KeyExists, Record, StorageError
from tests.storage.engines import fill, incompressible, record, whole_log

LOG = "alice/n1"
NAME = "alice%2fn1.jsonl"


async def written(folder: Path, records: list[Record]) -> bytes:
    """The bytes of a log file that holds these."""
    store = await FilesStore.open(folder)
    for one in records:
        await store.append(LOG, one)
    await store.close()
    return (folder / "logs" / NAME).read_bytes()


async def read(folder: Path, data: bytes) -> tuple[list[Record], int]:
    """What a store makes of a file with these bytes, and its head after one more append."""
    (folder / "logs" / NAME).write_bytes(data)
    store = await FilesStore.open(folder)
    try:
        records = await whole_log(store, LOG)
        head = records[-1].revision if records else 0
        with pytest.raises(KeyExists):
            await store.append(LOG, record(head + 2))
        await store.append(LOG, record(head + 1, commit_id="after the crash"))
        await store.append(LOG, record(head + 2, commit_id="and one more"))
        assert [one.revision for one in await whole_log(store, LOG)] == list(range(1, head + 3))
    finally:
        await store.close()
    again = await FilesStore.open(folder)
    assert [one.revision for one in await whole_log(again, LOG)] == list(range(1, head + 3))
    await again.close()
    return records, head


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of stores are opened: what is proved here is what they make of bytes, not that those are on a disk."""
    for name in ("sync_data", "sync_folder"):
        monkeypatch.setattr(files_disk, name, lambda _: None)


RECORDS = [record(1, checkpoint=b"{}\n{}"), record(2, body=b'{"x":"\xc3\xa9"}'), record(3, body=b"\xff\x00{")]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.usefixtures("quick")
async def test_W2_a_write_cut_short_at_any_byte_is_no_record(tmp_path: Path, count: int) -> None:
    data = await written(tmp_path, RECORDS[:count])
    start = data.rfind(MARK)
    for cut in range(start, len(data)):
        assert await read(tmp_path, data[:cut]) == (RECORDS[: count - 1], count - 1), cut
    assert await read(tmp_path, data) == (RECORDS[:count], count)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.usefixtures("quick")
async def test_W2_a_last_line_altered_at_any_byte_is_no_record(tmp_path: Path, count: int) -> None:
    data = await written(tmp_path, RECORDS[:count])
    for place in range(data.rfind(MARK), len(data)):
        torn = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert await read(tmp_path, torn) == (RECORDS[: count - 1], count - 1), place
        assert (tmp_path / "logs" / "alice%2fn1.torn").read_bytes() == torn[data.rfind(MARK) :]


@pytest.mark.usefixtures("quick")
async def test_W2_a_last_line_of_which_only_the_length_was_written_is_no_record(tmp_path: Path) -> None:
    data = await written(tmp_path, RECORDS)
    start = data.rfind(MARK)
    for kept in (0, 5, 40):
        zeros = data[: start + kept] + bytes(len(data) - start - kept)
        assert await read(tmp_path, zeros) == (RECORDS[:2], 2)


@pytest.mark.parametrize("line", [0, 1])
@pytest.mark.parametrize("change", ["flip", "drop", "double"])
@pytest.mark.usefixtures("quick")
async def test_C3_a_line_altered_at_any_byte_before_the_last_is_an_error_that_names_the_file(
    tmp_path: Path, line: int, change: str
) -> None:
    data = await written(tmp_path, RECORDS)
    places = [place for place in range(len(data)) if data[:place].count(b"\n") == line]
    for place in places:
        middle = {"flip": bytes([data[place] ^ 1]), "drop": b"", "double": data[place : place + 1] * 2}[change]
        altered = data[:place] + middle + data[place + 1 :]
        with pytest.raises(DamagedRecord, match=r"file .*alice%2fn1\.jsonl of log alice/n1 is damaged at byte"):
            await read(tmp_path, altered)
        assert (tmp_path / "logs" / NAME).read_bytes() == altered, "it was altered further"


@pytest.mark.usefixtures("quick")
async def test_C3_a_line_that_is_missing_doubled_or_in_another_place_is_an_error(tmp_path: Path) -> None:
    one, two, three = (await written(tmp_path, RECORDS)).splitlines(keepends=True)
    for altered in (two + three, one + three, one + one, one + two + two, two + one, three, one + b"\n" + two):
        with pytest.raises(DamagedRecord, match="is damaged at byte"):
            await read(tmp_path, altered)


@pytest.mark.usefixtures("quick")
async def test_C3_a_damaged_line_hides_only_what_lies_behind_it(tmp_path: Path) -> None:
    data = await written(tmp_path, [record(revision, body=incompressible(90_000)) for revision in range(1, 11)])
    place = [i for i in range(len(data)) if data.startswith(MARK, i)][3]
    (tmp_path / "logs" / NAME).write_bytes(data[: place + 50] + b"?" + data[place + 51 :])
    store = await FilesStore.open(tmp_path)
    assert [one.revision for one in (await store.read_newest(LOG, 4)).records] == [7, 8, 9, 10]
    await fill(store, LOG, 1, after=10)
    assert [one.revision for one in (await store.read_after(LOG, 4)).records] == list(range(5, 12))
    for reading in (store.read_one(LOG, 4), store.read_after(LOG, 0), store.read_newest(LOG)):
        with pytest.raises(DamagedRecord, match="damaged"):
            await reading
    await store.close()


async def test_W2_readers_leave_a_torn_tail_alone_and_a_writer_cuts_and_keeps_it(tmp_path: Path) -> None:
    data = await written(tmp_path, RECORDS)
    file = tmp_path / "logs" / NAME
    file.write_bytes(data + MARK + b"half a li")
    store = await FilesStore.open(tmp_path)
    with capture_logs() as logs:
        assert await whole_log(store, LOG) == RECORDS
    assert [(one["event"], one["bytes"]) for one in logs] == [("torn_tail", 19)]
    assert file.read_bytes() == data + MARK + b"half a li"
    assert not file.with_suffix(".torn").exists()
    await fill(store, LOG, 1, after=3)
    assert b"half" not in file.read_bytes()
    assert file.with_suffix(".torn").read_bytes() == MARK + b"half a li"
    await store.delete_log(LOG)
    assert list(file.parent.iterdir()) == []
    await store.close()


@pytest.mark.parametrize("size", [10, 100, 3_000, 200_000])
async def test_C2_lines_of_any_length_are_found_from_the_end(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_log, "BLOCK_BYTES", 997)  # marks lie across its borders
    records = [record(revision, body=incompressible(size + revision)) for revision in range(1, 40)]
    await written(tmp_path, records)
    for after in range(40):
        store = await FilesStore.open(tmp_path)
        assert (await store.read_after(LOG, after, 1)).records == tuple(records[after : after + 1])
        assert (await store.read_newest(LOG, 2)).records == tuple(records[-2:])
        await store.close()
    store = await FilesStore.open(tmp_path)
    assert await whole_log(store, LOG) == records
    await store.close()


async def test_C2_opening_a_long_log_reads_its_end_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await written(tmp_path, [record(revision, body=incompressible(20_000)) for revision in range(1, 201)])
    store = await FilesStore.open(tmp_path)
    read_bytes = []
    real = files_disk.read_at

    def watched(descriptor: int, size: int, offset: int) -> bytes:
        read_bytes.append(size)
        return real(descriptor, size, offset)

    monkeypatch.setattr(files_disk, "read_at", watched)
    await store.read_newest(LOG, 10)
    assert 0 < sum(read_bytes) < 1_000_000
    assert (tmp_path / "logs" / NAME).stat().st_size > 4_000_000
    await store.close()


@pytest.mark.parametrize("data", [b"", b"{}", b'{"user_id":"alice"}', b"\xff", b"[1]"])
async def test_a_damaged_header_names_its_file(tmp_path: Path, data: bytes) -> None:
    store = await FilesStore.open(tmp_path)
    (tmp_path / "headers" / "alice").mkdir()
    (tmp_path / "headers" / "alice" / "n1.json").write_bytes(data)
    for reading in (store.get_header("alice", "n1"), store.list_headers("alice"), store.find_headers("n1")):
        with pytest.raises(StorageError, match=r"headers/alice/n1\.json is not a header"):
            await reading
    await store.close()
