"""Calls to DynamoDB: attempts, their bounds, and what their answers come to (W2).

aiodynamo encodes and signs.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any

from aiodynamo.client import Client
from aiodynamo.models import RetryConfig, RetryTimeout
from yarl import URL

from quire.storage.dynamodb.capacity import Capacity
from quire.storage.dynamodb.credentials import BotocoreCredentials
from quire.storage.dynamodb.failures import (
    CONDITION_FAILED,
    STALE_CREDENTIALS,
    ConditionFailed,
    NoCredentials,
    Refused,
    Unanswered,
    Unsent,
)
from quire.storage.dynamodb.sentences import explain
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.transport import ATTEMPT_SECONDS_MAX, Transport
from quire.storage.protocol import OutcomeUnknown, StoreUnavailable

ATTEMPTS_MAX = 4
CALL_SECONDS_MAX = 12.0
"""No further attempt begins later than this; whoever must know goes on by itself (append_until_definite)."""

CLOSE_SECONDS_MAX = 6.0
"""What was asked before is waited for: one attempt."""

_UNMETERED = frozenset({"CreateTable", "DescribeTable"})

PAUSE_SECONDS_MIN = 0.025
PAUSE_SECONDS_MAX = 1.0


class DynamoClient:
    """The process's one client; made inside of the event loop that uses it."""

    def __init__(self, settings: DynamoSettings, *, attempt_seconds: float = ATTEMPT_SECONDS_MAX) -> None:
        self.settings = settings
        self.capacity = Capacity()
        self._transport = Transport(attempt_seconds=attempt_seconds)
        self._credentials = BotocoreCredentials()
        self._client = Client(
            http=self._transport,
            credentials=self._credentials,
            region=settings.region,
            endpoint=_endpoint(settings),
            numeric_type=int,
            throttle_config=_OneAttempt(),
        )
        self._calls: set[asyncio.Future[None]] = set()
        self._closed = False

    async def read(self, operation: str, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request that changes nothing; `operation` is what it is counted under.

        Raises:
            StoreUnavailable: no attempt was answered, or DynamoDB refused.
        """
        try:
            return await self._call(operation, action, payload)
        except OutcomeUnknown as error:
            raise StoreUnavailable(str(error)) from error

    async def write(self, operation: str, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request that does no harm when it is carried out twice: the very same goes out each time.

        Raises:
            ConditionFailed: it was carried out never, or before. OutcomeUnknown: some attempt went unanswered, and
            none was definite after it (W2). StoreUnavailable: nothing was written.
        """
        return await self._call(operation, action, payload)

    async def close(self) -> None:
        """Refuse further calls, let those under way have their answer, and close every connection."""
        if self._closed:
            return
        self._closed = True
        if self._calls:
            await asyncio.wait(self._calls, timeout=CLOSE_SECONDS_MAX)
        await self._credentials.close()
        await self._transport.close()

    async def _call(self, operation: str, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        ended = asyncio.get_running_loop().create_future()
        self._calls.add(ended)
        try:
            return await self._until_settled(operation, action, payload)
        finally:
            self._calls.discard(ended)
            ended.set_result(None)

    async def _until_settled(self, operation: str, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        request = payload if action in _UNMETERED else {**payload, "ReturnConsumedCapacity": "TOTAL"}
        give_up_at = time.monotonic() + CALL_SECONDS_MAX
        undecided = False
        renewed = False
        attempts = 0
        while True:
            attempts += 1
            key = self._credentials.current
            reason: Exception
            try:
                answer = await self._attempt(action, request)
            except Refused as refusal:
                if refusal.code == CONDITION_FAILED:
                    self.capacity.count_refused(operation)
                    raise ConditionFailed(refusal.item, undecided=undecided) from None
                if refusal.code not in STALE_CREDENTIALS or renewed:
                    # After an unanswered attempt this is not definite: that one may have been the one that wrote.
                    raise _failed(explain(refusal, self.settings), undecided=undecided) from refusal
                self._credentials.replace(key)
                renewed = True
                continue
            except NoCredentials as error:
                raise _failed(str(error), undecided=undecided) from error
            except Unanswered as error:
                undecided = True
                reason = error
            except Unsent as error:
                reason = error
            else:
                self.capacity.count(operation, answer)
                return answer
            if attempts >= ATTEMPTS_MAX or time.monotonic() >= give_up_at or self._closed:
                raise _failed(str(reason), undecided=undecided) from reason
            self.capacity.retries[operation] += 1
            await asyncio.sleep(_pause_seconds(attempts))

    async def _attempt(self, action: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await self._client.send_request(action=action, payload=request)
        except ValueError as error:
            raise Unanswered("an answer that is not DynamoDB's") from error


class _OneAttempt(RetryConfig):
    """For aiodynamo, whose own retries would hide what happened. No generator: those it would leave to be collected."""

    def __init__(self) -> None:
        self._begun = False

    def attempts(self) -> "_OneAttempt":
        return _OneAttempt()

    def __aiter__(self) -> "_OneAttempt":
        return self

    async def __anext__(self) -> None:
        if self._begun:
            raise RetryTimeout
        self._begun = True

    def delays(self) -> tuple[float, ...]:
        return ()


def _endpoint(settings: DynamoSettings) -> URL:
    if settings.endpoint_url is not None:
        return URL(settings.endpoint_url)
    suffix = "amazonaws.com.cn" if settings.region.startswith("cn-") else "amazonaws.com"
    return URL(f"https://dynamodb.{settings.region}.{suffix}/")


def _failed(text: str, *, undecided: bool) -> OutcomeUnknown | StoreUnavailable:
    if undecided:
        return OutcomeUnknown(f"DynamoDB does not answer: {text}")
    return StoreUnavailable(text)


def _pause_seconds(attempts: int) -> float:
    """Doubling from 25 ms to 1 s, between half of it and all: callers that failed together come back apart."""
    longest: float = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN * 2 ** (attempts - 1))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads the callers, guards nothing
