"""W7: 10,000 cells and not one more, and outputs at their limits."""

from pathlib import Path

import httpx
import pytest

from quire.blobs.folder import FolderBlobs
from quire.kernels.protocol import OUTPUT_BYTES_MAX, OUTPUTS_MAX, STREAM_BYTES_MAX
from quire.notebook.model import CELLS_MAX, Cell
from quire.sessions.errors import LimitReached
from quire.sessions.intents import Origin
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.sqlite import SqliteStore
from tests.api.calls import add, edit, new_notebook, run, show, show_cell
from tests.api.follower import Follower
from tests.limits.answers import refusal
from tests.servers import Server
from tests.sessions.worlds import NoKernels

LARGE = "large"


async def make_notebook(folder: Path, cells: int) -> None:
    """As an import would, in one commit."""
    store, blobs = await SqliteStore.open(folder / "quire.db"), FolderBlobs(folder / "blobs")
    registry = Registry(Environment(store, blobs, NoKernels(), "limits"))
    try:
        many = tuple(Cell(f"c{number}", "python", f"x{number} = {number}", 1) for number in range(cells))
        await registry.create("local", Origin("local", 1), name="Large", notebook_id=LARGE, cells=many)
    finally:
        await registry.close()
        await blobs.close()
        await store.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_W7_a_notebook_of_10_000_cells_works_and_takes_no_more(tmp_path: Path) -> None:
    with pytest.raises(LimitReached, match="10,000"):
        await make_notebook(tmp_path, CELLS_MAX + 1)
    await make_notebook(tmp_path, CELLS_MAX - 1)
    server = Server(tmp_path, environment={"QUIRE_KERNEL_POOL": "0"}).start()
    try:
        with server.client() as client:
            assert len(show(client, LARGE)["cells"]) == CELLS_MAX - 1
            first = show(client, LARGE)["revision"]
            last = add(client, LARGE, "y = 1")
            assert_is_full(server, client)
            edit(client, LARGE, "c5000", "x5000 = 'edited'")
            assert client.delete(f"/api/notebooks/{LARGE}/cells/c0").is_success
            again = add(client, LARGE, "z = 1")
            assert_is_full(server, client)
            restored = client.post(f"/api/notebooks/{LARGE}/restore", json={"revision": first + 1})
            assert restored.is_success, restored.text
        server.kill()
        server.start()
        with server.client() as client:
            cells = {cell["id"]: cell["code"] for cell in show(client, LARGE)["cells"]}
            assert len(cells) == CELLS_MAX
            assert cells["c5000"] == "x5000 = 5000"
            assert last in cells
            assert again not in cells
            assert_is_full(server, client)
    finally:
        server.close()


def assert_is_full(server: Server, client: httpx.Client) -> None:
    found = refusal(client.post(f"/api/notebooks/{LARGE}/cells", json={"type": "python"}))
    assert (found["status"], found["field"], found["limit"]) == (422, "cells", CELLS_MAX)
    assert "10,000 cells" in found["detail"]
    assert "Start another" in found["detail"]
    with Follower(server, LARGE) as follower:
        told = follower.ready().request("insert_cell", cell_type="python")
        assert (told["status"], told["limit"]) == (422, CELLS_MAX)


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_W7_an_output_at_its_limit_is_kept_and_a_larger_one_is_said(client: httpx.Client, beyond: int) -> None:
    notebook = new_notebook(client)
    size = OUTPUT_BYTES_MAX + beyond
    code = (
        "from IPython.display import publish_display_data as _show\n"
        f"_show({{'text/plain': 'x' * {size}}})\nprint('y' * {STREAM_BYTES_MAX + beyond})"
    )
    cell = add(client, notebook, code)
    assert run(client, notebook) == {cell: "success"}
    found = show_cell(client, notebook, cell)
    [output] = found["outputs"]
    if beyond <= 0:
        assert len(client.get(output["url"]).content) == size
    else:
        assert "up to 8 MB are kept" in output["data"]
        assert "write it to a file" in output["data"]
    # The line's end counts as well.
    assert (len(found["stdout"]) == STREAM_BYTES_MAX + beyond + 1) == (beyond < 0)
    assert found["stdout"].startswith("y" * 1000)


@pytest.mark.parametrize("count", [OUTPUTS_MAX - 1, OUTPUTS_MAX, OUTPUTS_MAX + 1])
def test_W7_as_many_outputs_as_a_cell_keeps(client: httpx.Client, count: int) -> None:
    notebook = new_notebook(client)
    cell = add(client, notebook, f"from IPython.display import display as _show\nfor _ in range({count}): _show(_)")
    assert run(client, notebook) == {cell: "success"}
    outputs = show_cell(client, notebook, cell)["outputs"]
    assert outputs[0]["data"] == "0"
    assert len(outputs) == min(count, OUTPUTS_MAX)
    # The last place is that of the sentence that says so.
    wanted = str(count - 1) if count < OUTPUTS_MAX else "More outputs were not kept: up to 1,000 of a cell are."
    assert outputs[-1]["data"] == wanted
