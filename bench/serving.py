"""Servers to measure: real processes, with their data on the disk that holds the repository."""

import http.client
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import START_S, Server

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".bench-cache"
"""Here, and not in the system's temporary folder: that may be in memory, where syncing costs nothing."""

WITHOUT_KERNELS = {"QUIRE_KERNEL_POOL": "0"}
"""A kernel that starts in the background would compete for the processor."""

POLL_S = 0.002


@contextmanager
def data_folder() -> Iterator[Path]:
    """An empty folder that goes away afterwards."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="data-", dir=CACHE) as folder:
        yield Path(folder)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """`server`, started and stopped; its data stays."""
    server.start()
    try:
        yield server
        server.stop()
    finally:
        server.close()


@contextmanager
def serving(**environment: str) -> Iterator[Server]:
    """A server with an empty store. `environment`: more variables for it."""
    with data_folder() as folder, running(Server(folder, environment=environment)) as server:
        yield server


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def await_health(port: int, path: str) -> None:
    """Return at the first 200. Raises TimeoutError."""
    give_up_at = time.monotonic() + START_S
    while time.monotonic() < give_up_at:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_S)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(POLL_S)
        finally:
            connection.close()
    raise TimeoutError(f"no answer on port {port}")
