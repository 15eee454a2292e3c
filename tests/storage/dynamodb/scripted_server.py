"""A server that answers as a test says, in DynamoDB's place, and keeps what it was asked."""

import json
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from quire.storage.dynamodb.settings import DynamoSettings


@dataclass(frozen=True)
class Answer:
    """A status and a body; status 0 cuts the connection instead."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


OK = Answer(200)
CUT = Answer(0)
CONDITION = "ConditionalCheckFailedException"


def ok(**fields: Any) -> Answer:
    body = json.dumps(fields).encode()
    return Answer(200, body, {"x-amz-crc32": str(zlib.crc32(body))})


def refusal(code: str, *, status: int = 400, **fields: Any) -> Answer:
    return Answer(status, json.dumps({"__type": f"com.amazon.coral.service#{code}", **fields}).encode())


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    action: str
    body: bytes
    headers: dict[str, str]

    @property
    def payload(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class ScriptedServer:
    """Gives its answers in order, then the last one for ever."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = list(answers)
        self.asked: list[Asked] = []
        self.url = ""

    @property
    def settings(self) -> DynamoSettings:
        return DynamoSettings("quire", "quire-commits", "eu-west-1", self.url)

    @property
    def actions(self) -> list[str]:
        return [one.action for one in self.asked]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        action = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.asked.append(Asked(action, await request.read(), dict(request.headers)))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer.status == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=answer.status or 200, body=answer.body, headers=answer.headers)


@asynccontextmanager
async def scripted(*answers: Answer) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer(answers)
    application = web.Application(client_max_size=2 << 20)
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
