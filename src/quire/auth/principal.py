"""The one who asks."""

from dataclasses import dataclass

LOCAL_USER = "local"
"""The user id of local mode."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated user."""

    user_id: str


class NotAuthenticated(Exception):
    """No valid token; the message says how to get in."""
