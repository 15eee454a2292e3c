"""Orders of events in which a log becomes too large to read, or a record too large to be kept."""

import random
import threading
from collections.abc import Iterator

import pytest

from quire.notebook import codec
from quire.notebook.changes import CellRan
from quire.notebook.ids import log_id_of
from quire.notebook.model import BlobRef, Notebook, Output, code_hash_of
from quire.sessions import checkpoints
from quire.sessions.cell_intents import EditCell, InsertCell
from quire.sessions.loading import load
from quire.sessions.notebook_intents import Record as Report
from quire.sessions.notebook_intents import Restore
from quire.sessions.offload import offload
from quire.sessions.packing import pack_lines
from quire.sessions.session import Session
from quire.storage.protocol import ITEM_BYTES_MAX, Page
from tests.sessions.worlds import World, until
from tests.storage.engines import whole_log

LARGE = 250_000
"""Bytes of code, just below what a cell may have."""


def noise(size: int, seed: int = 0) -> str:
    """Text that does not compress below three quarters, as a comment."""
    return "# " + "".join(random.Random(seed).choices([chr(33 + number) for number in range(90)], k=size - 2))


async def cells_of(world: World, session: Session, *codes: str) -> list[str]:
    receipts = [await session.submit(InsertCell(world.origin(), "python", code, last=True)) for code in codes]
    return [str(receipt.answer["cell_id"]) for receipt in receipts]


def log_of(session: Session) -> str:
    return log_id_of(session.state.user_id, session.state.notebook_id)


async def test_C1_C2_W6_64_commits_of_250_KB_on_a_large_state_are_loaded_in_few_small_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody edits a huge cell 64 times: 16 MB of edits, of which a load reads about what one page holds."""
    session = await world.notebook()
    [cell, _] = await cells_of(world, session, noise(LARGE, 1), noise(LARGE, 2))
    for number in range(64):
        await session.submit(EditCell(world.origin(), cell, noise(LARGE, 10 + number)))
    await session.close("test")
    pages: list[Page] = []
    for name in ("read_newest", "read_after"):
        read = getattr(world.store, name)

        async def spy(*arguments: object, _read: object = read) -> Page:
            page: Page = await _read(*arguments)  # type: ignore[operator]  # one of the two
            pages.append(page)
            return page

        monkeypatch.setattr(world.store, name, spy)
    loaded = await load(world.store, world.blobs, log_of(session))
    assert loaded is not None
    assert loaded.state == session.state
    assert len(pages) <= 2
    read_bytes = sum(len(record.body) + len(record.checkpoint or b"") for page in pages for record in page.records)
    assert read_bytes <= 1_500_000


async def test_W6_W7_the_restore_of_two_megabytes_is_one_small_record(world: World) -> None:
    """A restore names every cell: as one item it would be too large for any engine to keep."""
    session = await world.notebook()
    cells = await cells_of(world, session, *(noise(LARGE, number) for number in range(8)))
    then = await session.state_at(session.state.revision)
    for cell in cells:
        await session.submit(EditCell(world.origin(), cell, "pass"))
    await session.submit(Restore(world.origin(), then))
    assert [cell.code for cell in session.state.cells.values()] == [cell.code for cell in then.cells.values()]
    records = await whole_log(world.store, log_of(session))
    assert max(len(record.body) + len(record.checkpoint or b"") for record in records) < ITEM_BYTES_MAX
    assert isinstance(codec.decode_body(records[-1].body), BlobRef)


async def test_W6_W7_a_hundred_outputs_of_7_KB_count_together(world: World) -> None:
    """Each is small enough to stand in the record; all of them are 700 KB, more than a record may hold."""
    session = await world.notebook()
    [cell_id] = await cells_of(world, session, "show()")
    cell = session.state.cells[cell_id]
    outputs = tuple(Output("text/plain", noise(7_000, number)) for number in range(100))
    change = CellRan(
        author="system",
        at=1,
        cell_id=cell_id,
        run_id="r",
        epoch=0,
        code_hash=code_hash_of(cell.type, cell.code),
        base_revision=session.state.revision,
        status="success",
        outputs=outputs,
    )
    await session.submit(Report(world.origin(), (await offload(world.blobs, log_of(session), change),)))
    [*_, last] = await whole_log(world.store, log_of(session))
    assert len(last.body) <= 64 * 1024
    result = session.state.cells[cell_id].result
    assert result is not None
    shown = [
        one.data if isinstance(one.data, str) else (await world.blobs.get(log_of(session), one.data.sha256)).decode()
        for one in result.outputs
    ]
    assert shown == [output.data for output in outputs]


async def test_C5_edits_go_on_while_a_large_checkpoint_is_built_cell_by_cell_in_a_thread(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builder stands still in the middle of a notebook: an edit is saved meanwhile, as no lock is held there."""
    session = await world.notebook()
    cells = await cells_of(world, session, *(noise(LARGE, number) for number in range(12)))
    half_way, go_on = threading.Event(), threading.Event()
    threads: set[int] = set()
    longest = 0
    lines = codec.checkpoint_lines

    def halting(state: Notebook, *, previous: int) -> Iterator[bytes]:
        nonlocal longest
        for number, line in enumerate(lines(state, previous=previous)):
            threads.add(threading.get_ident())
            longest = max(longest, len(line))
            if number == 6:
                half_way.set()
                assert go_on.wait(60)
            yield line

    monkeypatch.setattr(codec, "checkpoint_lines", halting)
    monkeypatch.setattr(checkpoints.CheckpointPolicy, "due", lambda _self: not half_way.is_set())
    await session.submit(EditCell(world.origin(), cells[0], "first = 1"))
    await until(half_way.is_set, 60)
    receipt = await session.submit(EditCell(world.origin(), cells[1], "second = 2"))
    assert receipt.revision == session.state.revision
    go_on.set()
    assert threading.get_ident() not in threads
    assert longest < LARGE * 1.2, "a line is one cell, never the notebook"


async def test_C5_a_checkpoint_is_compressed_as_a_stream(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is compressed before the next is encoded: fifty megabytes are never in memory as one text."""
    session = await world.notebook()
    await cells_of(world, session, *(f"v{number} = 1" for number in range(30)))
    events: list[str] = []
    lines = codec.checkpoint_lines

    def noted(state: Notebook, *, previous: int) -> Iterator[bytes]:
        for line in lines(state, previous=previous):
            events.append("encoded")
            yield line
            events.append("taken")

    monkeypatch.setattr(codec, "checkpoint_lines", noted)
    assert pack_lines(session.state, previous=0)
    assert events == ["encoded", "taken"] * 31
