"""Orders of events in which an older version meets what a newer one wrote."""

import msgspec
import pytest

from quire.notebook.changes import CellConfigured, Commit
from quire.notebook.codec import encode_commit
from quire.notebook.ids import log_id_of
from quire.notebook.model import CellConfig
from quire.sessions.cell_intents import EditCell, InsertCell
from quire.sessions.errors import ReadOnly
from quire.storage.protocol import Record
from tests.sessions.worlds import World
from tests.storage.engines import whole_log


@pytest.mark.parametrize("newer", ["field", "kind"])
async def test_E1_an_older_instance_neither_folds_nor_checkpoints_what_it_does_not_know(
    world: World, newer: str
) -> None:
    """A newer instance writes a field, or a change, that this one does not know; this one goes on working.

    If it dropped it unread, its next checkpoint would make the loss last.
    """
    session = await world.notebook()
    receipt = await session.submit(InsertCell(world.origin(), "python", "x = 1", last=True))
    cell = str(receipt.answer["cell_id"])
    for number in range(62):  # The next commit but one would carry a checkpoint.
        await session.submit(EditCell(world.origin(), cell, f"x = {number + 2}"))
    state = session.state
    log_id = log_id_of(state.user_id, state.notebook_id)
    change = CellConfigured(author="ada", at=1, cell_id=cell, config=CellConfig(disabled=True))
    body = msgspec.json.decode(encode_commit(Commit(state.revision + 1, "theirs", (change,))))
    if newer == "field":
        body["commit"]["changes"][0]["config"]["frozen"] = True
    else:
        body["commit"]["changes"][0]["kind"] = "cell_frozen"
    theirs = Record(state.revision + 1, "theirs", msgspec.json.encode(body), 1)
    await world.store.append(log_id, theirs)
    for number in range(70):
        with pytest.raises(ReadOnly):
            await session.submit(EditCell(world.origin(), cell, f"y = {number}"))
    assert (await whole_log(world.store, log_id))[-1] == theirs
    assert session.state == state, "what could be read is still shown"
