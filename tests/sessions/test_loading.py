"""Checkpoints and loading (C1 to C5, W6, E1)."""

import itertools

import msgspec
import pytest

from quire.notebook import codec
from quire.notebook.changes import CellRan
from quire.notebook.fold import FoldError
from quire.notebook.ids import log_id_of
from quire.notebook.model import BlobRef, Output, code_hash_of
from quire.sessions import checkpoints, journal
from quire.sessions.cell_intents import Anchor, EditCell, InsertCell
from quire.sessions.errors import ReadOnly, RevisionNotFound
from quire.sessions.loading import load
from quire.sessions.notebook_intents import Record
from quire.sessions.offload import offload
from quire.sessions.session import Session
from quire.storage import protocol
from tests.sessions.worlds import World


async def with_cells(world: World, count: int, size: int = 20) -> Session:
    session = await world.notebook()
    for number in range(count):
        code = f"v{number} = {number!r} #".ljust(size, "x")
        await session.submit(InsertCell(world.origin(), "python", code, Anchor(None), last=True))
    return session


def log_id(session: Session) -> str:
    return log_id_of(session.state.user_id, session.state.notebook_id)


async def edit(world: World, session: Session, times: int) -> None:
    cell = next(iter(session.state.cells))
    for number in range(times):
        await session.submit(EditCell(world.origin(), cell, f"v0 = {session.state.revision} * {number}"))


async def test_C1_the_first_commit_carries_a_checkpoint_and_every_record_names_the_newest(world: World) -> None:
    session = await with_cells(world, 3)
    await edit(world, session, 300)
    page = await world.store.read_after(log_id(session), 0, 64)
    assert page.records[0].checkpoint is not None
    carriers: list[int] = []
    revision = 0
    while True:
        page = await world.store.read_after(log_id(session), revision)
        for record in page.records:
            if record.checkpoint is not None:
                previous = codec.decode_checkpoint_head(record.checkpoint).previous
                assert previous == (carriers[-1] if carriers else 0)
                carriers.append(record.revision)
            assert record.checkpoint_revision == carriers[-1]
            revision = record.revision
        if not page.more:
            break
    assert len(carriers) >= 3
    gaps = [later - earlier for earlier, later in itertools.pairwise(carriers)]
    assert min(gaps) >= checkpoints.COMMITS_MIN


async def test_C1_a_checkpoint_waits_until_as_many_bytes_were_appended_as_the_last_one_has(world: World) -> None:
    session = await with_cells(world, 64, size=4000)
    await edit(world, session, 100)
    page = await world.store.read_newest(log_id(session))
    assert page.records[-1].checkpoint_revision < session.state.revision - 64


@pytest.mark.parametrize("edits", [0, 1, 62, 63, 64, 65, 130, 400])
async def test_C2_C4_a_load_gives_the_state_that_was_committed(world: World, edits: int) -> None:
    session = await with_cells(world, 4)
    await edit(world, session, edits)
    loaded = await load(world.store, world.blobs, log_id(session))
    assert loaded is not None
    assert loaded.state == session.state


async def test_C2_any_earlier_revision_can_be_loaded(world: World) -> None:
    session = await with_cells(world, 2)
    states = {session.state.revision: session.state}
    for _ in range(150):
        await edit(world, session, 1)
        states[session.state.revision] = session.state
    for revision in (3, 4, 64, 65, 66, 67, 100, 128, 129, session.state.revision):
        assert await session.state_at(revision) == states[revision]
    for missing in (0, session.state.revision + 1):
        with pytest.raises(RevisionNotFound):
            await session.state_at(missing)


async def test_C3_a_gap_is_an_error_and_never_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await with_cells(world, 10)
    original = world.store.read_after
    newest = world.store.read_newest

    def without_five(page: protocol.Page) -> protocol.Page:
        return msgspec.structs.replace(page, records=tuple(r for r in page.records if r.revision != 5))

    async def holed_after(log: str, revision: int, limit: int = 64) -> protocol.Page:
        return without_five(await original(log, revision, limit))

    async def holed_newest(log: str, limit: int = 64) -> protocol.Page:
        return without_five(await newest(log, limit))

    monkeypatch.setattr(world.store, "read_after", holed_after)
    monkeypatch.setattr(world.store, "read_newest", holed_newest)
    with pytest.raises(FoldError, match="revision 5"):
        await load(world.store, world.blobs, log_id(session))
    registry = world.instance()
    with pytest.raises(ReadOnly):
        await registry.open("ada", session.state.notebook_id)


async def test_C5_a_large_checkpoint_is_built_beside_the_log_and_named_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "INLINE_RAW_MAX", 4000)
    session = await with_cells(world, 40, size=400)
    await edit(world, session, 700)
    carriers = [
        record
        for revision in range(0, session.state.revision, 64)
        for record in (await world.store.read_after(log_id(session), revision)).records
        if record.checkpoint is not None and record.revision > 1
    ]
    assert carriers
    head = codec.decode_checkpoint_head(carriers[-1].checkpoint or b"")
    assert head.blob is not None
    assert 0 < head.revision < carriers[-1].revision
    loaded = await load(world.store, world.blobs, log_id(session))
    assert loaded is not None
    assert loaded.state == session.state


async def test_C5_if_its_blob_is_missing_the_checkpoint_before_serves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "INLINE_RAW_MAX", 4000)
    session = await with_cells(world, 40, size=400)
    await edit(world, session, 500)
    page = await world.store.read_newest(log_id(session), 1)
    carrier = await world.store.read_one(log_id(session), page.records[-1].checkpoint_revision)
    assert carrier is not None
    head = codec.decode_checkpoint_head(carrier.checkpoint or b"")
    assert head.blob is not None
    await world.blobs.delete(log_id(session), head.blob.sha256, not_after=2**60)
    loaded = await load(world.store, world.blobs, log_id(session))
    assert loaded is not None
    assert loaded.state == session.state


async def test_W6_a_body_above_64_KB_goes_to_the_blob_store(world: World) -> None:
    session = await with_cells(world, 1)
    cell = next(iter(session.state.cells))
    code = "# " + "é" * 100_000
    await session.submit(EditCell(world.origin(), cell, code))
    record = await world.store.read_one(log_id(session), session.state.revision)
    assert record is not None
    assert len(record.body) < 1000
    assert isinstance(codec.decode_body(record.body), BlobRef)
    other = await world.same(session, world.instance())
    assert other.state.cells[cell].code == code
    assert journal.BODY_BYTES_MAX == 64 * 1024


def ran(session: Session, stdout: str, *outputs: Output) -> CellRan:
    cell = next(iter(session.state.cells.values()))
    return CellRan(
        author="system",
        at=1,
        cell_id=cell.cell_id,
        run_id="r",
        epoch=0,
        code_hash=code_hash_of(cell.type, cell.code),
        base_revision=session.state.revision,
        status="success",
        stdout=stdout,
        outputs=outputs,
    )


async def test_W6_stdout_and_outputs_of_one_change_count_together(world: World) -> None:
    session = await with_cells(world, 1)
    noise = "".join(chr(33 + (index * 7919) % 90) for index in range(7000))
    outputs = tuple(Output("text/plain", f"{number}{noise[number:]}") for number in range(40))
    change = await offload(world.blobs, log_id(session), ran(session, "short", *outputs))
    inline = sum(len(output.data) for output in change.outputs if isinstance(output.data, str))
    assert inline <= 8 * 1024 * 4, "text that compresses by itself may stay"
    assert change.stdout == "short"
    assert any(isinstance(output.data, BlobRef) for output in change.outputs)
    await session.submit(Record(world.origin(), (change,)))
    record = await world.store.read_one(log_id(session), session.state.revision)
    assert record is not None
    assert len(record.body) <= journal.BODY_BYTES_MAX


async def test_W6_a_small_result_stays_in_the_log(world: World) -> None:
    session = await with_cells(world, 1)
    change = ran(session, "hello\n", Output("text/plain", "42"))
    assert await offload(world.blobs, log_id(session), change) is change


async def test_E1_a_notebook_of_a_newer_format_is_kept_and_not_touched(world: World) -> None:
    session = await with_cells(world, 2)
    head = session.state.revision
    newer = b'{"format":2,"min_reader":2,"commit":{"revision":4,"commit_id":"x","changes":[{"kind":"new"}]}}'
    await world.store.append(log_id(session), protocol.Record(head + 1, "x", newer, 1))
    with pytest.raises(ReadOnly, match="newer version"):
        await edit(world, session, 1)
    with pytest.raises(ReadOnly, match="newer version"):
        await world.instance().open("ada", session.state.notebook_id)
    page = await world.store.read_newest(log_id(session), 1)
    assert page.records[-1].revision == head + 1
