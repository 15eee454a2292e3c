"""Large outputs as HTTP answers: caching, parts, and blobs that were damaged behind the server's back."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.calls import add, edit, new_notebook, run, show, show_cell
from tests.servers import Server

MB = 1024 * 1024
SIZES = {"small": 30_000, "large": 3 * MB}
"""Verified before the first byte, and before the last."""

PICTURE = (
    "import os as _os\nfrom IPython.display import Image as _Image\n"
    "_Image(b'\\x89PNG\\r\\n\\x1a\\n' + _os.urandom({}), format='png')"
)


def shown_picture(client: httpx.Client, notebook: str, size: int) -> tuple[str, str]:
    """A cell that shows a picture of `size` bytes, and the picture's address."""
    cell = add(client, notebook, PICTURE.format(size - 8))
    assert run(client, notebook, [cell])[cell] == "success"
    return cell, url_of(client, notebook, cell)


def url_of(client: httpx.Client, notebook: str, cell: str) -> str:
    [output] = show_cell(client, notebook, cell)["outputs"]
    return str(output["url"])


def file_of(server: Server, url: str) -> Path:
    """Where the folder store keeps the blob at this address."""
    [name] = re.findall(r"[0-9a-f]{64}", url)
    [path] = (server.folder / "blobs").rglob(name)
    return path


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> int:
    return SIZES[request.param]


@pytest.fixture(scope="module")
def notebook(server: Server) -> Iterator[str]:
    with server.client() as client:
        yield new_notebook(client, run_mode="lazy")


def test_an_output_has_its_length_and_is_cached_by_its_hash(client: httpx.Client, notebook: str, size: int) -> None:
    _, url = shown_picture(client, notebook, size)
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(size)
    etag = answer.headers["etag"]
    assert etag == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert "immutable" in answer.headers["cache-control"]
    for tags in (etag, f'"x", {etag}', f"W/{etag}"):
        again = client.get(url, headers={"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    assert client.get(url, headers={"If-None-Match": '"x"'}).content == answer.content
    head = client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    wanted = ("content-length", "content-type", "etag", "cache-control", "content-security-policy")
    assert {name: head.headers[name] for name in wanted} == {name: answer.headers[name] for name in wanted}


def test_who_may_not_see_a_notebook_learns_nothing_from_a_tag(
    server: Server, client: httpx.Client, notebook: str
) -> None:
    _, url = shown_picture(client, notebook, 30_000)
    etag = {"If-None-Match": client.get(url).headers["etag"]}
    with httpx.Client(base_url=server.url) as anonymous:
        assert anonymous.get(url, headers=etag).status_code == 401
    assert client.get(url.replace(notebook, "nowhere"), headers=etag).status_code == 404


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=5-99", 5, 100), ("bytes=100-", 100, None), ("bytes=-7", -7, None)],
)
def test_a_part_of_an_output(
    client: httpx.Client, notebook: str, size: int, asked: str, start: int, stop: int | None
) -> None:
    _, url = shown_picture(client, notebook, size)
    whole = client.get(url)
    part = client.get(url, headers={"Range": asked})
    assert part.status_code == 206
    assert part.content == whole.content[start:stop]
    first = start % size
    assert part.headers["content-range"] == f"bytes {first}-{first + len(part.content) - 1}/{size}"
    other = client.get(url, headers={"Range": asked, "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)


def test_a_range_that_is_none_is_refused_or_ignored(client: httpx.Client, notebook: str) -> None:
    _, url = shown_picture(client, notebook, 30_000)
    beyond = client.get(url, headers={"Range": "bytes=30000-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == "bytes */30000"
    assert beyond.headers["content-type"] == "application/problem+json"
    for asked in ("bytes=-", "bytes=9-1", "bytes=0-1,5-6", "lines=1-2", "bytes=x-"):
        answer = client.get(url, headers={"Range": asked})
        assert answer.status_code == 200, asked


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: dict[str, Callable[[Path], object]] = {"altered": alter, "cut off": cut, "gone": Path.unlink}


@pytest.mark.parametrize("damage", DAMAGES)
def test_W6_a_damaged_output_is_never_taken_for_whole(
    server: Server, client: httpx.Client, notebook: str, size: int, damage: str
) -> None:
    _, url = shown_picture(client, notebook, size)
    DAMAGES[damage](file_of(server, url))
    if size > MB and damage != "gone":
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(url)
        answer = client.get(url, headers={"Range": "bytes=0-9"})
    else:
        answer = client.get(url)
    assert_says_missing(answer)


def assert_says_missing(answer: httpx.Response) -> None:
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "immutable" not in answer.headers["cache-control"]
    detail = answer.json()["detail"]
    assert "missing or damaged" in detail
    assert "Run the cell again" in detail


def test_W6_a_notebook_whose_outputs_are_gone_still_works(server: Server, client: httpx.Client) -> None:
    notebook = new_notebook(client, run_mode="lazy")
    cell, url = shown_picture(client, notebook, 30_000)
    printing = add(client, notebook, "import os as _os\nprint(_os.urandom(40_000).hex())")
    run(client, notebook, [printing])
    for path in (server.folder / "blobs").rglob("?" * 64):
        path.unlink()
    assert_says_missing(client.get(url))
    with server.socket(notebook) as socket:
        assert '"snapshot"' in str(socket.recv(timeout=60))
    found: dict[str, Any] = {one["id"]: one for one in show(client, notebook)["cells"]}
    assert found[cell]["status"] == "success"
    assert "cannot be read" in found[printing]["stdout"]
    assert edit(client, notebook, cell, PICTURE.format(40_000)) > 0
    assert run(client, notebook, [cell, printing]) == {cell: "success", printing: "success"}
    assert len(client.get(url_of(client, notebook, cell)).content) == 40_008
    assert len(show_cell(client, notebook, printing)["stdout"]) == 80_001
