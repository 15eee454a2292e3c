"""Notebooks and cells over REST: the contract, and every kind of bad input."""

from typing import Any

import httpx
import pytest

from quire.notebook.model import CODE_BYTES_MAX
from tests.servers import Server


def add(client: httpx.Client, notebook: str, code: str = "", **more: Any) -> str:
    answer = client.post(f"/api/notebooks/{notebook}/cells", json={"type": "python", "code": code, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["cell_id"])


def show(client: httpx.Client, notebook: str, **params: int) -> dict[str, Any]:
    answer = client.get(f"/api/notebooks/{notebook}", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'
    found: dict[str, Any] = answer.json()
    return found


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["detail"]
    return found


def test_the_first_list_gives_the_demo_and_the_blank_notebook(client: httpx.Client) -> None:
    listed = client.get("/api/notebooks", params={"limit": 1000}).json()
    ids = {one["id"] for one in listed["notebooks"]}
    assert {"demo-local", "blank-local"} <= ids
    demo = show(client, "demo")
    assert demo["id"] == "demo-local"
    assert len(demo["cells"]) == 6
    assert "x = 10" in demo["cells"][0]["code"]
    assert demo["cells"][0]["writes"] == ["x", "y"]
    assert "x" in demo["cells"][5]["reads"]
    assert show(client, "blank-local")["cells"][0]["code"] == ""


def test_create_rename_list_delete_undelete(client: httpx.Client) -> None:
    created = client.post("/api/notebooks", json={"name": "Orders"}).json()
    notebook, revision = created["notebook_id"], created["revision"]
    assert revision == 1
    renamed = client.put(f"/api/notebooks/{notebook}/name", json={"name": "Orders, weekly"}).json()
    assert renamed == {"revision": 2}
    listed = {one["id"]: one for one in client.get("/api/notebooks?limit=1000").json()["notebooks"]}
    assert listed[notebook]["name"] == "Orders, weekly"
    assert client.delete(f"/api/notebooks/{notebook}").status_code == 204
    problem(client.get(f"/api/notebooks/{notebook}"), 404)
    problem(client.put(f"/api/notebooks/{notebook}/name", json={"name": "No"}), 404)
    problem(client.delete(f"/api/notebooks/{notebook}"), 404)
    trash = {one["id"]: one for one in client.get("/api/notebooks?trash=true").json()["notebooks"]}
    assert trash[notebook]["deleted_at"] > 0
    assert client.post(f"/api/notebooks/{notebook}/undelete").status_code == 200
    assert show(client, notebook)["name"] == "Orders, weekly"


def test_a_deleted_demo_stays_deleted(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("demo")).start()
    try:
        with server.client() as client:
            client.get("/api/notebooks")
            assert client.delete("/api/notebooks/demo").status_code == 204
            assert [one["id"] for one in client.get("/api/notebooks").json()["notebooks"]] == ["blank-local"]
        server.kill()
        server.start()
        with server.client() as client:
            assert [one["id"] for one in client.get("/api/notebooks").json()["notebooks"]] == ["blank-local"]
            problem(client.get("/api/notebooks/demo"), 404)
    finally:
        server.close()


def test_lists_are_paged_completely(client: httpx.Client) -> None:
    made = {client.post("/api/notebooks", json={}).json()["notebook_id"] for _ in range(12)}
    seen: list[str] = []
    cursor = None
    while True:
        params: dict[str, Any] = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/notebooks", params=params).json()
        seen += [one["id"] for one in page["notebooks"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


def test_cells_insert_edit_move_delete(client: httpx.Client, notebook: str) -> None:
    a = add(client, notebook, "a = 1")
    b = add(client, notebook, "b = a", after_cell_id=a)
    first = add(client, notebook, "first = 0", after_cell_id=None)
    last = add(client, notebook, "last = b")
    shown = show(client, notebook)
    assert [cell["id"] for cell in shown["cells"]] == [first, a, b, last]
    assert shown["cells"][2]["reads"] == ["a"]
    edited = client.put(f"/api/notebooks/{notebook}/cells/{a}", json={"code": "a = 2"})
    assert edited.json() == {"revision": shown["revision"] + 1}
    client.post(f"/api/notebooks/{notebook}/cells/{last}/move", json={"after_cell_id": None})
    client.delete(f"/api/notebooks/{notebook}/cells/{first}")
    shown = show(client, notebook)
    assert [cell["id"] for cell in shown["cells"]] == [last, a, b]
    assert show(client, notebook, revision=2)["cells"][0]["code"] == "a = 1"


def test_an_edit_on_an_older_text_is_409_with_the_current_cell(client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "x = 1")
    base = show(client, notebook)["revision"]
    path = f"/api/notebooks/{notebook}/cells/{cell}"
    assert client.put(path, json={"code": "x = 2", "expected_revision": base}).status_code == 200
    found = problem(client.put(path, json={"code": "x = 3", "expected_revision": base}), 409)
    assert found["current"]["code"] == "x = 2"
    assert client.put(path, json={"code": "x = 2", "expected_revision": base}).status_code == 200
    assert client.put(path, json={"code": "x = 4"}).status_code == 200, "without expected_revision: unconditional"
    client.delete(path)
    found = problem(client.put(path, json={"code": "x = 5", "expected_revision": base}), 409)
    assert found["current"] is None
    problem(client.put(path, json={"code": "x = 5"}), 404)


def test_an_idempotency_key_makes_one_change(client: httpx.Client, notebook: str) -> None:
    headers = {"Idempotency-Key": "insert-1"}
    body = {"type": "python", "code": "x = 1"}
    path = f"/api/notebooks/{notebook}/cells"
    first = client.post(path, json=body, headers=headers)
    again = client.post(path, json=body, headers=headers)
    assert first.json() == again.json()
    assert again.status_code == 201
    assert len(show(client, notebook)["cells"]) == 1
    found = problem(client.post(path, json={"type": "python", "code": "y"}, headers=headers), 422)
    assert found["field"] == "Idempotency-Key"
    key = {"Idempotency-Key": "create-1"}
    made = [client.post("/api/notebooks", json={"name": "Once"}, headers=key).json() for _ in range(2)]
    assert made[0] == made[1]
    problem(client.post("/api/notebooks", json={"name": "Twice"}, headers=key), 422)
    deleted = [client.delete(f"/api/notebooks/{made[0]['notebook_id']}", headers=key).status_code for _ in range(2)]
    assert deleted == [204, 204]


def test_history_and_restore(client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "x = 1")
    then = show(client, notebook)["revision"]
    for number in range(5):
        client.put(f"/api/notebooks/{notebook}/cells/{cell}", json={"code": f"x = {number + 10}"})
    commits = client.get(f"/api/notebooks/{notebook}/history").json()["commits"]
    assert [commit["revision"] for commit in commits] == list(range(then + 5, 0, -1))
    assert commits[0]["authors"] == ["local"]
    assert "edited a cell" in commits[0]["summary"]
    page = client.get(f"/api/notebooks/{notebook}/history", params={"before": then + 1, "limit": 1}).json()["commits"]
    assert [commit["revision"] for commit in page] == [then]
    path = f"/api/notebooks/{notebook}/restore"
    problem(client.post(path, json={"revision": then, "expected_revision": then}), 409)
    restored = client.post(path, json={"revision": then, "expected_revision": then + 5})
    assert restored.json() == {"revision": then + 6}
    assert show(client, notebook)["cells"][0]["code"] == "x = 1"
    problem(client.post(path, json={"revision": 10_000}), 404)
    problem(client.get(f"/api/notebooks/{notebook}", params={"revision": 10_000}), 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/api/notebooks/nowhere", None, 404, "nowhere"),
        ("GET", "/api/notebooks/%00", None, 404, ""),
        ("GET", "/api/notebooks/{n}?revision=x", None, 422, "revision"),
        ("GET", "/api/notebooks?limit=0", None, 422, "limit"),
        ("GET", "/api/notebooks?cursor=forged", None, 422, "cursor"),
        ("PUT", "/api/notebooks/{n}/cells/none", {"code": ""}, 404, "none"),
        ("DELETE", "/api/notebooks/{n}/cells/none", None, 404, "none"),
        ("POST", "/api/notebooks/{n}/cells", {"type": "cobol"}, 422, "type"),
        ("POST", "/api/notebooks/{n}/cells", {"type": "sql", "code": "select 1"}, 422, "SQL"),
        ("POST", "/api/notebooks/{n}/cells", {"type": "python", "code": 5}, 422, "code"),
        ("POST", "/api/notebooks/{n}/cells", {"type": "python", "colour": "red"}, 422, "colour"),
        ("POST", "/api/notebooks/{n}/cells", {"type": "python", "after_cell_id": "none"}, 404, "none"),
        ("POST", "/api/notebooks/{n}/cells", {"type": "python", "code": "x" * 300_000}, 413, str(CODE_BYTES_MAX)),
        ("POST", "/api/notebooks/{n}/run", {"cell_ids": ["none"]}, 404, "none"),
        ("PUT", "/api/notebooks/{n}/name", {"name": ""}, 422, "name"),
        ("PUT", "/api/notebooks/{n}/name", {"name": "x" * 2000}, 413, "1024"),
        ("PUT", "/api/notebooks/{n}/name", {}, 422, "name"),
        ("PUT", "/api/notebooks/{n}/db", {"connection_string": "sqlite://"}, 422, "not part of this version"),
        ("GET", "/api/nothing", None, 404, "/api/nothing"),
        ("PATCH", "/api/notebooks", None, 405, ""),
        ("GET", "/api/notebooks/{n}/outputs/zz", None, 404, "output"),
        ("GET", "/api/notebooks/{n}/outputs/" + "0" * 64, None, 404, "output"),
    ],
)
def test_bad_input_is_a_problem_that_says_what_was_wrong(
    client: httpx.Client, notebook: str, method: str, path: str, body: object, status: int, says: str
) -> None:
    content = None if body is None else body
    answer = client.request(method, path.replace("{n}", notebook), json=content)
    found = problem(answer, status)
    assert says in f"{found['detail']} {found.get('limit', '')}"


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'{"code": "\\ud800"}', b"\xff\xfe", b'{"code": NaN}', b"[" * 5000])
def test_bodies_that_are_not_the_json_asked_for(client: httpx.Client, notebook: str, body: bytes) -> None:
    cell = add(client, notebook, "x = 1")
    answer = client.put(
        f"/api/notebooks/{notebook}/cells/{cell}", content=body, headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert show(client, notebook)["cells"][0]["code"] == "x = 1"


def test_a_body_above_the_limit_is_413_with_and_without_a_length(client: httpx.Client, notebook: str) -> None:
    path = f"/api/notebooks/{notebook}/cells"
    problem(client.post(path, content=b"x" * 3_000_000), 413)
    problem(client.post(path, content=iter([b"x" * 1_000_000] * 3)), 413)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "\0",
        "x = 'ü 🙂 \U0010ffff'",
        "\u2028\u2029",
        "x = 9223372036854775808",
        "x = float('nan')",
        "\r\n",
        "é" * 1000,
    ],
)
def test_E2_odd_texts_come_back_as_they_were(client: httpx.Client, notebook: str, code: str) -> None:
    add(client, notebook, code)
    assert show(client, notebook)["cells"][0]["code"] == code


def test_the_token_is_asked_for(server: Server) -> None:
    with httpx.Client(base_url=server.url) as anonymous:
        found = problem(anonymous.get("/api/notebooks"), 401)
        assert "quire serve" in found["detail"]
        problem(anonymous.get("/api/notebooks", headers={"Authorization": "Bearer wrong"}), 401)
        problem(anonymous.get("/api/docs"), 401)
        assert anonymous.get("/healthz").status_code == 200
        assert anonymous.get("/readyz").json() == {"status": "ready"}
        landed = anonymous.get("/", params={"token": server.token})
        assert landed.status_code == 303
        cookie = landed.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert anonymous.get("/api/notebooks").status_code == 200
    with httpx.Client(base_url=server.url) as other:
        assert "set-cookie" not in other.get("/", params={"token": "wrong"}).headers


def test_other_hosts_and_origins_are_refused(server: Server, client: httpx.Client, notebook: str) -> None:
    problem(client.get("/api/notebooks", headers={"Host": "evil.example"}), 403)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{server.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        problem(client.delete(f"/api/notebooks/{notebook}", headers=headers), 403)
    assert client.put(
        f"/api/notebooks/{notebook}/name", json={"name": "Own page"}, headers={"Origin": server.url}
    ).is_success


def test_the_description_and_its_page(client: httpx.Client) -> None:
    described = client.get("/api/openapi.json").json()
    assert "/api/notebooks/{notebook_id}/cells/{cell_id}" in described["paths"]
    assert client.get("/api/docs").status_code == 200


def test_security_headers_of_the_page_and_the_frame(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert client.get("/n/demo-local").text == page.text
    frame = client.get("/output-frame")
    assert frame.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
