"""One HTTP request to DynamoDB: a connection pool with explicit time-outs, and answers sorted by what they mean."""

import asyncio
import json
import zlib
from typing import Any

import aiohttp
from aiodynamo.http.types import Request, Response
from yarl import URL

from quire.storage.dynamodb.failures import PASSING, Refused, Unanswered, Unsent

CONNECT_SECONDS_MAX = 2.0
ATTEMPT_SECONDS_MAX = 5.0
"""For one attempt, from the first byte sent: DynamoDB answers in milliseconds, or a fresh connection helps more."""

CONNECTIONS_MAX = 64
_KEEPALIVE_SECONDS = 45.0  # below the minute after which load balancers and NAT gateways forget idle connections


class Transport:
    """The only user of the process's one aiohttp session; made inside of the event loop that uses it."""

    def __init__(self, *, attempt_seconds: float = ATTEMPT_SECONDS_MAX) -> None:
        self._attempt_seconds = attempt_seconds
        # Waiting for a turn must not count as waiting for DynamoDB, so the pool itself has no bound.
        self._turns = asyncio.Semaphore(CONNECTIONS_MAX)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX),
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
        )

    async def __call__(self, request: Request) -> Response:
        """The answer, if it is a 200 (aiodynamo calls this).

        Raises:
            Unsent, Unanswered, Refused: see there.
        """
        async with self._turns:
            status, body, checksum = await self._send(request)
        if status == 200:
            if checksum is not None and checksum != str(zlib.crc32(body)):
                raise Unanswered("the answer was damaged on its way")
            return Response(status, body)
        raise _failure(status, body)

    async def _send(self, request: Request) -> tuple[int, bytes, str | None]:
        # As aiodynamo signed it: without the port.
        headers = {**(request.headers or {}), "Host": URL(request.url).host or ""}
        try:
            async with (
                asyncio.timeout(self._attempt_seconds),
                self._session.request(
                    request.method, request.url, headers=headers, data=request.body, allow_redirects=False
                ) as response,
            ):
                return response.status, await response.read(), response.headers.get("x-amz-crc32")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unsent(
                f"no connection to DynamoDB at {URL(request.url).origin()} ({_reason(error)}): check the network, and "
                "AWS_ENDPOINT_URL_DYNAMODB (endpoint_url) or AWS_REGION"
            ) from error
        except TimeoutError as error:
            raise Unanswered(f"no answer within {self._attempt_seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unanswered(f"the connection broke ({type(error).__name__})") from error

    async def close(self) -> None:
        await self._session.close()


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _failure(status: int, body: bytes) -> Exception:
    """What an answer other than 200 means."""
    try:
        answer: Any = json.loads(body)
        code = str(answer["__type"]).rsplit("#", 1)[-1]
    except (KeyError, TypeError, ValueError):
        answer, code = {}, ""
    if status >= 500 or status in {408, 429} or code in PASSING:
        return Unanswered(f"DynamoDB answers {status} {code}".rstrip())
    if not 400 <= status < 500 or not code:
        # Not DynamoDB's way to answer: something stands in between, and nobody knows what it did.
        return Unanswered(f"an answer that is not DynamoDB's ({status})")
    return Refused(code, str(answer.get("message") or answer.get("Message") or ""), answer.get("Item"))
