"""Older layouts become logs when they are opened, whoever else is at it and wherever a server is killed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from quire.notebook.model import BlobRef
from quire.sessions.adoption import adopt
from quire.sessions.errors import NotebookNotFound, ReadOnly
from quire.sessions.notebook_intents import Rename
from quire.storage.protocol import StoreUnavailable
from tests.emulators.environment import nobodys_aws
from tests.sessions.older import Interposed, Older, on_dynamodb, on_files
from tests.sessions.worlds import World
from tests.storage.engines import whole_log

ORIGINS = World()


@pytest.fixture(scope="module", autouse=True)
def aws_environment() -> Iterator[None]:
    """Nobody's credentials: emulators take any."""
    with nobodys_aws():
        yield


@pytest.fixture(params=["dynamodb-local", "dynalite", "files"])
async def older(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Older]:
    if request.param == "files":
        place = await on_files(tmp_path)
        yield place
    else:
        place, client = await on_dynamodb(tmp_path, request.param)
        yield place
        await client.close()
    await place.store.close()


async def test_H2_it_is_read_edited_deleted_and_brought_back_like_any_other(older: Older) -> None:
    await older.write(41, "x = 1.5")
    server = older.server()
    session = await server.open("ada", "old")
    assert (session.state.name, session.state.revision) == ("Sales", older.first)
    (cell,) = session.state.cells.values()
    assert (cell.code, cell.status, cell.code_revision) == ("x = 1.5", "success", older.first)
    assert cell.result is not None
    assert [(one.data, one.metadata) for one in cell.result.outputs] == [("1.5", '{"width":1.5}')]
    receipt = await server.rename(session, Rename(ORIGINS.origin(), "Sales 2"))
    assert receipt.revision == older.first + 1
    assert [commit.revision for commit in await session.commits(before=None, limit=9)] == [older.first + 1, older.first]
    assert (await session.state_at(older.first)).name == "Sales"
    await server.delete("ada", "old", ORIGINS.origin())
    with pytest.raises(NotebookNotFound):
        await server.open("ada", "old")
    await server.undelete("ada", "old", ORIGINS.origin())
    await server.close()
    assert await older.code() == "x = 1.5"
    listed = await older.store.list_headers("ada")
    assert [(one.notebook_id, one.name) for one in listed.headers] == [("old", "Sales 2")]


async def test_its_connection_string_gets_into_no_record(older: Older) -> None:
    await older.write(41, "x = 1")
    assert await older.code() == "x = 1"
    for record in await whole_log(older.store, "ada/old"):
        assert b"secret" not in record.body
        assert b"secret" not in (record.checkpoint or b"")


async def test_nobody_elses_is_taken_over(older: Older) -> None:
    await older.write(41, "x = 1")
    server = older.server()
    with pytest.raises(NotebookNotFound):
        await server.open("bob", "old")
    assert not await adopt(older.store, older.blobs, "bob", "old")
    await server.close()
    assert (await older.store.read_newest("bob/old")).records == ()


async def test_W6_W7_a_large_one_fits_its_outputs_in_blobs(older: Older) -> None:
    picture = "".join(f"{number:08x}" for number in range(40_000))
    await older.write(41, "x = 1", picture)
    server = older.server()
    session = await server.open("ada", "old")
    (cell,) = session.state.cells.values()
    assert cell.result is not None
    (output,) = cell.result.outputs
    assert isinstance(output.data, BlobRef)
    assert await older.blobs.get("ada/old", output.data.sha256) == picture.encode()
    await server.close()


async def test_what_cannot_be_taken_over_is_said_and_stays_as_it_is(older: Older) -> None:
    await older.write(41, "x" * 300_000)
    server = older.server()
    with pytest.raises(ReadOnly, match="cell 1 of the older notebook has 300,000 bytes of code"):
        await server.open("ada", "old")
    await server.close()
    assert (await older.store.read_newest("ada/old")).records == ()
    await older.write(42, "x = 1")
    assert await older.code() == "x = 1"


async def test_W1_two_servers_that_take_it_over_at_once_end_with_one_log(older: Older) -> None:
    await older.write(41, "x = 1")
    servers = [older.server() for _ in range(4)]
    sessions = await asyncio.gather(*(server.open("ada", "old") for server in servers))
    assert {session.state.revision for session in sessions} == {older.first}
    for server in servers:
        await server.close()
    assert [record.revision for record in await whole_log(older.store, "ada/old")] == [older.first]


@pytest.mark.parametrize("call", ["begin_log", "create_header", "retire_older"])
async def test_W2_a_server_that_is_killed_between_two_steps_leaves_them_to_the_next(older: Older, call: str) -> None:
    await older.write(41, "x = 1")

    def die() -> None:
        raise StoreUnavailable("killed here")

    dying = Interposed(older.store, call, die)
    with pytest.raises(StoreUnavailable, match="killed here"):
        await adopt(dying, older.blobs, "ada", "old")
    assert dying.met == 1
    listed = await older.store.list_headers("ada")
    assert [one.notebook_id for one in listed.headers] == ["old"], "it is listed all the time"
    assert await older.code() == "x = 1"
    assert await older.code() == "x = 1"
    assert [record.revision for record in await whole_log(older.store, "ada/old")] == [older.first]


@pytest.mark.parametrize("call", ["begin_log", "create_header"])
async def test_what_an_older_server_writes_meanwhile_is_taken_over_as_well(older: Older, call: str) -> None:
    await older.write(41, "x = 1")
    times = iter(range(3))

    async def write_again() -> None:
        if (time := next(times, None)) is not None:
            await older.write(42 + time, f"x = {2 + time}")

    busy = Interposed(older.store, call, write_again)
    assert await adopt(busy, older.blobs, "ada", "old")
    assert busy.met >= 1
    last = await older.store.read_newest("ada/old")  # the log is whole
    assert [record.revision for record in last.records] == list(range(older.first, older.first + len(last.records)))
    expected = f"x = {1 + min(busy.met, 3)}"
    assert await older.code() == expected


async def test_an_older_server_that_never_stops_is_named(older: Older) -> None:
    await older.write(41, "x = 1")
    revisions = iter(range(42, 1000))

    async def write_again() -> None:
        revision = next(revisions)
        await older.write(revision, f"x = {revision}")

    busy = Interposed(older.store, "retire_older", write_again)
    with pytest.raises(ReadOnly, match="Stop that server"):
        await adopt(busy, older.blobs, "ada", "old")
    assert await older.code() == f"x = {next(revisions) - 1}"


async def test_a_notebook_of_ours_costs_no_further_look(older: Older) -> None:
    server = older.server()
    receipt = await server.create("ada", ORIGINS.origin(), name="New")
    await server.close()

    def looked() -> None:
        raise AssertionError("nobody should look for an older layout of it")

    watched = older.server(Interposed(older.store, "read_older", looked))
    await watched.open("ada", str(receipt.answer["notebook_id"]))
    await watched.close()


@pytest.mark.parametrize("call", ["begin_log", "create_header", "retire_older"])
async def test_results_of_a_run_meanwhile_are_taken_over_though_no_code_changed(older: Older, call: str) -> None:
    await older.write(41, "x = 1", "old output")
    runs = iter([("new output", 42)])

    async def run_again() -> None:
        if (run := next(runs, None)) is not None:
            await older.write(run[1], "x = 1", run[0])

    assert await adopt(Interposed(older.store, call, run_again), older.blobs, "ada", "old")
    (cell,) = (await older.opened()).cells.values()
    assert cell.result is not None
    assert ([output.data for output in cell.result.outputs], cell.status) == (["new output"], "success")


async def test_what_an_older_server_does_not_count_is_not_lost(older: Older) -> None:
    await older.write(0, "x = 1", "old output")
    contents = iter([("x = 1", "new output"), ("x = 2", "2"), ("x = 1", "old output")])

    async def write_again() -> None:
        if (content := next(contents, None)) is not None:
            await older.write(0, *content)

    busy = Interposed(older.store, "retire_older", write_again)
    assert await adopt(busy, older.blobs, "ada", "old")
    assert busy.met == 4
    assert (await older.code(), await older.output()) == ("x = 1", "old output"), "also what was there before"


async def test_what_is_taken_over_late_has_the_status_that_it_had(older: Older) -> None:
    """Of cells with and without results, as a restore followed by results must leave them."""
    await older.write(41, "x = 1")
    at = World().origin()
    server = older.server()
    session = await server.open("ada", "old")
    await server.rename(session, Rename(at, "Ours"))
    await server.close()
    await older.write(50, "x = 2", "2")
    state = await older.opened()
    (cell,) = state.cells.values()
    assert (state.name, cell.code, cell.status, cell.error) == ("Sales", "x = 2", "success", None)
    assert cell.result is not None
    assert cell.result.outputs[0].data == "2"


async def test_H1_the_list_has_the_new_name_where_an_older_server_skipped_revisions(older: Older) -> None:
    await older.write(41, "x = 1")
    times = iter([60])

    async def write_again() -> None:
        if (revision := next(times, None)) is not None:
            await older.write(revision, "x = 2")

    assert await adopt(Interposed(older.store, "begin_log", write_again), older.blobs, "ada", "old")
    server = older.server()
    session = await server.open("ada", "old")
    await server.rename(session, Rename(ORIGINS.origin(), "Renamed"))
    revision = session.state.revision
    await server.close()
    header = await older.store.get_header("ada", "old")
    assert header is not None
    assert (header.name, header.revision) == ("Renamed", revision)


async def test_one_that_was_deleted_here_is_left_alone_until_it_is_brought_back(older: Older) -> None:
    await older.write(41, "x = 1")
    server = older.server()
    await server.delete("ada", "old", ORIGINS.origin())
    await server.close()
    await older.write(42, "x = 2")
    assert not await adopt(older.store, older.blobs, "ada", "old")
    assert await older.waits()
    server = older.server()
    await server.undelete("ada", "old", ORIGINS.origin())
    await server.close()
    assert await older.code() == "x = 2"


async def test_a_header_that_cannot_be_read_does_not_end_the_take_over_early(older: Older) -> None:
    await older.write(41, "x = 1")

    def fail() -> None:
        raise StoreUnavailable("not now")

    with pytest.raises(StoreUnavailable):
        await adopt(Interposed(older.store, "retire_older", fail), older.blobs, "ada", "old")
    await older.write(42, "x = 2")
    blind = older.server(Interposed(older.store, "get_header", fail))
    session = await blind.open("ada", "old")
    assert [cell.code for cell in session.state.cells.values()] == ["x = 2"]
    await blind.close()
    assert not await older.waits()
