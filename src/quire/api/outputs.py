"""Large outputs, by their hash.

What is sent is what was stored. A blob of up to 1 MB is verified before the answer begins, so that a damaged one is a
404. A larger one is verified while it is sent: its last part goes out only if all parts hash to the name, else the
connection is closed before the announced length is reached, and no client takes the answer for whole.
"""

import re
from collections.abc import AsyncGenerator
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from quire.api.problems import Problem, problem_of, problem_response
from quire.api.requests import ServicesOf, SessionOf
from quire.blobs.protocol import BlobError, BlobMissing, BlobStore, BlobsUnavailable
from quire.notebook.ids import log_id_of
from quire.sessions.errors import NotSaved

router = APIRouter(prefix="/api/notebooks/{notebook_id}/outputs", tags=["outputs"])
log = structlog.get_logger(__name__)

VERIFIED_FIRST_BYTES_MAX = 1024 * 1024
"""Up to here a blob is verified before the first byte is sent; above, before the last."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_SAFE_TYPES = re.compile(
    r"(image/(png|jpeg|gif|webp|bmp|avif)|audio/[\w.+-]+|video/[\w.+-]+|application/(json|[\w.+-]+[+.]json))"
)
"""Types that a browser shows without running anything of theirs; all others are served as plain text."""

MimeType = Annotated[str, Query(alias="type", max_length=200)]


@router.get("/{sha256}", response_class=Response)
async def output(
    request: Request,
    services: ServicesOf,
    session: SessionOf,
    sha256: str,
    mime_type: MimeType = "application/octet-stream",
) -> Response:
    """The bytes. They never change, and nothing in them can run as a page of this server."""
    if not _SHA256.fullmatch(sha256):
        raise Problem(404, "There is no such output: outputs are named by 64 lower-case hex digits.")
    etag = f'"{sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if etag in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    state = session.state
    safe_type = mime_type if _SAFE_TYPES.fullmatch(mime_type) else "text/plain; charset=utf-8"
    try:
        blobs, log_id = services.registry.environment.blobs, log_id_of(state.user_id, state.notebook_id)
        return await _answer(request, blobs, log_id, sha256, headers, safe_type)
    except BlobMissing as error:
        log.warning("output_missing", notebook_id=state.notebook_id, sha256=sha256, error=str(error))
        raise Problem(
            404,
            "This output is not there: its data is missing or damaged, or no result of this notebook had it. "
            "Run the cell again to make it anew.",
        ) from error
    except BlobsUnavailable as error:
        raise NotSaved(str(error)) from error


router.head("/{sha256}", response_class=Response, include_in_schema=False)(output)


async def _answer(
    request: Request, blobs: BlobStore, log_id: str, sha256: str, headers: dict[str, str], mime_type: str
) -> Response:
    """The whole, or the range that was asked for. Raises BlobMissing, BlobsUnavailable."""
    stream = await blobs.stream(log_id, sha256)
    asked = _asked(request, headers["ETag"])
    if stream.size > VERIFIED_FIRST_BYTES_MAX and not asked:
        headers["Content-Length"] = str(stream.size)
        if request.method == "HEAD":
            return Response(headers=headers, media_type=mime_type)
        first = await anext(stream.parts)
        return _Verified(_chain(first, stream.parts), headers=headers, media_type=mime_type)
    # A part of a blob is not verified by itself, so the whole is read for it (outputs are of 8 MB at most).
    data = b"".join([part async for part in stream.parts])
    if asked:
        return _part_of(data, *asked, headers, mime_type)
    return Response(data, headers=headers, media_type=mime_type)


def _asked(request: Request, etag: str) -> tuple[str, str] | None:
    """First and last byte of the single range that is asked for; a header that asks for none is ignored."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if not found or request.method != "GET" or request.headers.get("if-range", etag) != etag:
        return None
    first, last = found.groups()
    empty = not (first or last) or (first and last and int(first) > int(last))
    return None if empty else (first, last)


def _part_of(data: bytes, first: str, last: str, headers: dict[str, str], mime_type: str) -> Response:
    """A single range, as RFC 9110 counts: both ends included, `-n` the last n bytes."""
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if start > end:
        refusal = Problem(416, f"Range: the output has {len(data):,} bytes.", field="Range", limit=len(data))
        return problem_response(problem_of(refusal), headers={"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
    return Response(data[start : end + 1], 206, headers, mime_type)


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


async def _chain(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield first
    async for part in rest:
        yield part


class _Verified(StreamingResponse):
    """Ends without a complete answer if the blob turns out to be damaged: the server then closes the connection."""

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except BlobError as error:
            log.error("output_cut_off", error=str(error))
