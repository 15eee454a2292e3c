"""Blobs in S3, or in another store that speaks its language.

A blob is the object ``PREFIX/<SHA-256 of the log's id>/<its own SHA-256>``: a log's id may be longer than a key may.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from quire.blobs.protocol import (
    REFRESH_AFTER_MS,
    STREAM_BYTES,
    BlobInfo,
    BlobMissing,
    BlobStream,
    BlobsUnavailable,
    InvalidBlobsUrl,
    sha256_of,
    verified,
)
from quire.blobs.s3_settings import CredentialProvider, region_and_endpoint

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta  # these exist for type checkers only
    from obstore.store import ClientConfig, RetryConfig

HASH_INLINE_BYTES = 256 * 1024
"""Up to here hashing takes less time than handing it to a thread."""

PUT_ATTEMPTS_MAX = 5

_NAME = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_=][A-Za-z0-9_.=-]*)*)/?")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_CHECK_KEY = hashlib.sha256(b"").hexdigest() + "/check"
"""No blob has it."""

_HINTS = {
    "NoSuchBucket": "there is no such bucket: create it, or name another one",
    "AccessDenied": (
        "access denied: the role needs s3:GetObject, s3:PutObject and s3:DeleteObject on the objects and s3:ListBucket "
        "on the bucket"
    ),
    "AllAccessDisabled": "access to the bucket is disabled",
    "InvalidAccessKeyId": "AWS does not know these credentials: check which ones this process has",
    "SignatureDoesNotMatch": "the secret access key is wrong",
    "ExpiredToken": "the credentials have expired",
    "InvalidToken": "the session token is wrong",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "PermanentRedirect": "the bucket is in another region: set AWS_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_REGION",
    "SlowDown": "it asks to slow down",
}


class S3Blobs:
    """A BlobStore in a bucket; made by `open`. Any number of processes may use one bucket.

    S3 cannot delete under a condition on the age: a blob whose put refreshes it in the milliseconds between gc's last
    look and its delete would go. It must have been unreferenced for a day and come back just then.
    """

    def __init__(
        self, store: S3Store, place: str, credentials: CredentialProvider, *, now_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._place = place
        self._credentials = credentials
        self._now_ms = now_ms
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> Self:
        """The blobs at ``s3://bucket/prefix``; region, endpoint and credentials as every AWS tool finds them.

        `now_ms`: the clock, milliseconds since the epoch.

        Raises:
            InvalidBlobsUrl: not such a URL. BlobsUnavailable: the bucket cannot be read; the message says why.
        """
        parts = _URL.fullmatch(url)
        if parts is None:
            raise InvalidBlobsUrl("a URL of S3 is s3://bucket/prefix, with letters, digits and _ . - = in the prefix")
        bucket, prefix = parts[1], parts[2].strip("/")
        try:
            region, endpoint = await asyncio.to_thread(region_and_endpoint)
        except ValueError as error:
            raise BlobsUnavailable(f"S3 bucket {bucket}: {error}") from error
        credentials = CredentialProvider()
        store = S3Store(
            bucket,
            prefix=prefix or None,
            region=region,
            credential_provider=credentials,
            disable_bulk_delete=True,
            client_options=_client_options(endpoint),
            retry_config=_RETRIES,
            # AWS wants the bucket in the host's name, other stores mostly want it in the path.
            **({"endpoint": endpoint} if endpoint else {"virtual_hosted_style_request": "." not in bucket}),
        )
        place = f"{bucket}/{prefix}" if prefix else bucket
        blobs = cls(store, f"{place} ({endpoint or region})", credentials, now_ms=now_ms)
        await blobs.check()
        return blobs

    @property
    def description(self) -> str:
        return f"S3 bucket {self._place}"

    async def put(self, log_id: str, data: bytes) -> str:
        self._check_open()
        sha256 = await _hash(data)
        path = f"{_folder(log_id)}/{sha256}"
        for attempt in range(PUT_ATTEMPTS_MAX):
            try:
                await obstore.put_async(self._store, path, data, mode="create", use_multipart=False)
                break
            except AlreadyExistsError:
                # Also what S3 answers, for a moment, while another put of the same blob is under way.
                if await self._refreshed(path, data):
                    break
            except (BaseError, FileNotFoundError) as error:
                raise self._unavailable(error) from None
            await asyncio.sleep(0.05 * 2**attempt)
        else:
            raise BlobsUnavailable(f"{self.description}: other puts of blob {sha256} do not end")
        return sha256

    async def get(self, log_id: str, sha256: str) -> bytes:
        self._check_open()
        if not _NAME.fullmatch(sha256):
            raise BlobMissing(f"{sha256!r} is not a SHA-256 in lower-case hex")
        try:
            found = await obstore.get_async(self._store, f"{_folder(log_id)}/{sha256}")
            data = bytes(await found.bytes_async())
        except (BaseError, FileNotFoundError) as error:
            if _is_missing(error):
                raise BlobMissing(f"no blob {sha256}") from None
            raise self._unavailable(error) from None
        if await _hash(data) != sha256:
            raise BlobMissing(f"the object of blob {sha256} is damaged: it has {len(data):,} bytes of another hash")
        return data

    async def stream(self, log_id: str, sha256: str) -> BlobStream:
        self._check_open()
        if not _NAME.fullmatch(sha256):
            raise BlobMissing(f"{sha256!r} is not a SHA-256 in lower-case hex")
        try:
            found = await obstore.get_async(self._store, f"{_folder(log_id)}/{sha256}")
        except (BaseError, FileNotFoundError) as error:
            if _is_missing(error):
                raise BlobMissing(f"no blob {sha256}") from None
            raise self._unavailable(error) from None
        return BlobStream(found.meta["size"], verified(self._parts(found), sha256))

    async def _parts(self, found: "GetResult") -> AsyncGenerator[bytes, None]:
        try:
            async for part in found.stream(min_chunk_size=STREAM_BYTES):
                yield bytes(part)
        except (BaseError, FileNotFoundError) as error:
            raise self._unavailable(error) from None

    async def list(self, log_id: str) -> AsyncIterator[BlobInfo]:
        self._check_open()
        try:
            async for objects in obstore.list(self._store, prefix=_folder(log_id)):
                for found in objects:
                    name = found["path"].rpartition("/")[2]
                    if _NAME.fullmatch(name):
                        yield BlobInfo(name, found["size"], _ms(found["last_modified"]))
        except (BaseError, FileNotFoundError) as error:
            raise self._unavailable(error) from None

    async def delete(self, log_id: str, sha256: str, *, not_after: int) -> bool:
        self._check_open()
        if not _NAME.fullmatch(sha256):
            return False
        path = f"{_folder(log_id)}/{sha256}"
        found = await self._head(path)
        if found is None or _ms(found["last_modified"]) > not_after:
            return False
        try:
            await obstore.delete_async(self._store, path)
        except (BaseError, FileNotFoundError) as error:
            raise self._unavailable(error) from None
        return True

    async def check(self) -> None:
        """Raise BlobsUnavailable, with the reason, if the bucket cannot be read now."""
        self._check_open()
        try:
            await obstore.get_async(self._store, _CHECK_KEY)
        except (BaseError, FileNotFoundError) as error:
            if not _is_missing(error):
                raise self._unavailable(error) from None

    async def close(self) -> None:
        self._closed = True

    async def _refreshed(self, path: str, data: bytes) -> bool:
        """Whether the blob is there, young enough that gc will not take it before it is referred to (B2)."""
        found = await self._head(path)
        if found is None:
            return False
        if _ms(found["last_modified"]) < self._now_ms() - REFRESH_AFTER_MS or found["size"] != len(data):
            try:
                await obstore.put_async(self._store, path, data, mode="overwrite", use_multipart=False)
            except (BaseError, FileNotFoundError) as error:
                raise self._unavailable(error) from None
        return True

    async def _head(self, path: str) -> "ObjectMeta | None":
        try:
            return await obstore.head_async(self._store, path)
        except (BaseError, FileNotFoundError) as error:
            if _is_missing(error):
                return None
            raise self._unavailable(error) from None

    def _unavailable(self, error: Exception) -> BlobsUnavailable:
        """Says what went wrong, but not in S3's words: those quote keys and signatures."""
        if self._credentials.failure:
            reason = self._credentials.failure
        else:
            text = str(error).partition("Debug source")[0]
            code = _CODE.search(text)
            if code:
                hint = _HINTS.get(code[1])
                reason = f"{hint} ({code[1]})" if hint else f"it answers {code[1]}"
            elif "redirect" in text:
                reason = _HINTS["PermanentRedirect"]
            elif "error sending request" in text or "timed out" in text:
                reason = "it cannot be reached: check the network, and AWS_ENDPOINT_URL_S3 or AWS_REGION"
            else:
                status = re.search(r"status code: (\d{3})", text)
                reason = f"it answers with status {status[1]}" if status else f"it fails ({type(error).__name__})"
        return BlobsUnavailable(f"{self.description}: {reason}")

    def _check_open(self) -> None:
        if self._closed:
            raise BlobsUnavailable("the blob store is closed")


_RETRIES: "RetryConfig" = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}


def _client_options(endpoint: str | None) -> "ClientConfig":
    return {
        "allow_http": endpoint is not None and endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(seconds=120),
    }


def _folder(log_id: str) -> str:
    return hashlib.sha256(log_id.encode()).hexdigest()


async def _hash(data: bytes) -> str:
    return sha256_of(data) if len(data) <= HASH_INLINE_BYTES else await asyncio.to_thread(sha256_of, data)


def _ms(moment: datetime) -> int:
    """S3 stamps objects with whole seconds."""
    return int(moment.timestamp() * 1000)


def _is_missing(error: Exception) -> bool:
    """Whether S3 says that there is no such object, and not that there is no such bucket."""
    return isinstance(error, FileNotFoundError) and "<Code>NoSuchBucket</Code>" not in str(error)
