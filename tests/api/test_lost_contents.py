"""W6: a commit whose body lies in the blob store, and is lost there."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.calls import add, edit, new_notebook, show, show_cell
from tests.servers import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, environment={"QUIRE_KERNEL_POOL": "0"}).start()
    yield server
    server.close()


def bodies(server: Server, notebook: str) -> list[Path]:
    folder = hashlib.sha256(f"local/{notebook}".encode()).hexdigest()
    return list((server.folder / "blobs" / folder[:2] / folder[2:]).glob("?" * 64))


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize("lose", [Path.unlink, alter])
def test_W6_a_notebook_says_that_a_commit_is_lost_and_shows_what_came_before(
    server: Server, lose: Callable[[Path], object]
) -> None:
    with server.client() as client:
        notebook, other = new_notebook(client), new_notebook(client)
        cell = add(client, notebook, "before")
        before = show(client, notebook)
        lost = edit(client, notebook, cell, f"x = '{os.urandom(50_000).hex()}'")
        edit(client, notebook, cell, "after")
        [body] = bodies(server, notebook)
        content = body.read_bytes()
    server.kill()
    lose(body)
    server.start()
    with server.client() as client:
        for refused in (
            client.get(f"/api/notebooks/{notebook}"),
            client.get(f"/api/notebooks/{notebook}", params={"revision": lost}),
            client.get(f"/api/notebooks/{notebook}", params={"revision": lost + 1}),
            client.get(f"/api/notebooks/{notebook}/history"),
            client.put(f"/api/notebooks/{notebook}/cells/{cell}", json={"code": "more"}),
            client.post(f"/api/notebooks/{notebook}/restore", json={"revision": before["revision"]}),
            client.delete(f"/api/notebooks/{notebook}"),
        ):
            assert_says_what_is_lost(refused, lost)
        with server.socket(notebook) as socket:
            told = str(socket.recv(timeout=60))
            assert f"Revision {lost} of this notebook cannot be read" in told
        assert show(client, notebook, revision=before["revision"]) == before
        nowhere = client.get(f"/api/notebooks/{notebook}", params={"revision": 999})
        assert nowhere.status_code == 404
        assert client.get("/api/notebooks/nowhere", params={"revision": 1}).status_code == 404
        # Others do not notice.
        assert {one["id"] for one in client.get("/api/notebooks").json()["notebooks"]} >= {notebook, other}
        assert add(client, other, "works")
        # Put back, it is as it was.
        body.write_bytes(content)
        assert show_cell(client, notebook, cell)["code"] == "after"
        assert edit(client, notebook, cell, "more") > lost


def assert_says_what_is_lost(answer: httpx.Response, revision: int) -> None:
    assert answer.status_code == 409, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    detail = answer.json()["detail"]
    assert f"Revision {revision} of this notebook cannot be read" in detail
    assert "backup" in detail
    assert f"?revision={revision - 1}" in detail
