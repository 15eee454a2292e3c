"""Which cells a run takes, lazy notebooks, cells that are switched off, and the limits of runs and kernels."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.calls import add, edit, interrupt, new_notebook, run, show, show_cell, start, until, until_status
from tests.api.follower import Follower
from tests.servers import Server

STUBBORN = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass"


FOREVER = "import time\nwhile True:\n    time.sleep(0.01)"


def run_scope(client: httpx.Client, notebook: str, scope: str, *cells: str) -> dict[str, str]:
    body = {"scope": scope} | ({"cell_ids": list(cells)} if cells else {})
    answer = client.post(f"/api/notebooks/{notebook}/run?wait=true", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return {cell["id"]: cell["status"] for cell in answer.json()["cells"]}


def switch(client: httpx.Client, notebook: str, cell: str, *, disabled: bool) -> None:
    answer = client.put(f"/api/notebooks/{notebook}/cells/{cell}/config", json={"disabled": disabled})
    assert answer.status_code == 200, answer.text


def test_scopes(client: httpx.Client) -> None:
    notebook = new_notebook(client, run_mode="lazy")
    a, b, c = (add(client, notebook, code) for code in ("a = 1", "b = 2", "c = 3"))
    assert list(run_scope(client, notebook, "above", b)) == [a]
    assert list(run_scope(client, notebook, "below", b)) == [b, c]
    assert list(run_scope(client, notebook, "all")) == [a, b, c]
    assert run_scope(client, notebook, "stale") == {}
    edit(client, notebook, c, "c = 4")
    assert list(run_scope(client, notebook, "stale")) == [c]
    assert run_scope(client, notebook, "above", a) == {}


@pytest.mark.parametrize(
    "body", [{"scope": "above"}, {"scope": "below", "cell_ids": ["a", "b"]}, {"scope": "all", "cell_ids": ["a"]}]
)
def test_scopes_that_say_too_little_or_too_much(client: httpx.Client, notebook: str, body: dict[str, object]) -> None:
    answer = client.post(f"/api/notebooks/{notebook}/run", json=body)
    assert answer.status_code == 422
    assert "cell_ids" in answer.text


def test_in_lazy_mode_what_depends_on_a_run_becomes_stale(client: httpx.Client) -> None:
    notebook = new_notebook(client, run_mode="lazy")
    a = add(client, notebook, "import random\na = random.random()")
    b, c = add(client, notebook, "b = a"), add(client, notebook, "print(b == a)")
    run_scope(client, notebook, "all")
    assert run(client, notebook, [a]) == {a: "success"}
    assert [show_cell(client, notebook, cell)["status"] for cell in (a, b, c)] == ["success", "stale", "stale"]
    assert run_scope(client, notebook, "stale") == {b: "success", c: "success"}
    assert show_cell(client, notebook, c)["stdout"] == "True\n"


def test_a_cell_that_is_switched_off_goes_stale_and_blocks_what_needs_it(client: httpx.Client, notebook: str) -> None:
    a, off = add(client, notebook, "a = 1"), add(client, notebook, "b = a")
    near, far = add(client, notebook, "c = b"), add(client, notebook, "print(c)")
    run(client, notebook)
    switch(client, notebook, off, disabled=True)
    assert run(client, notebook, [a]) == {a: "success", near: "blocked", far: "blocked"}
    assert show_cell(client, notebook, off)["status"] == "stale", "its result is of the former a"
    error = show_cell(client, notebook, far)["error"]
    assert (error["name"], error["caused_by"]) == ("Disabled", off)
    assert "switched off" in error["message"]
    switch(client, notebook, off, disabled=False)
    assert run_scope(client, notebook, "stale") == {off: "success", near: "success", far: "success"}


def test_a_second_interrupt_ends_a_kernel_that_ignores_the_first(client: httpx.Client, notebook: str) -> None:
    cell, behind = add(client, notebook, STUBBORN), add(client, notebook, "print('fine')")
    start(client, notebook, cell)
    until_status(client, notebook, cell, "running")
    until(lambda: _interrupted(client, notebook, cell), "the kernel's end")
    error = show_cell(client, notebook, cell)["error"]
    assert error["name"] == "KernelDied"
    assert "second" in error["message"]
    assert run(client, notebook, [behind]) == {behind: "success"}


def test_what_waits_behind_a_running_plan_is_queued(client: httpx.Client, notebook: str) -> None:
    long, behind, off = add(client, notebook, FOREVER), add(client, notebook, "print('b')"), add(client, notebook, "c")
    switch(client, notebook, off, disabled=True)
    start(client, notebook, long)
    until_status(client, notebook, long, "running")
    start(client, notebook, behind)
    assert show_cell(client, notebook, behind)["status"] == "queued"
    interrupt(client, notebook)
    until(lambda: show(client, notebook)["kernel"] == "idle", "the end of the loop")
    assert show_cell(client, notebook, behind)["status"] == "idle", "it was dropped, and waits no longer"
    start(client, notebook, long)
    until_status(client, notebook, long, "running")
    start(client, notebook, behind, off)
    assert show_cell(client, notebook, off)["status"] == "queued"
    edit(client, notebook, long, "pass")
    interrupt(client, notebook)
    until(lambda: show(client, notebook)["kernel"] == "idle", "the end of the loop")
    assert show_cell(client, notebook, off)["status"] == "idle"


def test_what_is_not_wanted_any_more_waits_no_longer(server: Server, client: httpx.Client, notebook: str) -> None:
    """A run of what is stale, asked for behind another one, of a cell that meanwhile does not run."""
    long, text = add(client, notebook, "import time\ntime.sleep(0.5)"), add(client, notebook, "print('b')")
    with Follower(server, notebook) as follower:
        follower.ready()
        start(client, notebook, long)
        until_status(client, notebook, long, "running")
        client.post(f"/api/notebooks/{notebook}/run", json={"scope": "stale"}).raise_for_status()
        assert show_cell(client, notebook, text)["status"] == "queued"
        client.put(f"/api/notebooks/{notebook}/cells/{text}", json={"code": "words", "type": "markdown"})
        until(lambda: show(client, notebook)["kernel"] == "idle", "the end of both")
        follower.request("interrupt")  # What was told before has arrived before the answer.
        assert follower.page.live == {}


def _interrupted(client: httpx.Client, notebook: str, cell: str) -> bool:
    interrupt(client, notebook)
    return bool(show_cell(client, notebook, cell)["status"] == "error")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose operator has set limits."""
    limits = {
        "QUIRE_RUN_MODE": "lazy",
        "QUIRE_KERNEL_IDLE_MINUTES": "0.005",
        "QUIRE_CELL_SECONDS": "3.5",
        "QUIRE_KERNEL_NICE": "7",
    }
    server = Server(tmp_path_factory.mktemp("strict"), environment=limits).start()
    yield server
    server.close()


def test_new_notebooks_are_lazy_where_the_operator_says_so(strict: Server) -> None:
    with strict.client() as client:
        notebook = client.post("/api/notebooks", json={"name": "New"}).json()["notebook_id"]
        assert show(client, notebook)["run_mode"] == "lazy"
        assert show(client, "blank")["run_mode"] == "lazy"


def test_an_idle_kernel_is_ended_and_the_notebook_goes_on(strict: Server) -> None:
    with strict.client() as client:
        notebook = new_notebook(client)
        a, b = add(client, notebook, "import os\na = os.getpid()"), add(client, notebook, "print(a == os.getpid())")
        run(client, notebook)
        until(lambda: show(client, notebook)["kernel"] == "none", "the kernel's end")
        assert show_cell(client, notebook, a)["status"] == "success"
        assert run(client, notebook, [b]) == {a: "success", b: "success"}, "R3: what it needs runs again"


def test_a_cell_that_runs_too_long_is_stopped_and_told_why(strict: Server) -> None:
    with strict.client() as client:
        notebook = new_notebook(client)
        cell, other = add(client, notebook, "import time\ntime.sleep(60)"), add(client, notebook, "x = 1")
        assert run(client, notebook, [cell]) == {cell: "error"}
        error = show_cell(client, notebook, cell)["error"]
        assert error["name"] == "TimeLimit"
        assert "3.5 s" in error["message"]
        assert "QUIRE_CELL_SECONDS" in error["message"]
        assert run(client, notebook, [other]) == {other: "success"}


def test_kernels_leave_the_processor_to_the_server(strict: Server) -> None:
    with strict.client() as client:
        notebook = new_notebook(client)
        cell = add(client, notebook, "import os\nprint(os.nice(0))")
        run(client, notebook, [cell])
        assert show_cell(client, notebook, cell)["stdout"] == "7\n"
