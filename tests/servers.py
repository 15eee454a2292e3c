"""A real server in a process of its own, for tests that need one: started, killed, started again on the same data."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

START_S = 60.0


class Server:
    """`quire serve` on a free port of the loopback address, with its data in `folder`."""

    def __init__(
        self, folder: Path, *, token: str = "", store: str = "", environment: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.store = store or f"sqlite://{folder}/quire.db"
        self.token = token
        self.environment = environment or {}
        self.port = 0
        self.killed = False
        """Whether it was away at some time: what talked to it then has seen errors of the network."""
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> "Server":
        """Return when it answers. The port stays the same over restarts."""
        command = [sys.executable, "-m", "quire", "serve", "--port", str(self.port)]
        command += ["--store", self.store, "--blobs", f"{self.folder}/blobs"]
        if not self.token:
            command.append("--no-token")
        environment = {**os.environ, **self.environment, "QUIRE_TOKEN": self.token}
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended with {self._process.returncode}:\n" + "".join(self.lines))
            if self.port == 0:
                self.port = self._printed_port()
            elif self._answers():
                return self
            time.sleep(0.02)
        raise AssertionError("the server did not answer in time:\n" + "".join(self.lines))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)
        process.stdout.close()

    def _printed_port(self) -> int:
        for line in self.lines:
            if " is at http://" in line:
                return int(line.partition(" is at http://127.0.0.1:")[2].partition("/")[0])
        return 0

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """`kill -9` of the server alone: its kernels must notice by themselves."""
        assert self._process is not None
        self.killed = True
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def client(self, **headers: str) -> httpx.Client:
        """An HTTP client with the server's token."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def socket(self, notebook_id: str, since: int | None = None, **headers: str) -> ClientConnection:
        """A WebSocket that follows a notebook."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        query = "" if since is None else f"?since={since}"
        return connect(
            f"ws://127.0.0.1:{self.port}/api/ws/notebooks/{notebook_id}{query}",
            additional_headers=headers,
            max_size=64 << 20,
            proxy=None,
        )


def cell_named(notebook: dict[str, Any], cell_id: str) -> dict[str, Any]:
    """One cell of a notebook as REST shows it."""
    found = [cell for cell in notebook["cells"] if cell["id"] == cell_id]
    assert found, f"no cell {cell_id}"
    cell: dict[str, Any] = found[0]
    return cell
