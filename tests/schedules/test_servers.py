"""Orders of events over two real servers on one store: what clients see of it."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.api.calls import add, edit, new_notebook, run, show, show_cell, start, until, until_status
from tests.servers import Server

FOREVER = "import time\nwhile True:\n    time.sleep(0.01)"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = tmp_path_factory.mktemp("shared")
    one, two = Server(folder), Server(folder)
    try:
        yield one.start(), two.start()
    finally:
        one.close()
        two.close()


@pytest.fixture
def clients(servers: tuple[Server, Server]) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with servers[0].client() as one, servers[1].client() as two:
        yield one, two


def test_C6_what_one_server_acknowledged_the_other_shows_and_no_etag_goes_back(
    clients: tuple[httpx.Client, httpx.Client],
) -> None:
    """A PUT is answered by one server, the GET behind it by the other, which had the notebook in memory before."""
    notebook = new_notebook(clients[0])
    cell = add(clients[0], notebook, "x = 0")
    show(clients[1], notebook)
    newest = 0
    for number in range(1, 30):
        writes, reads = clients[number % 2], clients[(number + 1) % 2]
        revision = edit(writes, notebook, cell, f"x = {number}")
        answer = reads.get(f"/api/notebooks/{notebook}")
        etag = int(json.loads(answer.headers["ETag"]))
        assert etag == answer.json()["revision"] >= revision > newest
        assert answer.json()["cells"][0]["code"] == f"x = {number}"
        newest = etag


def test_R1_R2_a_run_on_another_server_takes_the_kernel_over(clients: tuple[httpx.Client, httpx.Client]) -> None:
    """Two tabs on two servers: the second run ends the first one's kernel, so that no result rests on two kernels."""
    one, two = clients
    notebook = new_notebook(one)
    value, reader = add(one, notebook, "value = 1"), add(one, notebook, "print('value is', value)")
    assert run(one, notebook, [value]) == {value: "success", reader: "success"}
    endless = add(one, notebook, FOREVER)
    start(one, notebook, endless)
    until_status(one, notebook, endless, "running")
    edit(two, notebook, value, "value = 2")
    assert run(two, notebook, [value])[value] == "success"
    # The reader ran in the new kernel too, with the new value: success beside an older value would be a lie.
    assert show_cell(two, notebook, reader)["stdout"] == "value is 2\n"
    until(lambda: show(one, notebook)["kernel"] != "busy", "the first kernel has ended")
    assert show_cell(one, notebook, endless)["status"] != "running"
    for client in clients:
        shown = {cell["id"]: cell for cell in show(client, notebook)["cells"]}
        assert shown[value]["status"] == "success"
        assert shown[reader]["stdout"] == "value is 2\n"
        assert shown[endless]["status"] != "success"


def test_I1_a_request_repeated_at_another_server_gets_the_same_answer(
    clients: tuple[httpx.Client, httpx.Client],
) -> None:
    """The answer to an insert is lost; the client repeats it at the other server, under the same key."""
    notebook = new_notebook(clients[0])
    request = {"type": "python", "code": "x = 1"}
    answers = [
        client.post(f"/api/notebooks/{notebook}/cells", json=request, headers={"Idempotency-Key": "k-1"})
        for client in (*clients, *clients)
    ]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(show(clients[1], notebook)["cells"]) == 1


def test_E2_json_without_an_end_or_beyond_unicode_is_refused_and_leaves_the_notebook_alone(
    clients: tuple[httpx.Client, httpx.Client],
) -> None:
    """NaN, lone surrogates and a thousand brackets are 4xx before anything is written that no reader could load."""
    notebook = new_notebook(clients[0])
    cell = add(clients[0], notebook, "x = 1")
    before = show(clients[0], notebook)["revision"]
    deep = "[" * 1000 + "]" * 1000
    for body in (
        '{"code": NaN}',
        '{"code": "x", "expected_revision": Infinity}',
        '{"code": "x", "expected_revision": 1e400}',
        r'{"code": "\ud800"}',
        '{"code": ' + deep + "}",
        deep * 50,
    ):
        answer = clients[0].put(
            f"/api/notebooks/{notebook}/cells/{cell}", content=body, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500, (body[:40], answer.status_code)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert show(clients[1], notebook)["revision"] == before
