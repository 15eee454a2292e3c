"""AWS credentials, as botocore finds them: environment, profile, SSO, ECS, EKS Pod Identity, IRSA, instance role.

botocore blocks while it asks for them, so it is only called in a thread; what it gave is used until shortly before
it expires.
"""

import asyncio
import time

import structlog
from aiodynamo.credentials import Credentials, Key
from aiodynamo.http.types import HttpImplementation

from quire.storage.dynamodb.aws_chain import Source, expires_within, fetch_key

EXPIRING_SECONDS = 60
"""Credentials that are valid for longer are used while newer ones are being fetched."""

RETRY_SECONDS = 30
"""Between attempts to renew credentials that are still valid."""

_log = structlog.get_logger(__name__)


class BotocoreCredentials(Credentials):
    """A source of keys for aiodynamo, for one event loop."""

    def __init__(self) -> None:
        self._source: Source | None = None
        self._key: Key | None = None
        self._renewal: asyncio.Task[Key] | None = None
        self._renew_at = 0.0

    async def get_key(self, http: HttpImplementation) -> Key:  # noqa: ARG002 - botocore has a client of its own
        """The key to sign with.

        Raises:
            NoCredentials: there are none, or the ones there were have expired and cannot be renewed.
        """
        key = self._key
        if key is not None and not self._expires():
            return key
        if key is not None and not self._expires(EXPIRING_SECONDS):
            if self._renewal is None and time.monotonic() >= self._renew_at:
                self._renew()
            return key
        # Shielded: who asked may be cancelled, others wait for the same key.
        return await asyncio.shield(self._renewal or self._renew())

    @property
    def current(self) -> Key | None:
        """The key that the next request will be signed with, unless it must be fetched."""
        return self._key

    def replace(self, refused: Key | None) -> None:
        """Look for credentials from the start, unless somebody has replaced the `refused` key already.

        None: the one that was refused is not known.
        """
        if refused is None or refused is self._key:
            self.invalidate()

    def invalidate(self) -> bool:
        self._source = self._key = None
        return True

    def is_disabled(self) -> bool:
        return False

    async def close(self) -> None:
        """Wait for nothing more. A thread of botocore's that is under way ends by itself."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    def _expires(self, seconds: int | None = None) -> bool:
        return self._source is not None and expires_within(self._source, seconds)

    def _renew(self) -> asyncio.Task[Key]:
        self._renew_at = time.monotonic() + RETRY_SECONDS
        self._renewal = asyncio.create_task(self._fetch(self._source))
        self._renewal.add_done_callback(self._renewed)
        return self._renewal

    async def _fetch(self, source: Source | None) -> Key:
        self._source, key = await asyncio.to_thread(fetch_key, source)
        self._key = key
        return key

    def _renewed(self, renewal: asyncio.Task[Key]) -> None:
        self._renewal = None
        if not renewal.cancelled() and (error := renewal.exception()) is not None:
            _log.warning("aws_credentials_not_renewed", reason=str(error))
