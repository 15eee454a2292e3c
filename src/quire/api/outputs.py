"""Large outputs, by their hash."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from quire.api.problems import Problem
from quire.api.requests import ServicesOf, SessionOf
from quire.blobs.protocol import BlobMissing, BlobsUnavailable
from quire.notebook.ids import log_id_of
from quire.sessions.errors import NotSaved

router = APIRouter(prefix="/api/notebooks/{notebook_id}/outputs", tags=["outputs"])

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SAFE_TYPES = re.compile(
    r"(image/(png|jpeg|gif|webp|bmp|avif)|audio/[\w.+-]+|video/[\w.+-]+|application/(json|[\w.+-]+[+.]json))"
)
"""Types that a browser shows without running anything of theirs; all others are served as plain text."""


@router.get("/{sha256}", response_class=Response)
async def output(
    services: ServicesOf,
    session: SessionOf,
    sha256: str,
    mime_type: Annotated[str, Query(alias="type", max_length=200)] = "application/octet-stream",
) -> Response:
    """The bytes. They never change, and nothing in them can run as a page of this server."""
    if not _SHA256.fullmatch(sha256):
        raise Problem(404, "There is no such output.")
    state = session.state
    try:
        data = await services.registry.environment.blobs.get(log_id_of(state.user_id, state.notebook_id), sha256)
    except BlobMissing as error:
        raise Problem(404, "There is no such output, or its file is missing or damaged.") from error
    except BlobsUnavailable as error:
        raise NotSaved(str(error)) from error
    safe = _SAFE_TYPES.fullmatch(mime_type)
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable",
        "ETag": f'"{sha256}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, headers=headers, media_type=mime_type if safe else "text/plain; charset=utf-8")
