"""What an answer to any input must be."""

from typing import Any

import httpx

MESSAGE_FIELDS = {"type", "title", "status", "detail"}


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """The problem that says why; anything else fails."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert set(found) >= MESSAGE_FIELDS
    assert found["status"] == answer.status_code
    assert found["detail"]
    return found
