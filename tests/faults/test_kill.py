"""`kill -9` of the server, again and again, under edits and runs: what was acknowledged is there afterwards."""

import random
import signal
import sys
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest

from tests.api.calls import add, history, new_notebook, run, show, start, until, until_status
from tests.faults.clients import Client, Promises, RestClient, RunClient, SocketClient
from tests.faults.conftest import StartServer
from tests.faults.processes import alive, kernel_folders, kernels_below
from tests.servers import Server

ROUNDS = 50
SEED = 20_260
ORPHAN_S_MAX = 15.0

CLIENTS: tuple[tuple[str, type[Client]], ...] = (
    ("ada", RestClient),
    ("bob", RestClient),
    ("eve", SocketClient),
    ("run", RunClient),
)


class Kept:
    """What all clients were promised, checked against what the server shows."""

    def __init__(self, client: httpx.Client, notebook: str) -> None:
        self.notebook = notebook
        self.of = {name: Promises() for name, _ in CLIENTS}
        for name, cells in (("eve", 2), ("run", 1)):
            for _ in range(cells):
                cell = add(client, notebook, "# first")
                self.of[name].saved(cell, self.of[name].attempt(cell, "# first"), 0)

    def check(self, client: httpx.Client) -> None:
        """Nothing acknowledged is missing, nothing is there twice."""
        shown = show(client, self.notebook)
        cells = {cell["id"]: cell for cell in shown["cells"]}
        assert len(cells) == len(shown["cells"])
        for name, promises in self.of.items():
            assert shown["revision"] >= promises.revision, f"{name}: acknowledged revisions are gone"
            for cell, attempts in promises.attempts.items():
                last = promises.kept[cell]
                assert cells[cell]["code"] in attempts[last:], f"{name}: {attempts[last]!r} is gone"
            for cell, printed in promises.results.items():
                self._check_result(cells[cell], printed)

    def _check_result(self, cell: dict[str, str], printed: str) -> None:
        """An acknowledged result is there, unless a later run's took its place."""
        if cell["stdout"] != printed:
            later = cell["stdout"].removesuffix("\n")
            codes = self.of["run"].attempts[cell["id"]]
            acknowledged = codes.index(f"print({printed[:-1]!r})")
            assert f"print({later!r})" in codes[acknowledged:], f"{printed!r} is gone, {later!r} is there"

    def check_inserts(self, client: httpx.Client) -> None:
        """Each insert made one cell, however often it was sent: looked for in the notebook's whole past."""
        shown = show(client, self.notebook)
        there = {cell["id"] for cell in shown["cells"]}
        for promises in self.of.values():
            assert promises.open_inserts == {}
            assert set(promises.inserted.values()) <= there
        mine = [cell for promises in self.of.values() for cell in promises.attempts]
        assert Counter(mine) == Counter(there), "no cell that nobody asked for, none twice"


def one_round(server: Server, kept: Kept, seconds: float, seed: str) -> set[psutil.Process]:
    """Some traffic, ended by a kill; the kernels that are orphans now."""
    clients = [kind(name, server, kept.notebook, kept.of[name], f"{seed}-{name}") for name, kind in CLIENTS]
    for client in clients:
        client.thread.start()
    clients[0].thread.join(seconds)
    kernels = kernels_below(server.pid)
    server.kill()
    for client in clients:
        client.thread.join(30)
        assert not client.thread.is_alive()
        if client.failure is not None:
            raise client.failure
    return kernels


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_C6_nothing_acknowledged_is_lost_by_kill_9(start_server: StartServer) -> None:
    chance = random.Random(SEED)
    server = start_server()
    orphans: set[psutil.Process] = set()
    with server.client() as client:
        kept = Kept(client, new_notebook(client))
    for number in range(ROUNDS):
        # Short ones hit the start, the first load and the first kernel; long ones run cells.
        seconds = chance.choice([chance.uniform(0.0, 0.2), chance.uniform(0.2, 0.6), chance.uniform(0.8, 1.6)])
        try:
            orphans |= one_round(server, kept, seconds, f"{SEED}-{number}")
            server.start()
            with server.client() as client:
                kept.check(client)
        except BaseException:
            sys.stdout.write(f"seed {SEED}, round {number}, {seconds:.3f} s\n")
            raise
    with server.client() as client:
        for name, kind in CLIENTS[:2]:
            last = kind(name, server, kept.notebook, kept.of[name], f"last-{name}")
            assert isinstance(last, RestClient)
            last.send_open_inserts(client)
        kept.check(client)
        kept.check_inserts(client)
        head = show(client, kept.notebook)["revision"]
        assert history(client, kept.notebook) == list(range(head, 0, -1)), "no gap, nothing twice"
        edits = sum(len(codes) for promises in kept.of.values() for codes in promises.attempts.values())
        results = kept.of["run"].acknowledged_runs
    until(lambda: not alive(orphans), "the kernels of killed servers are gone", ORPHAN_S_MAX)
    sys.stdout.write(f"{ROUNDS} kills, {edits} requests, {head} revisions, {len(orphans)} orphans, {results} runs\n")


@pytest.mark.parametrize("code", ["", "while True:\n    pass", "import subprocess\nsubprocess.run(['sleep', '300'])"])
def test_kernels_end_when_their_server_is_killed(start_server: StartServer, code: str) -> None:
    """Idle ones, busy ones, and what their cells have started."""
    server = start_server()
    with server.client() as client:
        notebook = new_notebook(client)
        cell = add(client, notebook, "print('ready')")
        run(client, notebook)
        if code:
            cell = add(client, notebook, code)
            start(client, notebook, cell)
            until_status(client, notebook, cell, "running")
            until(lambda: "subprocess" not in code or len(kernels_below(server.pid)) > 2, "the command runs")
    kernels = kernels_below(server.pid)
    assert kernels
    server.kill()
    until(lambda: not alive(kernels), f"gone: {kernels}", ORPHAN_S_MAX)


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3, 0.6])
def test_kernels_end_whose_server_is_killed_while_they_start(start_server: StartServer, after: float) -> None:
    server = start_server(QUIRE_KERNEL_POOL="2")
    kernels: set[psutil.Process] = set()
    until(lambda: bool(kernels_below(server.pid)), "a kernel is started")
    with pytest.raises(psutil.TimeoutExpired):
        psutil.Process(server.pid).wait(after)
    kernels = kernels_below(server.pid)
    server.kill()
    until(lambda: not alive(kernels), "the kernels are gone", ORPHAN_S_MAX)


def test_a_stopped_server_leaves_nothing(start_server: StartServer, tmp_path: Path) -> None:
    """SIGTERM in the middle of a run: the kernel goes with it, and its folder."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    server = start_server(TMPDIR=str(temporary))
    with server.client() as client:
        notebook = new_notebook(client)
        cell = add(client, notebook, "while True:\n    pass")
        start(client, notebook, cell)
        until_status(client, notebook, cell, "running")
    kernels = kernels_below(server.pid)
    assert server.stop() in {0, -signal.SIGTERM}
    assert alive(kernels) == set()
    assert kernel_folders(temporary) == []
    server.start()
    with server.client() as client:
        assert show(client, notebook)["cells"][0]["code"] == "while True:\n    pass"
        assert show(client, notebook)["cells"][0]["status"] != "running"
