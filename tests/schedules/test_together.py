"""Orders of events in which several writers meet: what one of them would lose, if a rule were not kept."""

import asyncio
from typing import NamedTuple

import pytest

from quire.notebook import codec
from quire.notebook.changes import CellEdited, CellInserted, Commit, NotebookRenamed
from quire.notebook.ids import log_id_of
from quire.sessions.cell_intents import Anchor, DeleteCell, EditCell, InsertCell, MoveCell
from quire.sessions.errors import CellNotFound, Conflict, NotebookConflict, NotSaved
from quire.sessions.notebook_intents import Rename, Restore
from quire.sessions.session import Session
from quire.storage.protocol import OutcomeUnknown, Record, StoreUnavailable
from tests.sessions.worlds import World
from tests.storage.engines import whole_log


async def insert(world: World, session: Session, code: str, *, key: str = "") -> str:
    receipt = await session.submit(InsertCell(world.origin(key=key), "python", code, last=True))
    return str(receipt.answer["cell_id"])


async def commits_of(world: World, session: Session) -> list[Commit]:
    found = []
    for record in await whole_log(world.store, log_id_of(session.state.user_id, session.state.notebook_id)):
        body = codec.decode_body(record.body)
        assert isinstance(body, Commit)
        found.append(body)
    return found


class Held(NamedTuple):
    """Appends that wait at the store's door."""

    arrived: asyncio.Event
    gate: asyncio.Event
    sent: list[Record]


def hold_appends(world: World, monkeypatch: pytest.MonkeyPatch, *, lose_first_answer: bool = False) -> Held:
    """Every append waits for `gate`; `arrived` says that one does."""
    held = Held(asyncio.Event(), asyncio.Event(), [])
    append = world.store.append

    async def slow(log_id: str, record: Record) -> None:
        held.sent.append(record)
        held.arrived.set()
        if lose_first_answer and len(held.sent) == 1:
            await append(log_id, record)
            raise OutcomeUnknown("the answer was lost")
        await held.gate.wait()
        await append(log_id, record)

    monkeypatch.setattr(world.store, "append", slow)
    return held


async def test_W4_W5_of_two_clients_edits_that_wait_together_one_is_a_conflict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a put is under way Ann and Bob edit one cell, both from the same revision; the next commit takes one."""
    session = await world.notebook()
    cell, other = await insert(world, session, "x = 1"), await insert(world, session, "y = 1")
    base = session.state.revision
    held = hold_appends(world, monkeypatch)
    first = asyncio.create_task(session.submit(EditCell(world.origin(), other, "y = 2")))
    await held.arrived.wait()
    ann = asyncio.create_task(session.submit(EditCell(world.origin("ann"), cell, "x = 'ann'", expected_revision=base)))
    bob = asyncio.create_task(session.submit(EditCell(world.origin("bob"), cell, "x = 'bob'", expected_revision=base)))
    await asyncio.sleep(0)
    held.gate.set()
    await first
    receipt = await ann
    with pytest.raises(Conflict) as refused:
        await bob
    assert refused.value.current is not None
    assert refused.value.current.code == "x = 'ann'"
    assert refused.value.current.code_revision == receipt.revision
    assert session.state.cells[cell].code == "x = 'ann'"


async def test_W2_what_arrives_during_a_retry_waits_for_the_next_commit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A put's answer is lost; an edit arrives; the retry finds its commit stored, and does not carry the edit too."""
    session = await world.notebook()
    cell, other = await insert(world, session, "x = 1"), await insert(world, session, "y = 1")
    held = hold_appends(world, monkeypatch, lose_first_answer=True)
    first = asyncio.create_task(session.submit(EditCell(world.origin(), cell, "x = 2")))
    while len(held.sent) < 2:  # The retry is on its way.
        await asyncio.sleep(0.001)
    second = asyncio.create_task(session.submit(EditCell(world.origin(), other, "y = 2")))
    await asyncio.sleep(0)
    held.gate.set()
    receipts = await asyncio.gather(first, second)
    assert held.sent[0] == held.sent[1]
    assert receipts[1].revision == receipts[0].revision + 1
    commits = await commits_of(world, session)
    edits = {commit.revision: [c.code for c in commit.changes if isinstance(c, CellEdited)] for commit in commits}
    assert edits[receipts[0].revision] == ["x = 2"]
    assert edits[receipts[1].revision] == ["y = 2"]


@pytest.mark.parametrize("attempt", range(5))
async def test_I1_two_instances_given_one_key_at_once_make_one_cell(world: World, attempt: int) -> None:
    """A client sends an insert, hears nothing, and sends it to another instance, while the first still works on it."""
    one = await world.notebook()
    others = [await world.same(one, world.instance()) for _ in range(attempt + 1)]
    cells = await asyncio.gather(*(insert(world, session, "x = 1", key="k") for session in (one, *others)))
    assert len(set(cells)) == 1
    inserted = [
        change.cell_id
        for commit in await commits_of(world, one)
        for change in commit.changes
        if isinstance(change, CellInserted)
    ]
    assert inserted == [cells[0]]


async def test_W5_a_base_older_than_the_loaded_checkpoint_is_judged_by_the_cells_own_revision(world: World) -> None:
    """A page knows an old revision; one cell changed since, another did not; the instance loaded a later checkpoint."""
    session = await world.notebook()
    changed, untouched = await insert(world, session, "x = 0"), await insert(world, session, "y = 0")
    busy = await insert(world, session, "z = 0")
    seen = session.state.revision
    await session.submit(EditCell(world.origin("bob"), changed, "x = 1"))
    for number in range(200):
        await session.submit(EditCell(world.origin("bob"), busy, f"z = {number + 1}"))
    page = await world.store.read_newest(log_id_of("ada", session.state.notebook_id), 1)
    assert page.records[0].checkpoint_revision > seen + 1, "the checkpoint lies behind the edit"
    fresh = await world.same(session, world.instance())
    with pytest.raises(Conflict) as refused:
        await fresh.submit(EditCell(world.origin("ada"), changed, "x = 2", expected_revision=seen))
    assert refused.value.current is not None
    assert refused.value.current.code == "x = 1"
    await fresh.submit(EditCell(world.origin("ada"), untouched, "y = 2", expected_revision=seen))
    assert fresh.state.cells[untouched].code == "y = 2"


async def test_W5_a_move_and_an_insert_behind_a_cell_deleted_meanwhile_go_to_its_predecessor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are judged and on their way when another instance deletes the cell that they name."""
    one = await world.notebook()
    a, b, c = [await insert(world, one, f"# {name}") for name in "abc"]
    two = await world.same(one, world.instance())
    held = hold_appends(world, monkeypatch)
    inserting = asyncio.create_task(two.submit(InsertCell(world.origin(), "python", "# new", Anchor(b))))
    moving = asyncio.create_task(two.submit(MoveCell(world.origin(), c, Anchor(b))))
    await held.arrived.wait()
    monkeypatch.undo()
    deleted = await one.submit(DeleteCell(world.origin("bob"), b))
    assert held.sent[0].revision == deleted.revision, "they race for one revision"
    held.gate.set()
    new = str((await inserting).answer["cell_id"])
    await moving
    await one.refresh()
    assert set(one.state.cells) == {a, c, new}
    assert next(iter(one.state.cells)) == a
    assert one.state == two.state
    with pytest.raises(CellNotFound):
        await two.submit(InsertCell(world.origin(), "python", "", Anchor("never-there")))


async def test_W5_a_restore_on_another_instance_does_not_wipe_edits_that_it_has_not_seen(world: World) -> None:
    """Ada restores what she sees on one instance, while Bob has edited on the other."""
    one = await world.notebook()
    cell = await insert(world, one, "x = 1")
    then, seen = await one.state_at(one.state.revision), one.state.revision
    two = await world.same(one, world.instance())
    await two.submit(EditCell(world.origin("bob"), cell, "x = 'bob'"))
    with pytest.raises(NotebookConflict, match=cell):
        await one.submit(Restore(world.origin("ada"), then, expected_revision=seen))
    assert one.state.cells[cell].code == "x = 'bob'"


async def test_W5_an_undo_over_somebody_elses_edit_is_refused(world: World) -> None:
    """Ada edits, Bob edits the same cell, Ada undoes hers: her undo is based on her own revision."""
    one = await world.notebook()
    cell = await insert(world, one, "x = 1")
    mine = await one.submit(EditCell(world.origin("ada"), cell, "x = 2", expected_revision=one.state.revision))
    two = await world.same(one, world.instance())
    await two.submit(EditCell(world.origin("bob"), cell, "x = 'bob'", expected_revision=mine.revision))
    with pytest.raises(Conflict) as refused:
        await one.submit(EditCell(world.origin("ada"), cell, "x = 1", expected_revision=mine.revision))
    assert refused.value.current is not None
    assert refused.value.current.code == "x = 'bob'"
    await two.submit(EditCell(world.origin("bob"), cell, "x = 2", expected_revision=two.state.revision))


async def test_C6_an_edit_that_seems_to_change_nothing_is_judged_on_what_others_wrote(world: World) -> None:
    """An instance has an old text in memory, and a client writes that text: it is an edit, for the log has another."""
    one = await world.notebook()
    cell = await insert(world, one, "x = 1")
    two = await world.same(one, world.instance())
    await two.submit(EditCell(world.origin("bob"), cell, "x = 2"))
    receipt = await one.submit(EditCell(world.origin("ada"), cell, "x = 1"))
    await two.refresh()
    assert two.state.cells[cell].code == "x = 1"
    assert receipt.revision == two.state.revision


async def test_W4_nobody_is_told_what_rests_on_a_change_that_is_not_durable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clients give one name; both requests wait for one put, and the store refuses it: neither is told "saved"."""
    session = await world.notebook()

    async def full(_log_id: str, _record: Record) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "append", full)
        told = await asyncio.gather(
            *(session.submit(Rename(world.origin(author), "Sales")) for author in ("ada", "bob")),
            return_exceptions=True,
        )
    assert [type(one) for one in told] == [NotSaved, NotSaved]
    receipts = await asyncio.gather(
        *(session.submit(Rename(world.origin(author), "Sales")) for author in ("ada", "bob"))
    )
    assert {receipt.revision for receipt in receipts} == {session.state.revision}
    changes = [change for commit in await commits_of(world, session) for change in commit.changes]
    names = [change.name for change in changes if isinstance(change, NotebookRenamed)]
    assert names == ["Sales"]
