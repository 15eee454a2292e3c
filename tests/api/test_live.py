"""The WebSocket: catching up, commits in order, commands, and what is told while cells run."""

import json
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.api.calls import add, edit, run, show, show_cell, start, until_status
from tests.api.follower import Follower, Message, Page
from tests.servers import Server


@pytest.fixture
def follower(server: Server, notebook: str) -> Iterator[Follower]:
    with Follower(server, notebook) as follower:
        yield follower.ready()


def kinds(messages: list[Message], *wanted: str) -> list[str]:
    """Their types, in order; text may come in several pieces."""
    found = [message["type"] for message in messages if message["type"] in wanted]
    return [
        type_ for type_, before in zip(found, [None, *found], strict=False) if (type_, before) != ("stream", "stream")
    ]


# -- catching up


def test_a_new_client_gets_the_notebook_and_is_ready(server: Server, client: httpx.Client, notebook: str) -> None:
    add(client, notebook, "x = 1")
    with Follower(server, notebook) as follower:
        follower.ready()
        assert [message["type"] for message in follower.log] == ["snapshot", "ready"]
        assert follower.log[0]["notebook"] == show(client, notebook)
        ready = follower.log[1]
        assert ready["revision"] == show(client, notebook)["revision"]
        assert (ready["kernel"], ready["cells"], ready["read_only"]) == ("none", {}, None)
        assert ready["run_mode"] == "automatic"


def test_since_gives_exactly_what_was_missed(server: Server, client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "x = 0")
    with Follower(server, notebook) as follower:
        page = follower.ready().page
    then = page.revision
    for number in range(5):
        edit(client, notebook, cell, f"x = {number + 1}")
    run(client, notebook)
    head = show(client, notebook)["revision"]
    for since in (then, head - 1, head):
        page = Page()
        page.take({"type": "snapshot", "notebook": show(client, notebook, revision=since)})
        with Follower(server, notebook, since=since, page=page) as follower:
            follower.ready()
        commits = [message["revision"] for message in follower.log[:-1] if message["type"] == "commit"]
        assert commits == list(range(since + 1, head + 1))
        assert len(follower.log) == len(commits) + 1
        assert page.shown(client) == show(client, notebook)


@pytest.mark.parametrize("since", ["-1", "0", "x", "99999", "9" * 30, ""])
def test_C6_a_revision_that_is_not_there_gives_the_whole_notebook(
    server: Server, client: httpx.Client, notebook: str, since: str
) -> None:
    with server.socket(f"{notebook}?since={since}") as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "snapshot"
        assert json.loads(socket.recv(timeout=10))["type"] == "ready"


def test_a_long_gap_gives_the_whole_notebook(server: Server, client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, "x = 0")
    for number in range(510):
        edit(client, notebook, cell, f"x = {number + 1}")
    with Follower(server, notebook, since=2) as follower:
        assert follower.next()["type"] == "snapshot"


def test_a_client_that_comes_during_a_run_gets_what_was_printed_so_far(
    server: Server, client: httpx.Client, notebook: str, follower: Follower
) -> None:
    cell = add(client, notebook, "import time\nprint('before')\ndisplay('shown')\ntime.sleep(1)\nprint('after')")
    start(client, notebook, cell)
    follower.until_type("output")
    with Follower(server, notebook, since=follower.page.revision, page=follower.page) as second:
        second.ready()
        assert second.log[-1]["cells"][cell]["status"] == "running"
        assert second.log[-1]["cells"][cell]["started_at"] > 0
        assert second.log[-1]["kernel"] == "busy"
        second.until_type("output")
        live = second.page.live[cell]
        assert live["stdout"] == "before\n"
        assert live["outputs"][0]["data"] == "'shown'"
        second.until_type("run", state="finished")
        assert show_cell(client, notebook, cell)["stdout"] == "before\nafter\n"
        assert second.page.shown(client) == show(client, notebook)


# -- commands


def test_every_command_is_acknowledged_behind_its_commit(
    client: httpx.Client, notebook: str, follower: Follower
) -> None:
    added = follower.request("insert_cell", cell_type="python", code="x = 1", cell_id="mine")
    assert added["cell_id"] == "mine"
    other = follower.request("insert_cell", cell_type="markdown", after_cell_id=None)["cell_id"]
    base = follower.page.revision
    requests: list[tuple[str, Message]] = [
        ("edit_cell", {"cell_id": "mine", "code": "x = 2", "expected_revision": base}),
        ("move_cell", {"cell_id": "mine", "after_cell_id": None}),
        ("configure_cell", {"cell_id": "mine", "config": {"code_hidden": True}}),
        ("rename", {"name": "Ours"}),
        ("configure", {"run_mode": "lazy"}),
        ("delete_cell", {"cell_id": other}),
        ("restore", {"revision": base}),
    ]
    for type_, fields in requests:
        answer = follower.request(type_, **fields)
        assert answer["type"] == "ack", answer
        assert answer["revision"] == follower.page.revision, "the commit came first"
    assert follower.page.shown(client) == show(client, notebook)
    assert list(follower.page.cells) == [other, "mine"]
    assert follower.page.cells["mine"]["code"] == "x = 1"


def test_two_clients_see_the_same_commits_in_the_same_order(server: Server, notebook: str, follower: Follower) -> None:
    with Follower(server, notebook) as second:
        second.ready()
        sent = [follower.send("insert_cell", cell_type="python", code=f"a{number} = 1") for number in range(20)]
        also = [second.send("insert_cell", cell_type="python", code=f"b{number} = 1") for number in range(20)]
        waiting = set(sent)
        while waiting:
            waiting.discard(follower.next().get("id", ""))
        waiting = set(also)
        while waiting:
            waiting.discard(second.next().get("id", ""))
        head = max(follower.page.revision, second.page.revision)
        follower.up_to(head)
        second.up_to(head)
        commits = [[m for m in each.log if m["type"] == "commit"] for each in (follower, second)]
        assert commits[0] == commits[1]
        assert list(follower.page.cells) == list(second.page.cells)
        codes = [cell["code"] for cell in follower.page.cells.values()]
        assert [code for code in codes if code.startswith("a")] == [f"a{number} = 1" for number in range(20)]


def test_W5_a_conflict_gives_the_current_cell(client: httpx.Client, notebook: str, follower: Follower) -> None:
    cell = add(client, notebook, "x = 1")
    base = show(client, notebook)["revision"]
    edit(client, notebook, cell, "x = 2")
    refused = follower.request("edit_cell", cell_id=cell, code="x = 3", expected_revision=base)
    assert (refused["type"], refused["status"]) == ("problem", 409)
    assert refused["current"]["code"] == "x = 2"
    assert refused["current"]["code_revision"] == base + 1
    assert follower.request("edit_cell", cell_id=cell, code="x = 3", expected_revision=base + 1)["type"] == "ack"
    follower.request("delete_cell", cell_id=cell)
    refused = follower.request("edit_cell", cell_id=cell, code="x = 4", expected_revision=base + 1)
    assert (refused["status"], refused["current"]) == (409, None)


def test_I1_a_key_makes_one_cell_over_two_connections(server: Server, client: httpx.Client, notebook: str) -> None:
    answers = []
    for _ in range(2):
        with Follower(server, notebook) as follower:
            answers.append(follower.ready().request("insert_cell", cell_type="python", code="x", key="once"))
    assert answers[0]["cell_id"] == answers[1]["cell_id"]
    assert answers[0]["revision"] == answers[1]["revision"]
    with Follower(server, notebook) as follower:
        refused = follower.ready().request("insert_cell", cell_type="python", code="y", key="once")
        assert refused["status"] == 422
    assert len(show(client, notebook)["cells"]) == 1


def test_an_edit_and_a_run_behind_it_run_the_new_code(client: httpx.Client, notebook: str, follower: Follower) -> None:
    cell = add(client, notebook, "print('old')")
    for number in range(10):
        follower.send("edit_cell", cell_id=cell, code=f"print({number})")
        follower.send("run", cell_ids=[cell])
        follower.until_type("run", state="finished")
        assert follower.page.cells[cell]["stdout"] == f"{number}\n"
        assert follower.page.cells[cell]["status"] == "success"
    assert follower.page.shown(client) == show(client, notebook)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("hello", 400),
        ("[]", 422),
        ("null", 422),
        ("{}", 422),
        ('{"id": "7", "type": "fly"}', 422),
        ('{"id": "7", "type": ["run"]}', 422),
        ('{"type": "run"}', 422),
        ('{"id": 7, "type": "run"}', 422),
        ('{"id": "7", "type": "run", "cell_ids": ["none"]}', 404),
        ('{"id": "7", "type": "edit_cell", "cell_id": "none", "code": ""}', 404),
        ('{"id": "7", "type": "edit_cell", "cell_id": "none"}', 422),
        ('{"id": "7", "type": "edit_cell", "cell_id": "none", "code": "", "colour": 1}', 422),
        ('{"id": "7", "type": "insert_cell", "cell_type": "sql"}', 422),
        ('{"id": "7", "type": "insert_cell", "cell_type": "python", "cell_id": "A B"}', 422),
        ('{"id": "7", "type": "insert_cell", "cell_type": "python", "code": "\\ud800"}', 0),
        ('{"id": "7", "type": "insert_cell", "cell_type": "python", "code": "' + "x" * 300_000 + '"}', 413),
        ('{"id": "7", "type": "restore", "revision": 1000}', 404),
        ('{"id": "7", "type": "rename", "name": " "}', 422),
        ("[" * 5000, 400),
        ('{"id": "7", "type": ' + "[" * 5000 + "]" * 5000 + "}", 0),
        ('{"id": "7", "type": "rename", "name": "' + "x" * 2_500_000 + '"}', 413),
    ],
    ids=range(22),
)
def test_a_bad_message_is_answered_and_the_socket_lives(follower: Follower, text: str, status: int) -> None:
    """Status 0: any refusal will do."""
    follower.socket.send(text)
    answer = follower.until_type("problem")
    assert answer["status"] == status or (status == 0 and 400 <= answer["status"] < 500), answer
    assert answer["detail"]
    if '"id": "7"' in text and status != 0:
        assert answer["id"] == "7"
    assert follower.request("rename", name="Still here")["type"] == "ack"


def test_a_binary_message_is_refused_and_the_socket_lives(follower: Follower) -> None:
    follower.socket.send(b"\x00\x01")
    answer = follower.until_type("problem")
    assert answer["status"] == 415
    assert "text frames" in answer["detail"]
    assert follower.request("rename", name="Still here")["type"] == "ack"


def test_an_unknown_notebook_is_said_and_the_socket_closed(server: Server) -> None:
    with server.socket("nowhere") as socket:
        problem = json.loads(socket.recv(timeout=10))
        assert (problem["type"], problem["status"]) == ("problem", 404)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
        assert socket.close_code == 4404


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "https://evil.example"}, 403, 4403),
        ({"Origin": "null"}, 403, 4403),
        ({"Authorization": "Bearer wrong"}, 401, 4401),
        ({"Authorization": ""}, 401, 4401),
    ],
)
def test_strangers_are_refused(server: Server, notebook: str, headers: dict[str, str], status: int, code: int) -> None:
    with server.socket(notebook, None, **headers) as socket:
        problem = json.loads(socket.recv(timeout=10))
        assert (problem["type"], problem["status"]) == ("problem", status)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
        assert socket.close_code == code


def test_the_own_page_is_let_in(server: Server, notebook: str) -> None:
    with server.socket(notebook, Origin=server.url) as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "snapshot"


# -- runs


def test_a_run_is_told_in_order(client: httpx.Client, notebook: str, follower: Follower) -> None:
    cell = add(client, notebook, "import time\nprint('one')\ndisplay('shown')\ntime.sleep(0.4)\n1 + 1")
    follower.up_to(show(client, notebook)["revision"])
    follower.log.clear()
    answer = follower.request("run", cell_ids=[cell])
    assert answer["type"] == "ack"
    follower.until_type("run", state="finished")
    told = [message for message in follower.log if message["type"] not in {"ack", "kernel"}]
    owned = told.pop(0)
    assert [change["kind"] for change in owned["changes"]] == ["kernel_owned"]
    # What comes with the cell's end may be told by the commit alone.
    assert list(dict.fromkeys(message["type"] for message in told)) == ["run", "status", "stream", "output", "commit"]
    progress = [message for message in told if message["type"] in {"stream", "output"}]
    started, queued, running, commit, finished = (each for each in told if each not in progress)
    assert (started["state"], started["run_id"], started["cell_ids"]) == ("started", answer["run_id"], [cell])
    assert queued["cells"] == {cell: {"status": "queued"}}
    assert running["cells"][cell]["status"] == "running"
    assert running["cells"][cell]["started_at"] > 0
    assert "".join(message["text"] for message in progress if message["type"] == "stream") == "one\n"
    shown = [message["output"]["data"] for message in progress if message["type"] == "output"]
    results = [output["data"] for output in commit["patch"]["cells"][cell]["outputs"]]
    assert results == ["'shown'", "2"]
    assert shown in (results, results[:1])
    assert commit["patch"]["cells"][cell]["stdout"] == "one\n"
    assert commit["patch"]["cells"][cell]["status"] == "success"
    assert finished["run_id"] == answer["run_id"]
    states = [message["state"] for message in follower.log if message["type"] == "kernel"]
    assert states == ["starting", "idle", "busy", "idle"]


def test_what_is_shown_can_be_replaced_and_cleared(client: httpx.Client, notebook: str, follower: Follower) -> None:
    code = (
        "from IPython.display import clear_output\nimport time\n"
        "handle = display('first', display_id=True)\ntime.sleep(0.1)\nhandle.update('second')\ntime.sleep(0.1)\n"
        "clear_output()\ntime.sleep(0.1)\nprint('last')"
    )
    cell = add(client, notebook, code)
    start(client, notebook, cell)
    follower.until_type("run", state="finished")
    assert kinds(follower.log, "output", "replace", "clear", "stream") == ["output", "replace", "clear", "stream"]
    found = show_cell(client, notebook, cell)
    assert (found["stdout"], found["outputs"]) == ("last\n", [])
    assert follower.page.shown(client) == show(client, notebook)


def test_an_interrupt_over_the_socket(client: httpx.Client, notebook: str, follower: Follower) -> None:
    loop = add(client, notebook, "import time\nx = 1\nwhile True:\n    time.sleep(0.01)")
    behind = add(client, notebook, "print(x)")
    follower.request("run")
    until_status(client, notebook, loop, "running")
    assert follower.request("interrupt")["type"] == "ack"
    follower.until_type("run", state="finished")
    assert follower.page.cells[loop]["error"]["name"] == "KeyboardInterrupt"
    assert follower.page.cells[behind]["status"] == "idle"
    assert follower.page.live == {}
    assert follower.request("restart")["type"] == "ack"
    if follower.page.notebook["kernel"] != "none":
        follower.until_type("kernel", state="none")
    assert follower.page.shown(client) == show(client, notebook)


def test_a_deleted_notebook_is_told(client: httpx.Client, notebook: str, follower: Follower) -> None:
    assert client.delete(f"/api/notebooks/{notebook}").status_code == 204
    follower.until_type("commit")
    assert follower.page.notebook["deleted_at"] > 0
    assert follower.request("rename", name="Too late")["status"] == 404
