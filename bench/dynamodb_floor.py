"""What an append to the DynamoDB store costs above the least that a put can cost: sign it, post it, read the answer."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Awaitable, Callable

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.instances import REGION, dynamo_store, dynamodb_url, new_table
from bench.samples import WARM_UP, Samples, stopwatch
from bench.tables import Table
from quire.storage.dynamodb.attributes import encode_record
from quire.storage.items import pack_record
from quire.storage.protocol import Record
from tests.emulators.environment import nobodys_aws
from tests.emulators.processes import EmulatorMissing

BODY_BYTES = 300

NOTE = (
    f"{BODY_BYTES} bytes each, on DynamoDB Local; the two take turns. The put has the same item and condition, signed "
    "by botocore (Signature Version 4) and posted by aiohttp over one kept connection. CPU is that of the client."
)


class BarePut:
    """A conditional PutItem with nothing around it: no retries, no time-outs, no look at what went wrong."""

    def __init__(self, session: aiohttp.ClientSession, url: str, table: str) -> None:
        self._session = session
        self._url = url
        self._table = table
        self._signer = SigV4Auth(Credentials("AKIDTEST", "secret-of-nobody"), "dynamodb", REGION)

    async def __call__(self, log_id: str, record: Record) -> None:
        payload = {
            "TableName": self._table,
            "Item": encode_record(log_id, pack_record(log_id, record)),
            "ConditionExpression": "attribute_not_exists(log_id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            "ReturnConsumedCapacity": "TOTAL",
        }
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"}
        request = AWSRequest("POST", self._url, headers=headers, data=json.dumps(payload).encode())
        self._signer.add_auth(request)
        async with self._session.post(self._url, headers=dict(request.headers), data=request.data) as response:
            answer = await response.read()
            if response.status != 200:
                raise RuntimeError(f"PutItem: {response.status} {answer!r}")


def measure(appends: int) -> Table:
    table = Table("The floor on DynamoDB: ms until bytes are durable", ("", "time", "CPU"), note=NOTE)
    with nobodys_aws():
        try:
            url = dynamodb_url()
        except EmulatorMissing as missing:
            table.note = f"Not measured: {missing}"
            return table
        for name, (taken, worked) in asyncio.run(_measure(url, appends)).items():
            table.add(name, taken, worked)
    return table


async def _measure(url: str, appends: int) -> dict[str, tuple[Samples, Samples]]:
    name = new_table()
    async with dynamo_store(url, name) as store, aiohttp.ClientSession() as session:
        put = BarePut(session, f"{url}/", f"{name}-commits")
        return await _in_turn({"signed put": put, "append to the DynamoDB store": store.append}, appends)


async def _in_turn(
    actions: dict[str, Callable[[str, Record], Awaitable[None]]], appends: int
) -> dict[str, tuple[Samples, Samples]]:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for number in range(WARM_UP + appends):
        for name, action in actions.items():
            record = Record(number + 1, str(uuid.uuid4()), random.randbytes(BODY_BYTES), checkpoint_revision=1)
            elapsed, worked = stopwatch(), time.process_time()
            await action(f"ann/{name.replace(' ', '-')}", record)
            taken[name].append((elapsed(), 1000 * (time.process_time() - worked)))
    return {
        name: (Samples(tuple(ms for ms, _ in pairs[WARM_UP:])), Samples(tuple(cpu for _, cpu in pairs[WARM_UP:])))
        for name, pairs in taken.items()
    }
