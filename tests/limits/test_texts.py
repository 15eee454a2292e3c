"""W7, E2: every text that a client can send, at its limit and with what texts rarely hold."""

import json
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from quire.notebook.ids import ID_BYTES_MAX
from quire.notebook.model import CODE_BYTES_MAX, NAME_BYTES_MAX
from tests.api.calls import add, new_notebook, show, show_cell
from tests.api.follower import Follower
from tests.limits.answers import refusal
from tests.servers import Server

ODD_TEXTS = {
    "empty": "",
    "space": " ",
    "NUL": "\0",
    "NUL within": "a\0b",
    "control": "".join(map(chr, range(1, 32))) + "\x7f",
    "surrogate": "\ud800",
    "surrogates in the wrong order": "a\udc00\ud800",
    "4 bytes": "\U0001f9ea\U0010ffff",
    "combining": "e\u0301\u2028\u2029\ufeff\ufffe\ufffd",
    "2^63": "9223372036854775808",
    "NaN": "NaN",
    "path": "../../etc/passwd",
    "markup": "<script>alert(1)</script>",
    "SQL": "'; DROP TABLE headers; --",
}

Ask = Callable[[httpx.Client, str, str], tuple[httpx.Response, Callable[[], str]]]
"""Sends a text for one field; the answer, and how to read what was stored."""


def body(value: object) -> dict[str, Any]:
    """JSON as a client could write it: with lone surrogates, which httpx would refuse to send."""
    return {"content": json.dumps(value), "headers": {"Content-Type": "application/json"}}


def create(client: httpx.Client, _notebook: str, text: str) -> tuple[httpx.Response, Callable[[], str]]:
    answer = client.post("/api/notebooks", **body({"name": text}))
    return answer, lambda: str(show(client, answer.json()["notebook_id"])["name"])


def rename(client: httpx.Client, notebook: str, text: str) -> tuple[httpx.Response, Callable[[], str]]:
    answer = client.put(f"/api/notebooks/{notebook}/name", **body({"name": text}))
    return answer, lambda: str(show(client, notebook)["name"])


def insert(client: httpx.Client, notebook: str, text: str) -> tuple[httpx.Response, Callable[[], str]]:
    answer = client.post(f"/api/notebooks/{notebook}/cells", **body({"type": "markdown", "code": text}))
    return answer, lambda: str(show_cell(client, notebook, answer.json()["cell_id"])["code"])


def edit_code(client: httpx.Client, notebook: str, text: str) -> tuple[httpx.Response, Callable[[], str]]:
    cell = add(client, notebook, "before", type="markdown")
    answer = client.put(f"/api/notebooks/{notebook}/cells/{cell}", **body({"code": text}))
    return answer, lambda: str(show_cell(client, notebook, cell)["code"])


def choose_cell_id(client: httpx.Client, notebook: str, text: str) -> tuple[httpx.Response, Callable[[], str]]:
    answer = client.post(f"/api/notebooks/{notebook}/cells", **body({"type": "markdown", "cell_id": text}))
    return answer, lambda: str(show(client, notebook)["cells"][-1]["id"])


FIELDS: dict[str, Ask] = {
    "name of a new notebook": create,
    "name": rename,
    "code of a new cell": insert,
    "code": edit_code,
    "cell_id": choose_cell_id,
}


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
@pytest.mark.parametrize("field", FIELDS)
def test_E2_a_text_is_kept_as_it_is_or_refused_with_the_reason(
    client: httpx.Client, notebook: str, field: str, text: str
) -> None:
    answer, stored = FIELDS[field](client, notebook, text)
    if answer.is_success:
        assert stored() == text
    else:
        named = refusal(answer)["field"]
        assert named == ("body" if "surrogate" in field else field.split(maxsplit=1)[0]), named


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_E2_a_text_that_names_nothing_is_refused(client: httpx.Client, notebook: str, text: str) -> None:
    cell = add(client, notebook, type="markdown")
    cells = f"/api/notebooks/{notebook}/cells"
    name = quote(text.encode("utf-8", "surrogatepass"), safe="")
    before = show(client, notebook)
    for answer in (
        client.post(cells, **body({"type": "python", "after_cell_id": text})),
        client.post(f"{cells}/{cell}/move", **body({"after_cell_id": text})),
        client.post(f"/api/notebooks/{notebook}/run", **body({"cell_ids": [text]})),
        client.put(f"/api/notebooks/{notebook}/db", **body({"connection_string": text})),
        client.put(f"/api/notebooks/{notebook}/settings", **body({"run_mode": text})),
        client.put(f"{cells}/x{name}", **body({"code": ""})),
        client.delete(f"{cells}/x{name}"),
        client.get(f"/api/notebooks/x{name}"),
        client.get(f"/api/notebooks/{notebook}/outputs/x{name}"),
        client.get(f"/api/notebooks?cursor=x{name}"),
        client.get(f"/api/notebooks?limit=x{name}"),
        client.get(f"/api/notebooks/{notebook}?revision=x{name}"),
    ):
        refusal(answer)
    assert show(client, notebook) == before


SIZED = {
    "name": (rename, NAME_BYTES_MAX),
    "name of a new notebook": (create, NAME_BYTES_MAX),
    "code": (edit_code, CODE_BYTES_MAX),
    "code of a new cell": (insert, CODE_BYTES_MAX),
    "cell_id": (choose_cell_id, 64),
}


@pytest.mark.parametrize("field", SIZED)
@pytest.mark.parametrize("kind", ["ASCII", "random", "4 bytes", "NUL"])
def test_W7_a_text_at_its_limit_is_kept_and_one_byte_more_is_refused(
    client: httpx.Client, notebook: str, field: str, kind: str
) -> None:
    ask, limit = SIZED[field]
    if field == "cell_id" and kind in {"4 bytes", "NUL"}:
        kind = "ASCII"
    unit = {"ASCII": "x", "4 bytes": "\U0001f9ea", "NUL": "\0"}.get(kind)
    longest = os.urandom(limit // 2).hex() if unit is None else unit * (limit // len(unit.encode()))
    assert len(longest.encode()) == limit
    if kind == "NUL":
        longest = "x" + longest[1:]  # a name needs something to see
    for text in (longest[1:], longest):
        answer, stored = ask(client, notebook, text)
        assert answer.is_success, answer.text
        assert stored() == text
    answer, _ = ask(client, notebook, longest + "x")
    found = refusal(answer)
    if field != "cell_id":
        assert found["status"] == 413
        assert found["limit"] == limit
        assert str(limit) in found["detail"]
        assert found["detail"].endswith(("Shorten it", "Split the cell, or read the data from a file"))


def test_W7_code_at_its_limit_over_the_socket(server: Server, client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, type="markdown")
    with Follower(server, notebook) as follower:
        follower.ready()
        for unit in ("x", "\U0001f9ea", "\0"):
            text = unit * (CODE_BYTES_MAX // len(unit.encode()))
            assert follower.request("edit_cell", cell_id=cell, code=text)["type"] == "ack"
            assert follower.page.cells[cell]["code"] == text
            told = follower.request("edit_cell", cell_id=cell, code=text + "x")
            assert (told["type"], told["status"], told["limit"]) == ("problem", 413, CODE_BYTES_MAX)
            assert show_cell(client, notebook, cell)["code"] == text


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_E2_odd_texts_over_the_socket(server: Server, client: httpx.Client, notebook: str, text: str) -> None:
    cell = add(client, notebook, "before", type="markdown")
    with Follower(server, notebook) as follower:
        follower.ready()
        for type_, field, values in (
            ("edit_cell", "code", {"cell_id": cell, "code": text}),
            ("rename", "name", {"name": text}),
        ):
            told = follower.request(type_, **values)
            if told["type"] == "ack":
                found = show(client, notebook)
                assert text == (found["name"] if field == "name" else found["cells"][0]["code"])
            else:
                assert 400 <= told["status"] < 500
                assert told["detail"]
        naming_nothing: tuple[tuple[str, dict[str, Any]], ...] = (
            ("move_cell", {"cell_id": cell, "after_cell_id": f"x{text}"}),
            ("edit_cell", {"cell_id": f"x{text}", "code": ""}),
            ("run", {"cell_ids": [f"x{text}"]}),
            ("configure", {"run_mode": text}),
        )
        for type_, values in naming_nothing:
            told = follower.request(type_, **values)
            assert told["type"] == "problem"
            assert 400 <= told["status"] < 500
        assert follower.request("edit_cell", cell_id=cell, code="after")["type"] == "ack"


@pytest.mark.parametrize("character", [chr(number) for number in range(128)], ids=range(128))
def test_W1_every_character_in_an_id(client: httpx.Client, character: str) -> None:
    name = quote(character, safe="")
    for path in (f"x{name}y", f"x{name}"):
        for method in ("GET", "DELETE"):
            answer = client.request(method, f"/api/notebooks/{path}", follow_redirects=True)
            if character == "/":  # parts a path: another route, or none
                assert 400 <= answer.status_code < 500
            else:
                refusal(answer)


@pytest.mark.parametrize("length", [ID_BYTES_MAX - 1, ID_BYTES_MAX, ID_BYTES_MAX + 1, 2000])
def test_W1_ids_of_every_length(client: httpx.Client, notebook: str, length: int) -> None:
    refusal(client.get(f"/api/notebooks/{'x' * length}"))
    refusal(client.put(f"/api/notebooks/{notebook}/cells/{'x' * length}", json={"code": ""}))
    body_of = {"type": "python", "after_cell_id": "x" * length}
    found = refusal(client.post(f"/api/notebooks/{notebook}/cells", json=body_of))
    assert found["status"] == (404 if length <= ID_BYTES_MAX else 422)


@pytest.mark.parametrize(
    ("key", "status"), [("k" * 254, 201), ("k" * 255, 201), ("k" * 256, 422), ("", 201), ("a ~!", 201)]
)
def test_I1_keys_of_every_length(client: httpx.Client, key: str, status: int) -> None:
    notebook = new_notebook(client)
    path = f"/api/notebooks/{notebook}/cells"
    answers = [client.post(path, json={"type": "python"}, headers={"Idempotency-Key": key}) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == status
        if status == 422:
            assert refusal(answer)["limit"] == 255
    assert len(show(client, notebook)["cells"]) == {201: 1, 422: 0}[status] + (key == "")
