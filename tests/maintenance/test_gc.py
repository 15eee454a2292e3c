"""`quire gc`: what leaves, when, and what must not."""

from pathlib import Path
from typing import Any

import pytest

from quire.maintenance.gc import Policy, Report, collect
from quire.notebook import changes as ch
from quire.notebook.ids import log_id_of
from quire.notebook.model import BlobRef, CellError, Output
from quire.sessions import clock
from quire.sessions import journal as journal_module
from quire.sessions.errors import NotebookNotFound
from quire.sessions.intents import Origin
from quire.sessions.notebook_intents import PurgeNotebook, Record, UndeleteNotebook
from quire.sessions.provisioning import Provisioner
from quire.sessions.session import Environment, Session
from quire.storage.protocol import StorageError
from tests.maintenance.failing import Countdown, FailsOnce
from tests.maintenance.places import contents
from tests.maintenance.yards import Yard, yard
from tests.storage.engines import header, record

ENGINES = ["memory", "sqlite", "files", "dynamodb on dynalite"]


async def trashed(yard: Yard) -> Session:
    server = yard.server()
    session = await yard.notebook(server)
    await show_output(yard, session, b"large")
    await server.delete("ada", session.state.notebook_id, yard.origin)
    return session


def log_of(session: Session) -> str:
    return log_id_of("ada", session.state.notebook_id)


async def show_output(yard: Yard, session: Session, data: bytes) -> str:
    """The result of a run whose output is a blob; its name."""
    sha256 = await yard.blobs.put(log_of(session), data)
    cell = next(iter(session.state.cells.values()))
    ran = ch.CellRan(
        author="system",
        at=yard.now_ms,
        cell_id=cell.cell_id,
        run_id="r",
        epoch=session.state.epoch,
        code_hash="",
        base_revision=session.state.revision,
        status="success",
        outputs=(Output("text/plain", BlobRef(sha256, len(data))),),
    )
    await session.submit(Record(Origin("system", yard.now_ms), (ran,)))
    return sha256


@pytest.mark.parametrize("engine", ENGINES)
async def test_H3_W9_the_trash_is_kept_for_30_days_and_erased_a_day_after_the_fence(
    engine: str, tmp_path: Path
) -> None:
    async with yard(engine, tmp_path) as it:
        gone = await trashed(it)
        kept = await it.notebook(it.server())
        it.pass_days(29.9)
        assert (await it.collect()).purging == []
        it.pass_days(0.2)
        before = await contents(it.place)
        dry = await it.collect(dry_run=True)
        assert dry.purging == [log_of(gone)]
        assert await contents(it.place) == before
        assert (await it.collect()).purging == [log_of(gone)]
        it.pass_days(0.9)
        assert (await it.collect()).erased == []
        it.pass_days(0.2)
        before = await contents(it.place)
        dry = await it.collect(dry_run=True)
        assert (dry.erased, dry.blobs) == ([log_of(gone)], 1)
        assert await contents(it.place) == before
        report = await it.collect()
        assert (report.erased, report.blobs, report.left_alone) == ([log_of(gone)], 1, {})
        assert list(await contents(it.place)) == [("ada", kept.state.notebook_id)]
        assert (await it.store.read_newest(log_of(gone))).records == ()
        assert [blob async for blob in it.blobs.list(log_of(gone))] == []
        assert (await it.collect()).erased == []


@pytest.mark.parametrize("engine", ENGINES)
async def test_W9_a_writer_from_before_the_purge_writes_nothing_behind_it(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with yard(engine, tmp_path) as it:
        ours = it.server()
        stale = await it.notebook(ours)
        notebook_id = stale.state.notebook_id
        await it.server().delete("ada", notebook_id, it.origin)
        it.pass_days(31)
        await it.collect()
        it.pass_days(2)
        await it.collect()
        later = clock.elapsed_seconds() + 33 * 24 * 3600
        monkeypatch.setattr(journal_module, "elapsed_seconds", lambda: later)
        with pytest.raises(NotebookNotFound):
            await it.edit(stale)
        with pytest.raises(NotebookNotFound):
            await stale.refresh()
        await stale.refresh_header()
        assert await it.store.get_header("ada", notebook_id) is None, "H1: a refresh is no upsert"
        assert (await it.store.read_newest(log_of(stale))).records == ()


async def test_W9_a_live_session_that_meets_the_fence_is_not_found(tmp_path: Path) -> None:
    async with yard("memory", tmp_path) as it:
        session = await trashed(it)
        it.pass_days(31)
        await it.collect()
        with pytest.raises(NotebookNotFound):
            await it.servers[0].undelete("ada", session.state.notebook_id, it.origin)
        assert session.state.purging
        with pytest.raises(NotebookNotFound):
            await it.servers[0].open("ada", session.state.notebook_id, trashed=True)


async def test_H3_an_undelete_that_came_first_wins(tmp_path: Path) -> None:
    async with yard("memory", tmp_path) as it:
        session = await trashed(it)
        it.pass_days(31)
        late = PurgeNotebook(it.origin, it.now_ms)
        await session.submit(UndeleteNotebook(it.origin))
        await session.submit(late)
        assert not session.state.purging
        assert (await it.collect()).purging == []
        assert session.state.notebook_id in await it.listed()


async def test_H3_the_demo_keeps_its_tombstone_and_is_not_made_again(tmp_path: Path) -> None:
    async with yard("sqlite", tmp_path) as it:
        server = it.server()
        await Provisioner(server).provision("ada")
        await server.delete("ada", "demo-ada", it.origin)
        it.pass_days(40)
        it.now_ms = max(
            it.now_ms, (await it.store.get_header("ada", "demo-ada") or header()).deleted_at + 31 * 86_400_000
        )
        await it.collect()
        it.pass_days(2)
        assert (await it.collect()).erased == ["ada/demo-ada"]
        assert (await it.store.read_newest("ada/demo-ada")).records == ()
        tombstone = await it.store.get_header("ada", "demo-ada")
        assert tombstone is not None
        assert tombstone.deleted_at > 0
        assert tombstone.ttl == 0, "H4: it may not vanish"
        assert (await it.collect()).erased == [], "nothing is left to erase"
        again = it.server()
        await Provisioner(again).provision("ada")
        assert await it.listed() == ["blank-ada"]
        with pytest.raises(NotebookNotFound):
            await again.open("ada", "demo-ada", trashed=True)


async def test_B2_only_old_blobs_that_nothing_names_are_removed(tmp_path: Path) -> None:
    async with yard("sqlite", tmp_path) as it:
        session = await it.notebook(it.server())
        named = await show_output(it, session, b"a large picture")
        lost = await it.blobs.put(log_of(session), b"its commit never came")
        it.pass_days(0.9)
        young = await it.blobs.put(log_of(session), b"its commit is on its way")
        assert (await it.collect()).blobs == 0
        it.pass_days(0.2)
        before = await contents(it.place)
        assert (await it.collect(dry_run=True)).blobs == 1
        assert await contents(it.place) == before
        report = await it.collect()
        assert (report.blobs, report.blob_bytes) == (1, len(b"its commit never came"))
        left = {blob.sha256 async for blob in it.blobs.list(log_of(session))}
        assert left == {named, young}
        assert lost not in left


async def test_B2_what_is_named_while_gc_looks_is_kept(tmp_path: Path) -> None:
    """The blob is old and unnamed when it is listed; a session stores and names the same bytes before the delete."""
    async with yard("memory", tmp_path) as it:
        session = await it.notebook(it.server())
        await it.blobs.put(log_of(session), b"the same picture")
        it.pass_days(2)

        class Slow:
            def __getattr__(self, name: str) -> Any:
                return getattr(it.blobs, name)

            async def delete(self, log_id: str, sha256: str, *, not_after: int) -> bool:
                await show_output(it, session, b"the same picture")
                return await it.blobs.delete(log_id, sha256, not_after=not_after)

        environment = with_parts(it.environment, blobs=Slow())
        report = await collect(environment, Policy(it.now_ms))
        assert report.blobs == 0
        assert [blob.sha256 async for blob in it.blobs.list(log_of(session))] != []


def with_parts(environment: Environment, **fields: Any) -> Environment:
    values = {name: getattr(environment, name) for name in ("store", "blobs", "kernels", "instance")}
    return Environment(**{**values, **fields})


async def test_a_log_that_cannot_be_read_keeps_its_blobs_and_is_reported(tmp_path: Path) -> None:
    async with yard("memory", tmp_path) as it:
        session = await it.notebook(it.server())
        broken, fine = log_of(session), await it.notebook(it.server())
        await it.blobs.put(broken, b"who knows")
        await it.blobs.put(log_of(fine), b"nobody")
        await it.store.append(broken, record(session.state.revision + 1, body=b'{"format":9,"min_reader":9}'))
        it.pass_days(2)
        report = await it.collect()
        assert list(report.left_alone) == [broken]
        assert report.blobs == 1, "the others are cleaned all the same"
        assert [blob async for blob in it.blobs.list(broken)] != []


async def test_a_header_without_a_log_is_left_alone(tmp_path: Path) -> None:
    async with yard("memory", tmp_path) as it:
        await it.store.create_header(header("ada", "older"))
        it.pass_days(400)
        report = await it.collect(trash_idle_days=1)
        assert list(report.left_alone) == ["ada/older"]
        assert await it.listed() == ["older"]


async def test_H4_idle_notebooks_go_to_the_trash_only_where_asked(tmp_path: Path) -> None:
    async with yard("sqlite", tmp_path) as it:
        server = it.server()
        idle, used, ran = [await it.notebook(server) for _ in range(3)]
        demo = await it.notebook(server, "demo-ada")
        it.pass_days(80)
        await it.edit(used)
        cells = tuple(ran.state.cells)
        error = CellError(name="KernelDied")
        marked = ch.CellsMarked(author="system", at=it.now_ms, cell_ids=cells, status="error", error=error)
        await ran.submit(Record(Origin("system", it.now_ms), (marked,)))
        it.pass_days(20)
        assert (await it.collect()).trashed == []
        assert (await it.collect(dry_run=True, trash_idle_days=90)).trashed == [log_of(idle)]
        assert await it.listed(trash=True) == []
        assert (await it.collect(trash_idle_days=90)).trashed == [log_of(idle)]
        assert await it.listed(trash=True) == [idle.state.notebook_id]
        assert demo.state.notebook_id in await it.listed()
        assert {used.state.notebook_id, ran.state.notebook_id} <= set(await it.listed())
        await server.undelete("ada", idle.state.notebook_id, it.origin)
        assert (await it.collect(trash_idle_days=90)).trashed == [], "bringing it back was use"


async def test_H3_W9_a_failure_at_any_call_is_made_up_for_by_the_next_run(tmp_path: Path) -> None:
    """And in between a notebook is there wholly, or not at all."""
    n, stages = 0, 0
    while stages < 2:
        n += 1
        async with yard("memory", tmp_path) as it:
            gone = await trashed(it)
            it.pass_days(31)
            if stages:
                await it.collect()
                it.pass_days(2)
            calls = Countdown(n)
            store, blobs = FailsOnce(it.store, calls), FailsOnce(it.blobs, calls)
            report = await run_to_failure(with_parts(it.environment, store=store, blobs=blobs), it)
            assert await it.listed() == []
            with pytest.raises(NotebookNotFound):
                await it.server().open("ada", gone.state.notebook_id)
            for _ in range(2):
                await it.collect()
                it.pass_days(2)
            assert await contents(it.place) == {}, (stages, n)
            assert [blob async for blob in it.blobs.list(log_of(gone))] == []
            if calls.left > 0:
                assert report is not None
                assert report.left_alone == {}
                assert n > 4
                n, stages = 0, stages + 1


async def run_to_failure(environment: Environment, it: Yard) -> Report | None:
    try:
        return await collect(environment, Policy(it.now_ms))
    except StorageError:  # the headers could not be listed
        return None
