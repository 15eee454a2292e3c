"""Orders of events in which a notebook is made twice, or by the wrong user."""

import asyncio

import pytest

from quire.notebook.model import Cell
from quire.sessions.cell_intents import EditCell
from quire.sessions.errors import NotebookNotFound
from quire.sessions.provisioning import Provisioner
from tests.sessions.worlds import World
from tests.storage.engines import all_headers, whole_log


async def test_W1_H2_another_users_id_names_no_log_of_theirs(world: World) -> None:
    """Bob makes a notebook under the id of Alice's demo: he gets a log of his own, and hers is as it was."""
    registry = world.instance()
    await Provisioner(registry).provision("alice")
    before = await whole_log(world.store, "alice/demo-alice")
    with pytest.raises(NotebookNotFound):
        await registry.open("bob", "demo-alice")
    mine = Cell(cell_id="c", type="python", code="bob = 1", code_revision=1)
    await registry.create("bob", world.origin("bob"), name="Mine", notebook_id="demo-alice", cells=(mine,))
    session = await registry.open("bob", "demo-alice")
    await session.submit(EditCell(world.origin("bob"), "c", "bob = 2"))
    assert session.state.user_id == "bob"
    assert await whole_log(world.store, "alice/demo-alice") == before
    assert len(await whole_log(world.store, "bob/demo-alice")) == 2
    assert {header.user_id for header in await world.store.find_headers("demo-alice")} == {"alice", "bob"}


async def test_H2_fifty_first_requests_on_three_instances_make_one_demo(world: World) -> None:
    """A new user's page sends fifty requests at once; each finds no notebook, and each makes the first two."""
    provisioners = [Provisioner(world.instance()) for _ in range(3)]
    await asyncio.gather(*(provisioners[number % 3].provision("zoe") for number in range(50)))
    headers = await all_headers(world.store, "zoe", limit=100)
    assert sorted(header.notebook_id for header in headers) == ["blank-zoe", "demo-zoe"]
    [only] = await whole_log(world.store, "zoe/demo-zoe")
    assert only.revision == 1
    assert len(await whole_log(world.store, "zoe/blank-zoe")) == 1
    shown = [await registry.open("zoe", "demo-zoe") for registry in world.instances]
    assert shown[0].state == shown[1].state == shown[2].state
    assert len({cell.code for cell in shown[0].state.cells.values()}) == len(shown[0].state.cells)
