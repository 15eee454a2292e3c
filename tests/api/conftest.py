"""One server for the tests of this folder: they use notebooks of their own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.servers import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), token="the-local-token").start()
    yield server
    server.close()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def notebook(client: httpx.Client) -> str:
    """A new, empty notebook."""
    answer = client.post("/api/notebooks", json={"name": "Test"})
    assert answer.status_code == 201
    return str(answer.json()["notebook_id"])
