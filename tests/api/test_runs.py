"""Running cells over REST: order, statuses, failures, restarts, interrupts."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.calls import (
    add,
    edit,
    interrupt,
    new_notebook,
    restart,
    run,
    show,
    show_cell,
    start,
    until,
    until_status,
)
from tests.servers import Server

FOREVER = "import time\nprint('started', flush=True)\nwhile True:\n    time.sleep(0.01)"


def until_printed(client: httpx.Client, notebook: str, cell: str) -> None:
    """Wait until a cell runs; its own code is what runs then, not the kernel's start."""
    until_status(client, notebook, cell, "running")


def test_a_run_answers_with_statuses_and_durable_results(client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "x = 6 * 7\nprint('hello')\nx")
    answer = client.post(f"/api/notebooks/{notebook}/run?wait=true", json={"cell_ids": [cell]}).json()
    assert answer["cells"] == [{"id": cell, "status": "success"}]
    shown = show(client, notebook)
    assert shown["revision"] >= answer["revision"]
    assert shown["kernel"] == "idle"
    [found] = shown["cells"]
    assert found["stdout"] == "hello\n"
    assert found["outputs"] == [
        {"mime_type": "text/plain", "data": "42", "url": None, "metadata": {}, "display_id": ""}
    ]
    assert found["error"] is None
    assert found["stale_since"] == 0
    assert found["run"]["run_id"] == answer["run_id"]
    assert found["run"]["revision"] <= answer["revision"]


def test_a_run_without_cells_runs_what_is_outdated(client: httpx.Client, notebook: str) -> None:
    a, b = add(client, notebook, "a = 1"), add(client, notebook, "b = a + 1")
    alone, empty = add(client, notebook, "print('alone')"), add(client, notebook, "")
    assert run(client, notebook) == {a: "success", b: "success", alone: "success"}
    assert run(client, notebook) == {}
    edit(client, notebook, a, "a = 10")
    assert [show_cell(client, notebook, cell)["status"] for cell in (a, b, alone)] == ["stale", "stale", "success"]
    assert run(client, notebook) == {a: "success", b: "success"}
    assert show_cell(client, notebook, empty)["status"] == "idle"


def test_a_change_runs_the_chain_behind_it_in_order(client: httpx.Client, notebook: str) -> None:
    """The page order is the other way round: dependencies count, not places."""
    c = add(client, notebook, "print(b * 2)")
    b = add(client, notebook, "b = a + 1")
    a = add(client, notebook, "a = 1")
    assert run(client, notebook) == {a: "success", b: "success", c: "success"}
    assert show_cell(client, notebook, c)["stdout"] == "4\n"
    edit(client, notebook, a, "a = 20")
    assert list(run(client, notebook, [a])) == [a, b, c]
    assert show_cell(client, notebook, c)["stdout"] == "42\n"


def test_a_failure_blocks_what_depends_on_it_and_nothing_else(client: httpx.Client, notebook: str) -> None:
    bad = add(client, notebook, "v = 1 / 0")
    child = add(client, notebook, "w = v + 1")
    grandchild = add(client, notebook, "print(w)")
    other = add(client, notebook, "print('fine')")
    assert run(client, notebook) == {bad: "error", child: "blocked", grandchild: "blocked", other: "success"}
    error = show_cell(client, notebook, bad)["error"]
    assert error["name"] == "ZeroDivisionError"
    assert error["line"] == 1
    assert "v = " in str(error["traceback"])
    for cell in (child, grandchild):
        found = show_cell(client, notebook, cell)["error"]
        assert found["caused_by"] == bad
        assert found["message"]
    edit(client, notebook, bad, "v = 1")
    assert run(client, notebook, [bad]) == {bad: "success", child: "success", grandchild: "success"}
    assert show_cell(client, notebook, child)["error"] is None


def test_a_syntax_error_is_the_error_of_its_cell(client: httpx.Client, notebook: str) -> None:
    bad, good = add(client, notebook, "x = 1\ny = = 2"), add(client, notebook, "z = 3")
    assert run(client, notebook) == {bad: "error", good: "success"}
    error = show_cell(client, notebook, bad)["error"]
    assert error["name"] == "SyntaxError"
    assert error["line"] == 2


def test_two_definitions_of_a_name_block_both_until_one_goes(client: httpx.Client, notebook: str) -> None:
    one, two = add(client, notebook, "x = 1"), add(client, notebook, "x = 2")
    reader = add(client, notebook, "print(x)")
    for cell, other in ((one, two), (two, one)):
        found = show_cell(client, notebook, cell)
        assert found["status"] == "blocked"
        assert found["error"]["name"] == "MultipleDefinitions"
        assert "`x`" in found["error"]["message"]
        assert found["error"]["caused_by"] == other
    assert run(client, notebook) == {one: "blocked", two: "blocked", reader: "blocked"}
    assert show_cell(client, notebook, one)["error"]["name"] == "MultipleDefinitions"
    edit(client, notebook, two, "y = 2")
    freed = show_cell(client, notebook, one)
    assert (freed["status"], freed["error"]) != ("blocked", None)
    assert freed["error"] is None
    assert run(client, notebook) == {one: "success", two: "success", reader: "success"}
    assert show_cell(client, notebook, reader)["stdout"] == "1\n"


def test_a_cycle_blocks_its_cells_until_it_is_broken(client: httpx.Client, notebook: str) -> None:
    one, two = add(client, notebook, "a = b"), add(client, notebook, "b = a")
    for cell, other in ((one, two), (two, one)):
        found = show_cell(client, notebook, cell)
        assert found["status"] == "blocked"
        assert found["error"]["name"] == "Cycle"
        assert found["error"]["caused_by"] == other
    assert run(client, notebook) == {one: "blocked", two: "blocked"}
    edit(client, notebook, one, "a = 5")
    assert show_cell(client, notebook, two)["error"] is None
    assert run(client, notebook) == {one: "success", two: "success"}


def test_deleting_a_cell_removes_its_names(client: httpx.Client, notebook: str) -> None:
    gone, reader = add(client, notebook, "secret = 1"), add(client, notebook, "print(secret)")
    assert run(client, notebook) == {gone: "success", reader: "success"}
    client.delete(f"/api/notebooks/{notebook}/cells/{gone}")
    assert show_cell(client, notebook, reader)["status"] == "stale"
    assert run(client, notebook, [reader]) == {reader: "error"}
    error = show_cell(client, notebook, reader)["error"]
    assert error["name"] == "NameError"
    assert "secret" in error["message"]


def test_names_that_a_cell_no_longer_defines_are_gone(client: httpx.Client, notebook: str) -> None:
    cell, reader = add(client, notebook, "old = 1"), add(client, notebook, "print(old)")
    assert run(client, notebook) == {cell: "success", reader: "success"}
    edit(client, notebook, cell, "new = 1")
    assert run(client, notebook) == {cell: "success", reader: "error"}
    assert show_cell(client, notebook, reader)["error"]["name"] == "NameError"


def test_names_with_an_underscore_belong_to_their_cell(client: httpx.Client, notebook: str) -> None:
    one = add(client, notebook, "_i = 1\ndef one():\n    return _i\nprint(_i)")
    two = add(client, notebook, "_i = 2\nprint(_i, one())")
    three = add(client, notebook, "_i")
    assert run(client, notebook) == {one: "success", two: "success", three: "error"}
    assert show_cell(client, notebook, two)["stdout"] == "2 1\n"
    assert show_cell(client, notebook, two)["writes"] == []
    assert show_cell(client, notebook, three)["error"]["name"] == "NameError"


def test_text_does_not_run(client: httpx.Client, notebook: str) -> None:
    text = add(client, notebook, "x = 1", type="markdown")
    cell = add(client, notebook, "x = 2")
    assert run(client, notebook) == {cell: "success"}
    assert run(client, notebook, [text]) == {}
    found = show_cell(client, notebook, text)
    assert (found["status"], found["run"], found["writes"]) == ("idle", None, [])


def test_R3_after_a_restart_a_cell_runs_behind_what_it_needs(client: httpx.Client, notebook: str) -> None:
    imports = add(client, notebook, "import math\nprint('imported')")
    factor = add(client, notebook, "factor = 2")
    unrelated = add(client, notebook, "print('unrelated')")
    cell = add(client, notebook, "print(factor * math.floor(2.5))")
    assert set(run(client, notebook).values()) == {"success"}
    restart(client, notebook)
    assert show(client, notebook)["kernel"] == "none"
    assert show_cell(client, notebook, cell)["stdout"] == "4\n", "results stay"
    edit(client, notebook, cell, "print(factor * math.floor(3.5))")
    ran = run(client, notebook, [cell])
    assert ran == {imports: "success", factor: "success", cell: "success"}
    assert show_cell(client, notebook, cell)["stdout"] == "6\n"
    assert show_cell(client, notebook, unrelated)["status"] == "success"


def test_an_interrupt_ends_a_loop_and_what_waits_behind_it(client: httpx.Client, notebook: str) -> None:
    loop = add(client, notebook, f"{FOREVER}\nx = 1")
    behind = add(client, notebook, "print(x)")
    start(client, notebook, loop)
    until_printed(client, notebook, loop)
    assert show_cell(client, notebook, behind)["status"] == "queued"
    assert show(client, notebook)["kernel"] == "busy"
    interrupt(client, notebook)
    found = until_status(client, notebook, loop, "error")
    assert found["error"]["name"] == "KeyboardInterrupt"
    assert found["stdout"] == "started\n"
    until(lambda: show(client, notebook)["kernel"] == "idle", "the kernel is idle")
    assert show_cell(client, notebook, behind)["run"] is None
    edit(client, notebook, loop, "x = 2")
    assert run(client, notebook) == {loop: "success", behind: "success"}


def test_an_interrupt_before_the_kernel_is_there_stops_the_run(server: Server, client: httpx.Client) -> None:
    """Whoever starts a run and stops it at once does not find it running for ever."""
    for _ in range(3):
        notebook = new_notebook(client)
        loop = add(client, notebook, FOREVER)
        start(client, notebook, loop)
        interrupt(client, notebook)
        until(lambda: show(client, notebook)["kernel"] in {"none", "idle"}, "nothing runs", 10)  # noqa: B023  called at once
        assert show_cell(client, notebook, loop)["status"] in {"idle", "error"}
        edit(client, notebook, loop, "print('fine')")
        assert run(client, notebook) == {loop: "success"}


def test_R2_a_cell_edited_while_it_runs_is_stale(client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "import time\nprint('old')\ntime.sleep(0.7)")
    start(client, notebook, cell)
    until_printed(client, notebook, cell)
    edit(client, notebook, cell, "print('new')")
    until(lambda: show(client, notebook)["kernel"] == "idle", "the run is over")
    found = until_status(client, notebook, cell, "stale")
    assert found["stdout"] == "old\n"
    assert found["code"] == "print('new')"
    assert run(client, notebook) == {cell: "success"}
    assert show_cell(client, notebook, cell)["stdout"] == "new\n"


def test_R2_a_cell_is_stale_if_what_it_reads_is_edited_while_it_runs(client: httpx.Client, notebook: str) -> None:
    value = add(client, notebook, "value = 1")
    reader = add(client, notebook, "import time\ntime.sleep(0.7)\nprint(value)")
    start(client, notebook, value)
    until_printed(client, notebook, reader)
    edit(client, notebook, value, "value = 2")
    until(lambda: show(client, notebook)["kernel"] == "idle", "the run is over")
    until_status(client, notebook, reader, "stale")
    assert run(client, notebook) == {value: "success", reader: "success"}
    assert show_cell(client, notebook, reader)["stdout"] == "2\n"


def test_R2_a_success_never_stands_beside_other_values(server: Server, client: httpx.Client) -> None:
    """An edit that comes while a result is on its way to the log is not missed."""
    notebook = new_notebook(client, run_mode="lazy")
    value, reader = add(client, notebook, "value = 0"), add(client, notebook, "print(value)")
    run(client, notebook)
    chance = random.Random(7)
    with ThreadPoolExecutor(1) as pool, server.client() as second:
        for number in range(1, 60):
            done = pool.submit(run, second, notebook, [value, reader])
            time.sleep(chance.uniform(0, 0.015))  # Any moment will do: nothing is waited for.
            edit(client, notebook, value, f"value = {number}")
            done.result()
            found = show_cell(client, notebook, reader)
            assert found["status"] == "stale" or found["stdout"] == f"{number}\n", f"round {number}"


def test_I1_a_run_with_one_key_runs_once(client: httpx.Client, notebook: str) -> None:
    count = add(
        client, notebook, "import builtins\nbuiltins.runs = getattr(builtins, 'runs', 0) + 1\nprint(builtins.runs)"
    )
    path, key = f"/api/notebooks/{notebook}/run?wait=true", {"Idempotency-Key": "run-1"}
    body = {"cell_ids": [count]}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.post(path, json=body, headers=key).json(), range(2)))
    answers.append(client.post(path, json=body, headers=key).json())
    assert len({answer["run_id"] for answer in answers}) == 1
    assert show_cell(client, notebook, count)["stdout"] == "1\n"
    assert client.post(path, json={"cell_ids": []}, headers=key).status_code == 422
    run(client, notebook, [count])
    assert show_cell(client, notebook, count)["stdout"] == "2\n"


def test_two_notebooks_run_at_the_same_time(server: Server) -> None:
    """Each waits for a file that the other one makes."""

    def one(mine: str, other: str, notebook: str) -> dict[str, str]:
        code = (
            "import pathlib, tempfile, time\n"
            f"pathlib.Path({mine!r}).touch()\n"
            "deadline = time.monotonic() + 20\n"
            f"while not pathlib.Path({other!r}).exists():\n"
            "    assert time.monotonic() < deadline\n"
            "    time.sleep(0.01)\n"
        )
        with server.client() as client:
            add(client, notebook, code)
            return run(client, notebook)

    first, second = str(server.folder / "first"), str(server.folder / "second")
    with server.client() as client, ThreadPoolExecutor(2) as pool:
        notebooks = [new_notebook(client) for _ in range(2)]
        ran = [pool.submit(one, first, second, notebooks[0]), pool.submit(one, second, first, notebooks[1])]
        assert [list(future.result().values()) for future in ran] == [["success"], ["success"]]


def test_in_lazy_mode_only_what_was_asked_for_runs(client: httpx.Client) -> None:
    notebook = new_notebook(client, run_mode="lazy")
    a, b = add(client, notebook, "a = 1"), add(client, notebook, "print(a)")
    assert run(client, notebook, [b]) == {a: "success", b: "success"}, "b needs a"
    edit(client, notebook, a, "a = 2")
    assert show_cell(client, notebook, b)["status"] == "stale"
    assert run(client, notebook, [a]) == {a: "success"}
    assert show_cell(client, notebook, b)["status"] == "stale"
    assert run(client, notebook, [b]) == {b: "success"}
    assert show_cell(client, notebook, b)["stdout"] == "2\n"


def test_a_disabled_cell_does_not_run_and_blocks_what_needs_it(client: httpx.Client, notebook: str) -> None:
    off, reader = add(client, notebook, "x = 1"), add(client, notebook, "print(x)")
    client.put(f"/api/notebooks/{notebook}/cells/{off}/config", json={"disabled": True})
    assert run(client, notebook) == {reader: "blocked"}
    assert show_cell(client, notebook, reader)["error"]["caused_by"] == off
    client.put(f"/api/notebooks/{notebook}/cells/{off}/config", json={"disabled": False})
    assert run(client, notebook) == {off: "success", reader: "success"}


def test_a_kernel_that_dies_between_two_runs_is_replaced(client: httpx.Client, notebook: str) -> None:
    """Whenever it dies: with the last result on its way, or idle."""
    dies, check = add(client, notebook), add(client, notebook, "print('fine')")
    for delay in (0.0, 0.005, 0.01, 0.02, 0.05):
        edit(client, notebook, dies, f"import os, threading\nthreading.Timer({delay}, os._exit, (3,)).start()")
        run(client, notebook, [dies])
        statuses: list[str] = []
        while "success" not in statuses:
            assert len(statuses) < 3, statuses
            statuses += run(client, notebook, [check]).values()
        assert set(statuses) <= {"success", "error"}, "no run ends without a word"


@pytest.mark.parametrize("path", ["interrupt", "restart"])
def test_stopping_what_does_not_run_does_no_harm(client: httpx.Client, notebook: str, path: str) -> None:
    cell = add(client, notebook, "print('fine')")
    for _ in range(2):
        assert client.post(f"/api/notebooks/{notebook}/{path}").status_code == 202
    assert run(client, notebook) == {cell: "success"}
    assert client.post(f"/api/notebooks/{notebook}/{path}").status_code == 202
    assert run(client, notebook, [cell]) == {cell: "success"}
    assert client.post(f"/api/notebooks/nowhere/{path}").status_code == 404
