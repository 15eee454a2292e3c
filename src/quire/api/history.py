"""The past of a notebook: list commits, restore a revision."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from quire.api import schemas
from quire.api.requests import OriginOf, SessionOf, json_response
from quire.api.views import commit_summary
from quire.sessions.notebook_intents import Restore

router = APIRouter(prefix="/api/notebooks/{notebook_id}", tags=["history"])

HISTORY_MAX = 500


@router.get("/history", response_model=schemas.History)
async def history(
    session: SessionOf,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=HISTORY_MAX)] = 50,
) -> Response:
    """Commits below `before` (default: all), newest first."""
    await session.refresh()
    commits = await session.commits(before=before, limit=limit)
    return json_response({"commits": [commit_summary(commit) for commit in commits]})


@router.post("/restore", response_model=schemas.Changed)
async def restore(session: SessionOf, origin: OriginOf, body: schemas.NewRestore) -> Response:
    """Make the content that of an earlier revision, by a new commit; nothing is rewritten."""
    await session.refresh()
    then = await session.state_at(body.revision)
    receipt = await session.submit(Restore(origin, then, body.expected_revision))
    return json_response({"revision": receipt.revision})
