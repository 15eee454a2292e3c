"""A marimo edit server, and a session in it: what its page sends and receives."""

import os
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from websockets.sync.client import ClientConnection, connect

from bench.samples import stopwatch
from bench.serving import await_health, free_port
from bench.wire import ANSWER_S, Http

STOP_S = 10
_TOKEN = re.compile(rb'<marimo-server-token[^>]*data-token="([^"]*)"')


class Frame(msgspec.Struct):
    """One message of marimo's WebSocket."""

    op: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class MarimoServer:
    """`marimo edit FOLDER` on a free port, without a token and without anybody's configuration."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        homes = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
        environment = {**os.environ, **dict.fromkeys(homes, str(self.folder / ".home"))}
        command = [str(self._python), "-m", "marimo", "edit", str(self.folder), "--headless", "--no-token"]
        command += ["--skip-update-check", "--host", "127.0.0.1", "--port", str(self.port)]
        (self.folder / ".home").mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        await_health(self.port, "/health")

    def stop(self) -> None:
        """End it; its kernels end with it."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def running(server: MarimoServer) -> Iterator[MarimoServer]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass(slots=True)
class MarimoSession:
    """One notebook that is open, with a kernel. `cell_ids` and `codes` are in the order of the page."""

    http: Http
    socket: ClientConnection
    path: Path
    cell_ids: list[str]
    codes: list[str]

    def run(self, cell_id: str, code: str) -> None:
        """Change a cell and run it."""
        self.http.call("POST", "/api/kernel/run", {"cellIds": [cell_id], "codes": [code]})

    def save(self) -> None:
        """Write all cells to the notebook's file."""
        count = len(self.cell_ids)
        body = {
            "cellIds": self.cell_ids,
            "codes": self.codes,
            "names": ["_"] * count,
            "configs": [{"hide_code": False, "disabled": False}] * count,
            "filename": str(self.path),
            "layout": None,
            "persist": True,
        }
        self.http.call("POST", "/api/kernel/save", body)

    def until_shown(self, cell_id: str, value: str) -> None:
        """Read until a cell's output holds `value`."""
        while True:
            told = self._until("cell-op")
            if told["cell_id"] == cell_id and value in str((told.get("output") or {}).get("data")):
                return

    def until_completed(self) -> None:
        """Read until the run is over."""
        self._until("completed-run")

    def _until(self, op: str) -> Any:
        return _until(self.socket, op)


def _until(socket: ClientConnection, op: str) -> Any:
    while True:
        frame = msgspec.json.decode(socket.recv(ANSWER_S), type=Frame)
        if frame.op == op:
            return msgspec.json.decode(frame.data)


@contextmanager
def opening(server: MarimoServer, name: str) -> Iterator[tuple[float, float]]:
    """Open a session, for the ms from connecting to the kernel's readiness, and until all cells have run."""
    times: list[float] = []
    with session(server, name, times):
        ready, done = times
        yield ready, done


@contextmanager
def session(server: MarimoServer, name: str, times: list[float] | None = None) -> Iterator[MarimoSession]:
    """Open the notebook `name` of the server's folder and run all of it. `times` gets what `opening` says."""
    times = [] if times is None else times
    session_id = f"s_{secrets.token_hex(3)}"
    with Http(server.port) as http:
        token = _TOKEN.search(http.call("GET", f"/?file={name}"))
        http.headers["Marimo-Session-Id"] = session_id
        http.headers["Marimo-Server-Token"] = token[1].decode() if token else ""
        address = f"ws://127.0.0.1:{server.port}/ws?session_id={session_id}&file={name}"
        elapsed = stopwatch()
        with connect(address, max_size=64 << 20, proxy=None) as socket:
            ready = _until(socket, "kernel-ready")
            times.append(elapsed())
            opened = MarimoSession(http, socket, server.folder / name, ready["cell_ids"], ready["codes"])
            http.call("POST", "/api/kernel/instantiate", {"objectIds": [], "values": [], "autoRun": True})
            opened.until_completed()
            times.append(elapsed())
            yield opened
            http.call("POST", "/api/home/shutdown_session", {"sessionId": session_id})


def notebook_file(codes: Sequence[str]) -> str:
    """Cells as a notebook file, without the names that they read and return: marimo finds those by itself."""
    lines = ["import marimo", "", "app = marimo.App()", ""]
    for code in codes:
        lines += ["", "@app.cell", "def _():", *(f"    {line}" for line in code.splitlines()), "    return", ""]
    return "\n".join([*lines, "", 'if __name__ == "__main__":', "    app.run()", ""])
