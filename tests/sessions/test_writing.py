"""The writer: one put in flight, group commit, rebase, conflicts (W2 to W5, W9, I1)."""

import asyncio

import pytest

from quire.notebook.changes import CellDeleted, CellInserted, Commit, NotebookCreated
from quire.notebook.fold import Draft, apply
from quire.notebook.model import CELLS_MAX
from quire.sessions import clock
from quire.sessions import journal as journal_module
from quire.sessions.cell_intents import Anchor, DeleteCell, EditCell, InsertCell, MoveCell
from quire.sessions.errors import (
    CellExists,
    CellNotFound,
    Conflict,
    KeyReused,
    LimitReached,
    NotebookNotFound,
    NotSaved,
)
from quire.sessions.notebook_intents import Rename, Restore, UndeleteNotebook
from quire.sessions.session import Session
from quire.storage.protocol import OutcomeUnknown, Record, StoreUnavailable
from tests.sessions.worlds import World, until


async def insert(world: World, session: Session, code: str = "", after: str | None = None, *, last: bool = True) -> str:
    receipt = await session.submit(InsertCell(world.origin(), "python", code, Anchor(after), last=last))
    return str(receipt.answer["cell_id"])


async def test_W5_an_edit_based_on_an_older_text_is_refused_with_the_current_one(world: World) -> None:
    session = await world.notebook()
    cell = await insert(world, session, "x = 1")
    base = session.state.revision
    await session.submit(EditCell(world.origin("ada"), cell, "x = 2", expected_revision=base))
    with pytest.raises(Conflict) as refused:
        await session.submit(EditCell(world.origin("bob"), cell, "x = 3", expected_revision=base))
    assert refused.value.current is not None
    assert refused.value.current.code == "x = 2"
    assert session.state.cells[cell].code == "x = 2"


async def test_W5_an_older_base_is_no_conflict_if_the_code_is_equal_already(world: World) -> None:
    session = await world.notebook()
    cell = await insert(world, session, "x = 1")
    base = session.state.revision
    await session.submit(EditCell(world.origin(), cell, "x = 2", expected_revision=base))
    receipt = await session.submit(EditCell(world.origin(), cell, "x = 2", expected_revision=base))
    assert receipt.revision == session.state.revision


async def test_W5_edits_of_other_cells_do_not_conflict(world: World) -> None:
    session = await world.notebook()
    a, b = await insert(world, session, "a = 1"), await insert(world, session, "b = 1")
    base = session.state.revision
    await session.submit(EditCell(world.origin(), a, "a = 2", expected_revision=base))
    await session.submit(EditCell(world.origin(), b, "b = 2", expected_revision=base))
    assert [cell.code for cell in session.state.cells.values()] == ["a = 2", "b = 2"]


async def test_W5_editing_a_cell_deleted_since_is_a_conflict_without_a_current_cell(world: World) -> None:
    session = await world.notebook()
    cell = await insert(world, session, "x = 1")
    base = session.state.revision
    await session.submit(DeleteCell(world.origin(), cell))
    with pytest.raises(Conflict) as refused:
        await session.submit(EditCell(world.origin(), cell, "x = 2", expected_revision=base))
    assert refused.value.current is None
    with pytest.raises(CellNotFound):
        await session.submit(EditCell(world.origin(), cell, "x = 2"))


async def test_W4_two_edits_of_one_cell_never_share_a_commit(world: World) -> None:
    session = await world.notebook()
    cell = await insert(world, session, "x = 1")
    base = session.state.revision
    outcomes = await asyncio.gather(
        session.submit(EditCell(world.origin("ada"), cell, "x = 2", expected_revision=base)),
        session.submit(EditCell(world.origin("bob"), cell, "x = 3", expected_revision=base)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert len(refused) == 1
    assert refused[0].current is not None
    assert refused[0].current.code == session.state.cells[cell].code


async def test_W4_requests_that_arrive_together_share_a_commit_with_their_own_authors(world: World) -> None:
    session = await world.notebook()
    cells = [await insert(world, session, f"v{index} = 0") for index in range(20)]
    before = session.state.revision
    receipts = await asyncio.gather(
        *(session.submit(EditCell(world.origin(f"user{i}"), cell, f"v{i} = 1")) for i, cell in enumerate(cells))
    )
    assert session.state.revision - before < len(cells)
    assert {receipt.revision for receipt in receipts} <= set(range(before + 1, session.state.revision + 1))
    commits = await session.commits(before=None, limit=session.state.revision - before)
    authors = [change.author for commit in commits for change in commit.changes]
    assert sorted(authors) == sorted(f"user{index}" for index in range(20))


async def test_W3_a_lost_race_is_rebased_and_both_edits_survive(world: World) -> None:
    one = await world.notebook()
    a, b = await insert(world, one, "a = 1"), await insert(world, one, "b = 1")
    two = await world.same(one, world.instance())
    await asyncio.gather(
        *(one.submit(EditCell(world.origin("ada"), a, f"a = {n}")) for n in range(25)),
        *(two.submit(EditCell(world.origin("bob"), b, f"b = {n}")) for n in range(25)),
    )
    await asyncio.gather(one.refresh(), two.refresh())
    assert one.state == two.state
    assert [cell.code for cell in one.state.cells.values()] == ["a = 24", "b = 24"]
    assert one.state.revision == 3 + 50


async def test_W5_a_conflict_is_found_across_instances_too(world: World) -> None:
    one = await world.notebook()
    cell = await insert(world, one, "x = 1")
    two = await world.same(one, world.instance())
    base = one.state.revision
    await one.submit(EditCell(world.origin("ada"), cell, "x = 2", expected_revision=base))
    with pytest.raises(Conflict):
        await two.submit(EditCell(world.origin("bob"), cell, "x = 3", expected_revision=base))


async def test_W5_a_deleted_anchor_becomes_its_nearest_surviving_predecessor() -> None:
    state = apply(
        None,
        Commit(
            1,
            "c",
            (
                NotebookCreated(author="a", at=1, notebook_id="n", user_id="u", name="n"),
                *(
                    CellInserted(author="a", at=1, cell_id=name, type="python", code="", after_cell_id=after)
                    for name, after in (("a", None), ("b", "a"), ("c", "b"))
                ),
            ),
        ),
    )
    anchor = Anchor("c")
    assert anchor.resolve(Draft(state, 2)) == "c"
    later = Draft(state, 2)
    later.apply(CellDeleted(author="a", at=2, cell_id="c"))
    later.apply(CellDeleted(author="a", at=2, cell_id="b"))
    assert anchor.resolve(later) == "a"
    with pytest.raises(CellNotFound):
        Anchor("never").resolve(later)


async def test_W5_a_restore_that_would_wipe_edits_it_has_not_seen_is_refused(world: World) -> None:
    session = await world.notebook()
    cell = await insert(world, session, "x = 1")
    then = await session.state_at(session.state.revision)
    seen = session.state.revision
    await session.submit(EditCell(world.origin("bob"), cell, "x = 2"))
    with pytest.raises(Exception, match="changed after revision"):
        await session.submit(Restore(world.origin(), then, expected_revision=seen))
    await session.submit(Restore(world.origin(), then, expected_revision=session.state.revision))
    assert session.state.cells[cell].code == "x = 1"
    assert session.state.cells[cell].code_revision == session.state.revision


async def test_I1_the_same_key_is_one_change_and_one_answer(world: World) -> None:
    session = await world.notebook()
    one = InsertCell(world.origin(key="k", request_hash="h1"), "python", "x = 1", last=True)
    two = InsertCell(world.origin(key="k", request_hash="h1"), "python", "x = 1", last=True)
    receipts = await asyncio.gather(session.submit(one), session.submit(two))
    assert receipts[0] == receipts[1]
    assert len(session.state.cells) == 1
    with pytest.raises(KeyReused):
        await session.submit(InsertCell(world.origin(key="k", request_hash="h2"), "python", "other", last=True))


async def test_I1_a_key_is_known_on_other_instances_and_behind_a_checkpoint(world: World) -> None:
    session = await world.notebook()
    first = await session.submit(InsertCell(world.origin(key="k"), "python", "x = 1", last=True))
    cell = str(first.answer["cell_id"])
    for number in range(200):
        await session.submit(EditCell(world.origin(), cell, f"x = {number}"))
    other = await world.same(session, world.instance())
    again = await other.submit(InsertCell(world.origin(key="k"), "python", "x = 1", last=True))
    assert again == first
    assert len(other.state.cells) == 1


async def test_H3_W9_after_the_fence_other_writers_get_not_found(world: World) -> None:
    registry = world.instance()
    one = await world.notebook(registry)
    cell = await insert(world, one, "x = 1")
    two = await world.same(one, world.instance())
    notebook_id = one.state.notebook_id
    await registry.delete("ada", notebook_id, world.origin())
    with pytest.raises(NotebookNotFound):
        await two.submit(EditCell(world.origin(), cell, "x = 2"))
    with pytest.raises(NotebookNotFound):
        await registry.open("ada", notebook_id)
    header = await world.store.get_header("ada", notebook_id)
    assert header is not None
    assert header.deleted_at
    await two.submit(UndeleteNotebook(world.origin()))
    await two.submit(EditCell(world.origin(), cell, "x = 3"))


async def test_W9_an_old_proof_of_the_head_is_renewed_before_the_next_put(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await world.notebook()
    cell = await insert(world, one, "x = 1")
    two = await world.same(one, world.instance())
    await one.submit(EditCell(world.origin("ada"), cell, "x = 2"))
    hours = clock.elapsed_seconds() + 7200
    monkeypatch.setattr(journal_module, "elapsed_seconds", lambda: hours)
    appended: list[int] = []
    original = world.store.append

    async def spy(log_id: str, record: Record) -> None:
        appended.append(record.revision)
        await original(log_id, record)

    monkeypatch.setattr(world.store, "append", spy)
    await two.submit(EditCell(world.origin("bob"), cell, "x = 3"))
    assert appended == [one.state.revision + 1], "the stale revision was never sent"


async def test_W2_an_unknown_outcome_is_sent_again_with_the_same_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await world.notebook()
    cell = await insert(world, session, "x = 1")
    sent: list[Record] = []
    original = world.store.append

    async def drops_answers(log_id: str, record: Record) -> None:
        sent.append(record)
        await original(log_id, record)
        if len(sent) < 2:
            raise OutcomeUnknown("the answer was lost")

    monkeypatch.setattr(world.store, "append", drops_answers)
    receipt = await session.submit(EditCell(world.origin(), cell, "x = 2"))
    assert sent[0] == sent[1]
    assert receipt.revision == sent[0].revision == session.state.revision


async def test_a_full_disk_is_not_saved_with_the_reason_and_the_next_edit_succeeds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await world.notebook()
    cell = await insert(world, session, "x = 1")

    async def full(log_id: str, record: Record) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "append", full)
        with pytest.raises(NotSaved, match="the disk is full"):
            await session.submit(EditCell(world.origin(), cell, "x = 2"))
    assert session.state.cells[cell].code == "x = 1"
    await session.submit(EditCell(world.origin(), cell, "x = 3"))
    assert session.state.cells[cell].code == "x = 3"


async def test_inserts_moves_and_their_errors(world: World) -> None:
    session = await world.notebook()
    a = await insert(world, session, "a")
    b = await insert(world, session, "b", after=a, last=False)
    c = await insert(world, session, "c", after=None, last=False)
    assert list(session.state.cells) == [c, a, b]
    await session.submit(MoveCell(world.origin(), c, Anchor(b)))
    assert list(session.state.cells) == [a, b, c]
    await session.submit(MoveCell(world.origin(), b, Anchor(None)))
    assert list(session.state.cells) == [b, a, c]
    with pytest.raises(CellNotFound):
        await session.submit(MoveCell(world.origin(), a, Anchor("nowhere")))
    with pytest.raises(CellExists):
        await session.submit(InsertCell(world.origin(), "python", "", cell_id=a))


async def test_a_notebook_holds_a_stated_number_of_cells(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quire.sessions.cell_intents.CELLS_MAX", 3)
    session = await world.notebook()
    for _ in range(3):
        await insert(world, session)
    with pytest.raises(LimitReached) as refused:
        await insert(world, session)
    assert refused.value.limit == 3
    assert CELLS_MAX == 10_000


async def test_H1_the_header_follows_the_log(world: World) -> None:
    registry = world.instance()
    session = await world.notebook(registry)
    await registry.rename(session, Rename(world.origin(), "Orders, weekly"))
    header = await world.store.get_header("ada", session.state.notebook_id)
    assert header is not None
    assert (header.name, header.revision) == ("Orders, weekly", session.state.revision)
    cell = await insert(world, session, "x = 1")
    await session.submit(EditCell(world.origin(), cell, "x = 2"))
    head = session.state.revision

    async def followed() -> int:
        stored = await world.store.get_header("ada", session.state.notebook_id)
        assert stored is not None
        return stored.revision

    async with asyncio.timeout(5):
        while await followed() < head:
            await asyncio.sleep(0.05)


async def test_C6_a_reader_on_another_instance_sees_every_acknowledged_edit(world: World) -> None:
    one = await world.notebook()
    cell = await insert(world, one, "x = 1")
    two = await world.same(one, world.instance())
    for number in range(20):
        receipt = await one.submit(EditCell(world.origin(), cell, f"x = {number}"))
        await two.refresh()
        assert two.state.revision >= receipt.revision
        assert two.state.cells[cell].code == f"x = {number}"


async def test_subscribers_get_every_commit_in_order(world: World) -> None:
    one = await world.notebook()
    subscription, so_far = one.follow()
    assert so_far == []
    cell = await insert(world, one, "x = 1")
    for number in range(10):
        await one.submit(EditCell(world.origin(), cell, f"x = {number + 2}"))
    told = [event for event in subscription.waiting() if hasattr(event, "commit")]
    assert [event.commit.revision for event in told] == list(range(2, 13))
    one.unfollow(subscription)
    await until(lambda: not one.busy)
