"""An HTTP proxy before DynamoDB that fails as networks and services do, driven by a seed."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

FAULTS = {
    "none": 47,
    "lost request": 7,
    "lost answer": 8,
    "torn answer": 5,
    "5xx before": 5,
    "5xx after": 6,
    "throttled": 5,
    "expired": 3,
    "twice": 5,
    "zombie": 6,
    "too late": 3,
}
"""What may happen to a request, and how often of a hundred times."""

ZOMBIE_SECONDS = (0.0, 0.4)
"""How long after its sender gave up a zombie is carried out."""

PATIENCE_SECONDS = 0.5
"""How long clients of the proxy should wait for an answer: some take longer."""


class FaultyProxy:
    """Answers at `url` in the name of the DynamoDB at `target`; `calm` ends the faults.

    `share` of the requests meet what FAULTS says, the others nothing.
    """

    def __init__(self, target: str, seed: int, session: aiohttp.ClientSession, share: float) -> None:
        self._target = target
        self._share = share
        self._dice = random.Random(seed)
        self._session = session
        self._zombies: set[asyncio.Task[None]] = set()
        self.calm = False
        self.url = ""
        self.met: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        fault = self._dice.choices(list(FAULTS), list(FAULTS.values()))[0]
        if self.calm or self._dice.random() >= self._share:
            fault = "none"
        self.met[fault] += 1
        match fault:
            case "lost request":
                return self._cut(request)
            case "lost answer":
                await self._forward(headers, body)
                return self._cut(request)
            case "torn answer":
                return await self._torn(request, await self._forward(headers, body))
            case "5xx before" | "5xx after":
                if fault == "5xx after":
                    await self._forward(headers, body)
                return web.Response(status=self._dice.choice((500, 502, 503, 504)), text="<html>Bad gateway</html>")
            case "throttled":
                code = self._dice.choice(("ProvisionedThroughputExceededException", "RequestLimitExceeded"))
                return _refusal(code)
            case "expired":
                return _refusal("ExpiredTokenException")
            case "twice":
                await self._forward(headers, body)
            case "zombie":
                zombie = asyncio.create_task(self._late(headers, body))
                self._zombies.add(zombie)
                zombie.add_done_callback(self._zombies.discard)
                return self._cut(request)
            case "too late":
                await self._late(headers, body, PATIENCE_SECONDS + 0.2)
        status, answer = await self._forward(headers, body)
        return web.Response(status=status, body=answer, content_type="application/x-amz-json-1.0")

    async def settle(self) -> None:
        """Until no zombie is left."""
        while self._zombies:
            await asyncio.gather(*self._zombies)

    async def _forward(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        async with self._session.post(self._target, headers=headers, data=body) as response:
            return response.status, await response.read()

    async def _late(self, headers: dict[str, str], body: bytes, seconds: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        begin_at = loop.time() + (self._dice.uniform(*ZOMBIE_SECONDS) if seconds is None else seconds)
        while loop.time() < begin_at:
            await asyncio.sleep(0.01)
        status, _ = await self._forward(headers, body)
        self.met["zombie done" if status == 200 else "zombie refused"] += 1

    async def _torn(self, request: web.Request, answer: tuple[int, bytes]) -> web.StreamResponse:
        status, body = answer
        torn = web.StreamResponse(status=status, headers={"Content-Length": str(len(body) + 10)})
        with contextlib.suppress(ConnectionResetError):  # The client was the first to go.
            await torn.prepare(request)
            await torn.write(body[: len(body) // 2])
        return self._cut(request, torn)

    def _cut(self, request: web.Request, answer: web.StreamResponse | None = None) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return answer or web.Response()


def _refusal(code: str) -> web.Response:
    text = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "by the proxy"})
    return web.Response(status=400, text=text, content_type="application/x-amz-json-1.0")


@contextlib.asynccontextmanager
async def faulty_proxy(target: str, seed: int, *, share: float = 1.0) -> AsyncIterator[FaultyProxy]:
    async with aiohttp.ClientSession() as session:
        proxy = FaultyProxy(target, seed, session, share)
        application = web.Application(client_max_size=2 << 20)
        application.router.add_route("*", "/{path:.*}", proxy.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield proxy
        finally:
            await proxy.settle()
            await runner.cleanup()
