"""What an older server has left is a notebook like any other: over REST, with nothing migrated up front."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.store import DynamoStore
from tests.api.calls import run
from tests.emulators.environment import nobodys_aws
from tests.servers import Server
from tests.storage.dynamodb.grounds import settings_of

IDS = ("demo-local", "orders")


@pytest.fixture(scope="module", autouse=True)
def aws_environment() -> Iterator[None]:
    """Nobody's credentials: emulators take any."""
    with nobodys_aws():
        yield


async def in_files(folder: Path) -> str:
    """Leaves the documents; the URL of the store."""
    (folder / "store").mkdir()
    for notebook_id in IDS:
        cells = [{"id": "c1", "type": "python", "code": "x = 20", "status": "running", "outputs": []}]
        document = {"id": notebook_id, "user_id": "local", "name": "Old", "revision": 7, "cells": cells}
        secret = {"db_conn_string": "postgresql://u:sesame@db/x"}
        (folder / "store" / f"{notebook_id}.json").write_text(json.dumps(document | secret), "utf-8")
    return f"files://{folder}/store"


async def in_dynamodb(folder: Path) -> str:
    """Leaves the items; the URL of the store."""
    settings = settings_of("dynamodb-local", folder)
    store, client = DynamoStore(settings), DynamoClient(settings)
    await store.create_tables()
    for notebook_id in IDS:
        cell = {"id": {"S": "c1"}, "type": {"S": "python"}, "code": {"S": "x = 20"}, "reads": {"SS": ["a"]}}
        item = {
            "user_id": {"S": "local"},
            "notebook_id": {"S": notebook_id},
            "name": {"S": "Old"},
            "revision": {"N": "7"},
            "db_conn_string": {"S": "postgresql://u:sesame@db/x"},
            "cells": {"L": [{"M": cell}]},
        }
        await client.write("test", "PutItem", {"TableName": settings.table, "Item": item})
    await client.close()
    await store.close()
    return f"dynamodb://{settings.table}?region={settings.region}&endpoint_url={settings.endpoint_url}"


@pytest.mark.parametrize("leave", [in_files, in_dynamodb])
async def test_an_older_notebook_is_listed_read_edited_run_deleted_and_brought_back(
    leave: Callable[[Path], object], tmp_path: Path
) -> None:
    url = await leave(tmp_path)  # type: ignore[misc]  # both are coroutine functions
    server = Server(tmp_path, store=str(url)).start()
    try:
        with server.client() as client:
            work_with(client)
        server.kill()
        server.start()
        with server.client() as client:
            shown = client.get("/api/notebooks/demo").json()
            assert [cell["code"] for cell in shown["cells"]] == ["x = 21\nx"]
            assert shown["cells"][0]["outputs"][0]["data"] == "21"
            assert "sesame" not in client.get("/api/notebooks/demo/history").text
        assert not any("sesame" in line for line in server.lines)
    finally:
        server.close()


def work_with(client: httpx.Client) -> None:
    listed = {one["id"]: one for one in client.get("/api/notebooks").json()["notebooks"]}
    assert set(listed) == {"demo-local", "blank-local", "orders"}, "an older demo is a demo"
    assert (listed["demo-local"]["name"], listed["demo-local"]["revision"]) == ("Old", 7)
    shown = client.get("/api/notebooks/demo")
    assert "sesame" not in shown.text
    (cell,) = shown.json()["cells"]
    assert (cell["id"], cell["code"]) == ("c1", "x = 20")
    assert cell["status"] in {"stale", "idle"}
    edited = client.put(
        "/api/notebooks/demo/cells/c1", json={"code": "x = 21\nx", "expected_revision": shown.json()["revision"]}
    )
    assert edited.status_code == 200, edited.text
    run(client, "demo", ["c1"])
    assert client.delete("/api/notebooks/orders").status_code == 204
    assert client.get("/api/notebooks/orders").status_code == 404
    assert client.post("/api/notebooks/orders/undelete").status_code == 200
    assert [one["code"] for one in client.get("/api/notebooks/orders").json()["cells"]] == ["x = 20"]
