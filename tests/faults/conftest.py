"""Servers that tests may kill, starve and strand."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import Server

StartServer = Callable[..., Server]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server, by default on an empty folder; environment variables are given by name."""
    started: list[Server] = []
    temporary = tmp_path / "t"
    temporary.mkdir()

    def start(folder: Path | None = None, **environment: str) -> Server:
        # A killed server leaves its kernels' folders.
        server = Server(folder or tmp_path, environment={"TMPDIR": str(temporary), **environment})
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.close()
