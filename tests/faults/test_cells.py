"""Cells that misbehave: each shows what happened, the server goes on, the next run works, nothing is lost."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.calls import add, edit, interrupt, new_notebook, run, show, show_cell, start, until, until_status
from tests.faults.watch import Watch
from tests.servers import Server

MB = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("cells")
    server = Server(folder, environment={"QUIRE_KERNEL_MEMORY_MB": "512"}).start()
    yield server
    server.close()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def notebook(server: Server, client: httpx.Client) -> Iterator[str]:
    """A notebook with a good result; at the end everything in it must still be there, and cells must run."""
    notebook = new_notebook(client)
    good = add(client, notebook, "good = 'kept'\nprint(good)")
    statuses = run(client, notebook)
    assert statuses == {good: "success"}, (show_cell(client, notebook, good), server.lines[-5:])
    yield notebook
    found = show_cell(client, notebook, good)
    assert found["code"] == "good = 'kept'\nprint(good)"
    assert found["stdout"] == "kept\n"
    last = add(client, notebook, "print(good, 'again')")
    assert run(client, notebook, [last])[last] == "success", "the next run works"
    assert show_cell(client, notebook, last)["stdout"] == "kept again\n"


def ran(server: Server, client: httpx.Client, notebook: str, code: str, what: str) -> dict[str, Any]:
    """The cell, after it ran."""
    cell = add(client, notebook, code)
    behind = add(client, notebook, "print('behind')")
    with Watch(server, what):
        run(client, notebook, [cell])
    assert run(client, notebook, [behind]) != {}
    assert show_cell(client, notebook, behind)["status"] == "success"
    return show_cell(client, notebook, cell)


@pytest.mark.parametrize(
    ("code", "name", "says"),
    [
        ("exit()", "SystemExit", ""),
        ("import sys\nsys.exit(7)", "SystemExit", "exit"),
        ("quit()", "SystemExit", ""),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("import os\nos._exit(3)", "KernelDied", "exit status 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "KernelDied", "SIGKILL"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", "KernelDied", "SIGTERM"),
        ("import ctypes\nctypes.string_at(0)", "KernelDied", "SIGSEGV"),
        ("import os\nos.abort()", "KernelDied", "SIGABRT"),
        ("def f():\n    return f()\nf()", "RecursionError", "recursion"),
        ("raise ValueError('x' * 5_000_000)", "ValueError", "xxx"),
        ("raise type('N' * 100_000, (Exception,), {})('named')", "N", "named"),
        ("class Bad(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Bad", "Bad", ""),
        ("raise ValueError('\\ud800 \\x00 \\x1b[31mred')", "ValueError", "\ufffd"),
        ("assert False, 'ü🙂'", "AssertionError", "ü🙂"),
        ("raise ExceptionGroup('many', [ValueError(str(n)) for n in range(500)])", "ExceptionGroup", "many"),
    ],
    ids=range(16),
)
def test_a_cell_that_fails_badly_says_how(
    server: Server, client: httpx.Client, notebook: str, code: str, name: str, says: str
) -> None:
    found = ran(server, client, notebook, code, code.splitlines()[-1][:40])
    assert found["status"] == "error"
    assert found["error"]["name"].startswith(name)
    assert says in found["error"]["message"]
    assert len(str(found["error"])) < 100_000


@pytest.mark.parametrize(
    "code",
    [
        "big = []\nwhile True:\n    big.append(bytearray(10_000_000))",
        "big = bytearray(4_000_000_000)",
        "big = [0] * 10**9",
    ],
)
def test_a_cell_that_eats_memory_is_stopped_alone(
    server: Server, client: httpx.Client, notebook: str, code: str
) -> None:
    found = ran(server, client, notebook, code, "memory")
    assert found["status"] == "error"
    assert found["error"]["name"] in {"MemoryError", "KernelDied"}
    assert found["error"]["message"]


def test_a_loop_is_interrupted(server: Server, client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "while True:\n    pass")
    with Watch(server, "a busy loop"):
        start(client, notebook, cell)
        until_status(client, notebook, cell, "running")
        interrupt(client, notebook)
        found = until_status(client, notebook, cell, "error")
    assert found["error"]["name"] == "KeyboardInterrupt"


def test_a_hundred_megabytes_printed_are_cut_and_said(server: Server, client: httpx.Client, notebook: str) -> None:
    code = "for _n in range(100):\n    print('x' * (1 << 20))"
    found = ran(server, client, notebook, code, "100 MB printed")
    assert found["status"] == "success"
    assert MB <= len(found["stdout"]) < 1.1 * MB
    assert "more bytes were not kept" in found["stdout"][-200:]


def test_a_hundred_megabytes_in_lines_are_cut_and_said(server: Server, client: httpx.Client, notebook: str) -> None:
    code = "for _n in range(1_000_000):\n    print('x' * 99)"
    found = ran(server, client, notebook, code, "1,000,000 lines printed")
    assert found["status"] == "success"
    assert MB <= len(found["stdout"]) < 1.1 * MB
    assert "more bytes were not kept" in found["stdout"][-200:]


def test_a_loop_that_prints_is_interrupted(server: Server, client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "while True:\n    print('again')")
    with Watch(server, "a printing loop"):
        start(client, notebook, cell)
        until_status(client, notebook, cell, "running")
        interrupt(client, notebook)
        found = until_status(client, notebook, cell, "error")
    assert found["error"]["name"] == "KeyboardInterrupt"
    assert found["stdout"].startswith("again\n")


def test_an_output_of_50_MB_is_replaced_by_a_text_that_says_so(
    server: Server, client: httpx.Client, notebook: str
) -> None:
    code = "from IPython.display import HTML\nHTML('x' * 50_000_000)"
    found = ran(server, client, notebook, code, "an output of 50 MB")
    assert found["status"] == "success"
    [output] = found["outputs"]
    assert output["mime_type"] == "text/plain"
    assert "47.7 MB" in output["data"]
    assert "8 MB" in output["data"]


def test_many_outputs_are_cut_and_said(server: Server, client: httpx.Client, notebook: str) -> None:
    found = ran(server, client, notebook, "for _n in range(5000):\n    display(_n)", "5,000 outputs")
    assert found["status"] == "success"
    assert len(found["outputs"]) == 1000
    last = found["outputs"][-1]
    text = last["data"] if last["data"] is not None else client.get(last["url"]).text
    assert "1,000" in text


def test_large_outputs_are_kept_and_read_back(server: Server, client: httpx.Client, notebook: str) -> None:
    code = "import os\nfor _n in range(8):\n    display({'text/plain': os.urandom(2_000_000).hex()}, raw=True)"
    found = ran(server, client, notebook, code, "8 outputs of 4 MB")
    assert [len(client.get(output["url"]).content) for output in found["outputs"]] == [4_000_000] * 8


def test_odd_characters_come_back(server: Server, client: httpx.Client, notebook: str) -> None:
    code = "print('\\ud800|\\x00|\\x1b[1mbold|\\r|🙂')\nimport sys\nsys.stderr.write('\\udfff')\n'\\ud800'"
    found = ran(server, client, notebook, code, "odd characters")
    assert found["status"] == "success"
    assert found["stdout"] == "\ufffd|\x00|\x1b[1mbold|\r|🙂\n"
    assert found["stderr"] == "\ufffd"


def test_a_cell_that_breaks_its_streams_breaks_no_other(server: Server, client: httpx.Client, notebook: str) -> None:
    code = "import os, sys\nsys.stdout.close()\nsys.stderr = None\nos.close(1)\nos.close(2)"
    found = ran(server, client, notebook, code, "closed streams")
    assert found["status"] in {"success", "error"}
    cell = add(client, notebook, "print('still printed')")
    run(client, notebook, [cell])
    assert show_cell(client, notebook, cell)["stdout"] == "still printed\n"


def test_edits_are_saved_while_a_cell_hogs_the_machine(server: Server, client: httpx.Client, notebook: str) -> None:
    cell, text = add(client, notebook, "while True:\n    print('x' * 10_000)"), add(client, notebook, "v = 0")
    with Watch(server, "edits beside a printing loop"):
        start(client, notebook, cell)
        until_status(client, notebook, cell, "running")
        for number in range(50):
            edit(client, notebook, text, f"v = {number}")
        interrupt(client, notebook)
        until(lambda: show(client, notebook)["kernel"] == "idle", "the loop has ended")
    assert show_cell(client, notebook, text)["code"] == "v = 49"
