"""One error shape for the whole API: RFC 9457 problems."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from quire.api.views import cell_view_of
from quire.auth.principal import NotAuthenticated
from quire.sessions import errors

PROBLEM_TYPE = "application/problem+json"

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    416: "No such range",
    422: "Invalid",
    426: "Upgrade required",
    429: "Too many requests",
    500: "Server error",
    501: "Not available yet",
    503: "Not saved",
}


class Problem(Exception):
    """A refusal that the API itself decides."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.more = more


def problem_of(error: Exception) -> dict[str, Any]:
    """The problem that says `error` to a client. Raises `error` if it is none of those we know."""
    match error:
        case Problem():
            return _problem(error.status, str(error), error.more)
        case errors.Conflict():
            current = None if error.current is None else cell_view_of(error.current)
            return _problem(409, str(error), {"current": current, "cell_id": error.cell_id})
        case errors.NotebookConflict() | errors.CellExists() | errors.NotAnswered():
            return _problem(409, str(error))
        case errors.CellNotFound():
            return _problem(404, str(error), {"cell_id": error.cell_id})
        case errors.NotebookNotFound() | errors.RevisionNotFound():
            return _problem(404, str(error))
        case errors.KeyReused():
            return _problem(422, str(error), {"field": "Idempotency-Key"})
        case errors.LimitReached():
            return _problem(422, str(error), {"field": error.field, "limit": error.limit})
        case errors.ReadOnly():
            return _problem(409, str(error))
        case errors.NotSaved():
            return _problem(503, error.reason)
        case NotAuthenticated():
            return _problem(401, str(error))
        case _:
            raise error


def _problem(status: int, detail: str, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    title = TITLES.get(status, "Error")
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **(more or {})}


def problem_response(
    problem: Mapping[str, Any], request_id: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """The problem as an answer."""
    body = msgspec.json.encode({**problem, "request_id": request_id})
    return Response(body, status_code=problem["status"], media_type=PROBLEM_TYPE, headers=dict(headers or {}))


def problem_message(problem: Mapping[str, Any], request_id: str | None = None) -> dict[str, Any]:
    """The problem as a message of the WebSocket, which has a `type` of its own; `request_id` is the client's."""
    return {**problem, "type": "problem", **({"id": request_id} if request_id is not None else {})}


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""

    async def known(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        headers = {"Retry-After": "1"} if problem["status"] == 503 else {}
        if problem["status"] == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return problem_response(problem, _request_id(request), headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(problem_of(validation_problem(error.errors())), _request_id(request))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = str(error.detail)
        if error.status_code == 404 and detail == "Not Found":
            detail = f"There is nothing at {request.url.path}."
        return problem_response(_problem(error.status_code, detail), _request_id(request), error.headers)

    async def unexpected(request: Request, _error: Exception) -> Response:
        detail = "The server failed. Its log has more under this request's id."
        return problem_response(_problem(500, detail), _request_id(request))

    for known_error in (Problem, errors.Refused, errors.NotSaved, NotAuthenticated):
        app.add_exception_handler(known_error, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def validation_problem(found: Sequence[Any]) -> Problem:
    """The first thing that is wrong, by name: no JSON is 400, a text above its limit 413, the rest 422."""
    first = found[0]
    context = first.get("ctx", {})
    if first["type"] == "json_invalid":
        return Problem(400, f"The body is not valid JSON: {context.get('error', '')}.", field="body")
    field = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path"}) or "body"
    limit = next((context[name] for name in ("limit", "max_length", "le", "ge") if name in context), None)
    more = {"field": field} if limit is None else {"field": field, "limit": limit}
    return Problem(413 if first["type"] == "too_large" else 422, f"{field}: {first['msg']}", **more)


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))
