"""Cells that attack what runs them: the kernel survives or says how it ended, and the next run works."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.calls import add, interrupt, new_notebook, run, show, show_cell, start, until, until_status
from tests.faults.watch import Watch
from tests.servers import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    limits = {"QUIRE_KERNEL_MEMORY_MB": "1024", "QUIRE_KERNEL_PROCESSES": "64"}
    server = Server(tmp_path_factory.mktemp("hostile"), environment=limits).start()
    yield server
    server.close()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


ENDS = {"success", "error"}
PATIENCE_S = 6.0
WITHOUT_RESULT_S = 3.0

HOSTILE = {
    "builtins deleted": ("import builtins\nfor name in list(vars(builtins)):\n    delattr(builtins, name)", None),
    "builtins of the namespace deleted": ("del __builtins__", None),
    "open descriptors closed": ("import os\nos.closerange(3, 4096)", None),
    "streams replaced": ("import sys\nsys.stdout = sys.stderr = object()", None),
    "interrupts ignored": ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)", None),
    "all signals handled": (
        """import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, lambda *_: None)""",
        None,
    ),
    "alarm": ("import signal\nsignal.alarm(1)\nimport time\ntime.sleep(30)", "KernelDied"),
    "our code replaced": (
        """import sys
for name, module in list(sys.modules.items()):
    if name.startswith('quire_kernel'):
        for key in list(vars(module)):
            if not key.startswith('__'):
                setattr(module, key, None)""",
        None,
    ),
    "modules deleted": ("import sys\nsys.modules.clear()", None),
    "the event loop stopped": ("import asyncio\nasyncio.get_running_loop().stop()", None),
    "the event loop closed": ("import asyncio\nasyncio.get_running_loop().close()", None),
    "all tasks cancelled": (
        "import asyncio\nfor task in asyncio.all_tasks():\n    task.cancel()\nawait asyncio.sleep(0)",
        None,
    ),
    "a tracer that raises": (
        "import sys\ndef tracer(*_):\n    raise ValueError('traced')\nsys.settrace(tracer)\nlen('')",
        None,
    ),
    "garbage that raises": ("class Bad:\n    def __del__(self):\n        raise ValueError('in __del__')\nBad()", None),
    "binary printed": ("import sys\nsys.stdout.buffer.write(bytes(range(256)) * 1000)", None),
    "a recursion in C": ("import sys\nsys.setrecursionlimit(10**6)\nf = lambda: f()\nf()", None),
    "a thread that never ends": (
        "import threading\ndef spin():\n    while True:\n        pass\nthreading.Thread(target=spin).start()",
        None,
    ),
    "the shell replaced": ("get_ipython().display_pub = None\nget_ipython().user_ns.clear()", None),
    "a fork that comes back": ("import os\nos.fork()", None),
    "a fork bomb": ("import os\nwhile True:\n    os.fork()", "KernelDied"),
    "the zygote killed": ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", None),
}
"""What a cell does, and the error that it must end with; None: any end, as long as it says what happened."""


def ended(client: httpx.Client, notebook: str, cell: str) -> dict[str, Any]:
    """Run a cell; the cell when that is over: by itself, or as its author does who has waited long enough."""
    run_id = start(client, notebook, cell)
    waited = time.monotonic()

    def over() -> bool:
        if time.monotonic() - waited > PATIENCE_S:
            interrupt(client, notebook)
        if show(client, notebook)["kernel"] in {"busy", "starting"}:
            return False
        latest = show_cell(client, notebook, cell)["run"]
        # Without a result of this run, the kernel died while it ran what the cell needs.
        return (latest is not None and latest["run_id"] == run_id) or time.monotonic() - waited > WITHOUT_RESULT_S

    until(over, "the cell's end")
    return show_cell(client, notebook, cell)


@pytest.mark.parametrize("what", HOSTILE)
def test_the_next_run_works(server: Server, client: httpx.Client, what: str) -> None:
    code, name = HOSTILE[what]
    notebook = new_notebook(client)
    good = add(client, notebook, "good = 'kept'\nprint(good)")
    bad, behind = add(client, notebook, code), add(client, notebook, "print(good, 'again')")
    run(client, notebook, [good])
    with Watch(server, what):
        found = ended(client, notebook, bad)
        assert found["status"] in ENDS
        if found["status"] == "error":
            assert found["error"]["message"], "it says what happened"
        if name:
            assert found["error"]["name"] == name
        for _ in range(4):
            if ended(client, notebook, behind)["status"] == "success":
                break
        else:
            pytest.fail(f"no run works behind it: {show_cell(client, notebook, behind)}")
    assert show_cell(client, notebook, behind)["stdout"] == "kept again\n"
    client.post(f"/api/notebooks/{notebook}/restart")
    assert run(client, notebook, [behind])[behind] == "success", "a fresh kernel knows nothing of it"


def test_others_run_beside_a_fork_bomb(server: Server, client: httpx.Client) -> None:
    bomb, quiet = new_notebook(client), new_notebook(client)
    bad, good = add(client, bomb, "import os\nwhile True:\n    os.fork()"), add(client, quiet, "print(6 * 7)")
    run(client, quiet, [good])
    start(client, bomb, bad)
    assert run(client, quiet, [good]) == {good: "success"}
    found = until_status(client, bomb, bad, "error")
    assert "64 is the limit" in found["error"]["message"]
    assert "QUIRE_KERNEL_PROCESSES" in found["error"]["message"]


def test_a_display_that_hangs_is_interrupted(client: httpx.Client) -> None:
    notebook = new_notebook(client)
    code = "class Slow:\n    def _repr_html_(self):\n        print('looking')\n        while True: pass\nSlow()"
    cell, behind = add(client, notebook, code), add(client, notebook, "print('fine')")
    start(client, notebook, cell)
    until_status(client, notebook, cell, "running")
    interrupt(client, notebook)
    assert until_status(client, notebook, cell, "error")["error"]["name"] == "KeyboardInterrupt"
    assert run(client, notebook, [behind]) == {behind: "success"}
