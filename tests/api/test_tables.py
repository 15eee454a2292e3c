"""Rows of tables over the WebSocket."""

import json
from typing import Any

import httpx

from tests.api.calls import add, run, show_cell, start, until_status
from tests.api.follower import Follower
from tests.servers import Server

CODE = "import pandas as pd\npd.DataFrame({'n': [3, 1, 2]})"


def shown_table(client: httpx.Client, notebook: str) -> str:
    """The id of a new cell's table."""
    cell = add(client, notebook, CODE)
    run(client, notebook)
    [output] = show_cell(client, notebook, cell)["outputs"]
    assert output["mime_type"] == "application/vnd.quire.table+json"
    return str(json.loads(output["data"])["table"])


def asked(server: Server, notebook: str, type_: str, **fields: Any) -> dict[str, Any]:
    with Follower(server, notebook) as follower:
        return follower.ready().request(type_, **fields)


def test_a_page(server: Server, client: httpx.Client, notebook: str) -> None:
    table = shown_table(client, notebook)
    fields = {
        "table": table,
        "offset": 1,
        "limit": 1,
        "sort": [{"column": 1, "descending": True}],
        "filters": [{"column": 1, "op": "ge", "value": 2}],
    }
    answer = asked(server, notebook, "table_page", **fields)
    assert answer == {"type": "ack", "id": answer["id"], "rows": [[2, 2]], "total": 2, "offset": 1}


def test_a_column(server: Server, client: httpx.Client, notebook: str) -> None:
    answer = asked(server, notebook, "table_column", table=shown_table(client, notebook), column=1)
    assert (answer["type"], answer["bins"], answer["low"], answer["high"]) == ("ack", [1, 1, 1], 1, 3)


def test_what_the_kernel_refuses(server: Server, client: httpx.Client, notebook: str) -> None:
    filters = [{"column": 1, "op": "eq", "value": "many"}]
    table = shown_table(client, notebook)
    problem = asked(server, notebook, "table_page", table=table, filters=filters)
    assert (problem["type"], problem["status"]) == ("problem", 409)
    assert problem["detail"] == "'many' does not fit: column 'n' holds numbers."
    problem = asked(server, notebook, "table_page", table="gone")
    assert problem["detail"] == "The rows of this table are no longer in the kernel: run the cell again."


def test_without_a_kernel(server: Server, client: httpx.Client, notebook: str) -> None:
    problem = asked(server, notebook, "table_column", table="gone", column=0)
    assert (problem["status"], "No kernel runs" in problem["detail"]) == (409, True)


def test_while_a_cell_runs(server: Server, client: httpx.Client, notebook: str) -> None:
    table = shown_table(client, notebook)
    cell = add(client, notebook, "import time\nwhile True: time.sleep(0.01)")
    start(client, notebook, cell)
    until_status(client, notebook, cell, "running")
    problem = asked(server, notebook, "table_page", table=table)
    assert (problem["status"], "running cells" in problem["detail"]) == (409, True)
    assert client.post(f"/api/notebooks/{notebook}/interrupt").is_success
    until_status(client, notebook, cell, "error")


def test_what_is_not_a_question(server: Server, notebook: str) -> None:
    for fields in ({}, {"table": "x", "limit": 501}, {"table": "x", "sort": [{"column": -1}]}, {"table": "x", "no": 1}):
        problem = asked(server, notebook, "table_page", **fields)
        assert (problem["type"], problem["status"]) == ("problem", 422)
