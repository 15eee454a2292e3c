"""`quire migrate`: everything arrives, nothing is overwritten, and a run that was cut off is continued."""

from itertools import permutations
from pathlib import Path

import pytest

from quire.maintenance.migrate import Place, Summary, migrate
from tests.maintenance.failing import Countdown, FailsOnce
from tests.maintenance.places import Contents, add, append, contents, fill_place, place
from tests.storage.engines import header, record

PAIRS = [*permutations(["memory", "sqlite", "files", "dynamodb on dynalite"], 2), ("sqlite", "sqlite")]


def skipped(summary: Summary) -> dict[str, str]:
    return {outcome.notebook_id: outcome.reason for outcome in summary.skipped}


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_everything_arrives_and_a_second_run_writes_nothing(source: str, target: str, tmp_path: Path) -> None:
    async with place(source, tmp_path / "from") as here, place(target, tmp_path / "to") as there:
        await fill_place(here)
        before = await contents(here)
        summary = await migrate(here, there)
        assert skipped(summary) == {}
        assert (summary.complete, summary.records, summary.blobs) == (7, 3 + 70 + 1 + 3 + 2 + 2, 4)
        assert await contents(there) == before == await contents(here)
        again = await migrate(here, there)
        assert (again.complete, again.records, again.blobs, again.skipped) == (7, 0, 0, [])


async def test_an_empty_store_is_no_error(tmp_path: Path) -> None:
    async with place("sqlite", tmp_path / "from") as here, place("files", tmp_path / "to") as there:
        assert await migrate(here, there) == Summary()


async def test_what_the_source_has_since_then_is_all_that_is_written(tmp_path: Path) -> None:
    async with place("memory", tmp_path) as here, place("sqlite", tmp_path / "to") as there:
        await fill_place(here)
        await migrate(here, there)
        await append(here.store, "alice/n1", 3, 2)
        await here.store.refresh_header("alice", "n1", name="Renamed", revision=5, updated_at=9_000)
        await here.store.trash_header("bob", "n1", deleted_at=8_000)
        await here.store.trash_header("bob", "trashed", deleted_at=0)
        await here.store.set_connection("alice", "n2", db_conn_string=b"new")
        await here.blobs.put("alice/n1", b"new")
        summary = await migrate(here, there)
        assert (summary.records, summary.blobs, summary.skipped) == (2, 1, [])
        assert await contents(there) == await contents(here)


async def test_a_log_of_the_targets_own_is_left_alone(tmp_path: Path) -> None:
    async with place("memory", tmp_path) as here, place("sqlite", tmp_path / "to") as there:
        await fill_place(here)
        await there.store.append("alice/n1", record(1, commit_id="another"))
        await migrate(here, there)
        await append(there.store, "bob/n1", 1, 1)  # it went on there
        before = await contents(there)
        summary = await migrate(here, there)
        assert set(skipped(summary)) == {"n1"}
        assert {outcome.user_id for outcome in summary.skipped} == {"alice", "bob"}
        assert all("log of its own" in outcome.reason for outcome in summary.skipped)
        assert await contents(there) == before
        assert await there.store.get_header("alice", "n1") is None


async def test_a_header_without_a_log_is_reported_and_a_tombstone_copied(tmp_path: Path) -> None:
    async with place("memory", tmp_path) as here, place("memory", tmp_path) as there:
        await here.store.create_header(header(notebook_id="older"))
        await here.store.create_header(header(notebook_id="demo-alice", deleted_at=5))
        summary = await migrate(here, there)
        assert "Open it once with a server" in skipped(summary)["older"]
        assert summary.complete == 1
        assert [key[1] for key in await contents(there)] == ["demo-alice"]


async def test_comparing_alone_writes_nothing_and_finds_every_difference(tmp_path: Path) -> None:
    async with place("memory", tmp_path) as here, place("memory", tmp_path) as there:
        await fill_place(here)
        await migrate(here, there)
        assert (await migrate(here, there, write=False)).skipped == []
        lost = await anext(aiter(there.blobs.list("alice/n1")))
        await there.blobs.delete("alice/n1", lost.sha256, not_after=2**53)
        await there.store.set_connection("bob", "n1", db_conn_string=b"secret")
        await there.store.delete_log("carol/large")
        await here.store.create_header(header(notebook_id="demo-alice", deleted_at=5))
        before = await contents(there)
        found = await migrate(here, there, write=False)
        reasons = {(one.user_id, one.notebook_id): one.reason for one in found.skipped}
        assert "cannot read blob" in reasons.pop(("alice", "n1"))
        assert reasons.pop(("bob", "n1")) == "the target's header has another db_conn_string"
        assert reasons.pop(("carol", "large")) == "the target has nothing at revision 1"
        assert reasons.pop(("alice", "demo-alice")) == "the target has no header for it"
        assert reasons == {}
        assert await contents(there) == before


def whole(there: Contents, here: Contents) -> bool:
    """Whether all that is listed has its whole log and blobs."""
    return all(value[1:] == here[key][1:] for key, value in there.items())


async def test_a_failure_at_any_call_leaves_nothing_half_visible_and_the_next_run_completes_it(tmp_path: Path) -> None:
    async with place("memory", tmp_path) as here:
        await add(here, header(), blobs=2)
        await add(here, header("bob", "trashed", deleted_at=5_000, db_conn_string=b"sealed"), records=2)
        expected = await contents(here)
        n = 0
        while True:
            n += 1
            calls = Countdown(n)
            async with place("memory", tmp_path) as there:
                failing = Place(FailsOnce(there.store, calls), FailsOnce(there.blobs, calls))  # type: ignore[arg-type]  # by name
                summary = await migrate(here, failing, at_once=1)
                assert whole(await contents(there), expected), n
                if calls.left > 0:
                    assert summary.skipped == []
                    break
                assert len(summary.skipped) == 1, n
                assert (await migrate(here, there)).skipped == []
                assert await contents(there) == expected
        assert n > 15
