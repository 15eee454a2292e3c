"""The plain design on DynamoDB, to measure against: one item a notebook, put as a whole on each edit.

The table's key is `user_id` and `notebook_id`; the cells are a list inside of the item; an index on `notebook_id`
projects ALL; each call makes a resource of aioboto3's. Runs by itself, under an interpreter that has aioboto3 and
nothing of Quire's: `python plain_design.py ENDPOINT TABLE`. Each line of the standard input is a request in JSON, an
operation and its arguments; each line of the output is the answer to one.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aioboto3  # type: ignore[import-not-found]  # in an environment of its own
from boto3.dynamodb.conditions import Key  # type: ignore[import-untyped]  # as well
from botocore.exceptions import ClientError

REGION = "eu-west-1"
INDEX = "NotebookByIdIndex"
USER = "ann"

Answer = dict[str, Any]
Notebook = dict[str, Any]


class PlainStore:
    """Whole notebooks in one table."""

    def __init__(self, endpoint: str, table: str) -> None:
        self._endpoint = endpoint
        self._table = table
        self._session = aioboto3.Session()

    def _resource(self) -> Any:
        return self._session.resource("dynamodb", region_name=REGION, endpoint_url=self._endpoint)

    async def create_table(self) -> None:
        keys = (("user_id", "HASH"), ("notebook_id", "RANGE"))
        async with self._resource() as dynamodb:
            table = await dynamodb.create_table(
                TableName=self._table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": INDEX,
                        "KeySchema": [{"AttributeName": "notebook_id", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            )
            await table.wait_until_exists()

    async def save(self, notebook: Notebook) -> float:
        """Put the whole notebook; the write units that it took, the index's among them."""
        async with self._resource() as dynamodb:
            table = await dynamodb.Table(self._table)
            answer = await table.put_item(Item=notebook, ReturnConsumedCapacity="TOTAL")
        return float(answer["ConsumedCapacity"]["CapacityUnits"])

    async def load(self, notebook_id: str) -> Notebook:
        async with self._resource() as dynamodb:
            table = await dynamodb.Table(self._table)
            answer = await table.get_item(Key={"user_id": USER, "notebook_id": notebook_id}, ConsistentRead=True)
        found: Notebook = answer["Item"]
        return found

    async def notebooks(self) -> int:
        """How many the user has: reads each as a whole, since the list is a query of the same items."""
        found = 0
        more: Answer = {}
        async with self._resource() as dynamodb:
            table = await dynamodb.Table(self._table)
            while True:
                page = await table.query(KeyConditionExpression=Key("user_id").eq(USER), **more)
                found += len(page["Items"])
                if "LastEvaluatedKey" not in page:
                    return found
                more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def notebook_of(notebook_id: str, codes: list[str]) -> Notebook:
    """A notebook with these Python cells, none of which has run."""
    cells: list[Answer] = [
        {
            "id": f"c{number}",
            "type": "python",
            "code": code,
            "status": "idle",
            "stdout": None,
            "outputs": [],
            "error": None,
            "reads": [],
            "writes": [],
        }
        for number, code in enumerate(codes)
    ]
    return {
        "user_id": USER,
        "notebook_id": notebook_id,
        "name": "plain",
        "db_conn_string": None,
        "revision": 1,
        "cells": cells,
    }


def change(notebook: Notebook, cell: int, code: str) -> None:
    notebook["cells"][cell]["code"] = code
    notebook["revision"] += 1


class Worker:
    """The requests. Those that are timed say the milliseconds of the wall clock and of this process's own work."""

    def __init__(self, store: PlainStore) -> None:
        self._store = store
        self._open: Notebook = {}

    async def create_table(self) -> Answer:
        await self._store.create_table()
        return {}

    async def create(self, notebook_id: str, codes: list[str]) -> Answer:
        self._open = notebook_of(notebook_id, codes)
        return {"units": await self._store.save(self._open)}

    async def save(self, cell: int, code: str) -> Answer:
        """An edit of the notebook that this process has in memory."""
        change(self._open, cell, code)
        return await _timed(lambda: self._store.save(self._open))

    async def load_and_save(self, notebook_id: str, cell: int, code: str) -> Answer:
        """An edit of what is stored."""

        async def edit() -> float:
            notebook = await self._store.load(notebook_id)
            change(notebook, cell, code)
            return await self._store.save(notebook)

        return await _timed(edit)

    async def edit_each(self, notebook_id: str, edits: list[tuple[int, str]]) -> Answer:
        """One edit after the other, each of what is stored then."""
        for cell, code in edits:
            await self.load_and_save(notebook_id, cell, code)
        return {"acknowledged": len(edits)}

    async def codes(self, notebook_id: str) -> Answer:
        notebook = await self._store.load(notebook_id)
        return {"codes": [cell["code"] for cell in notebook["cells"]]}

    async def largest(self, step: int) -> Answer:
        """Grow a notebook by cells of `step` bytes until it is refused; the bytes of code that it last had."""
        codes: list[str] = []
        while True:
            codes.append("x" * step)
            try:
                await self._store.save(notebook_of("growing", codes))
            except ClientError as error:
                return {"bytes": step * (len(codes) - 1), "refusal": error.response["Error"]["Message"]}

    async def notebooks(self) -> Answer:
        started = time.perf_counter()
        found = await self._store.notebooks()
        return {"found": found, "ms": 1000 * (time.perf_counter() - started)}


async def _timed(action: Callable[[], Awaitable[float]]) -> Answer:
    started, worked = time.perf_counter(), time.process_time()
    units = await action()
    return {
        "units": units,
        "ms": 1000 * (time.perf_counter() - started),
        "cpu_ms": 1000 * (time.process_time() - worked),
    }


async def main(endpoint: str, table: str) -> None:
    worker = Worker(PlainStore(endpoint, table))
    while line := await asyncio.to_thread(sys.stdin.readline):
        request = json.loads(line)
        answer = await getattr(worker, request.pop("operation"))(**request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
