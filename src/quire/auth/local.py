"""Local mode: one user, one token, printed with the address at start-up."""

import secrets
from collections.abc import Mapping

from quire.auth.principal import LOCAL_USER, NotAuthenticated, Principal


def new_token() -> str:
    """A token of 192 random bits."""
    return secrets.token_urlsafe(24)


class LocalAuth:
    """Admits whoever knows the token: as a bearer token, or as the cookie that the printed address sets.

    Args:
        token: empty: everybody who reaches the loopback address is admitted (`--no-token`).
        port: part of the cookie's name, since cookies do not tell ports apart.
    """

    def __init__(self, token: str, port: int) -> None:
        self._token = token.encode()
        self.cookie = f"quire_token_{port}"

    def is_token(self, candidate: str) -> bool:
        """Whether `candidate` is the token, compared in constant time."""
        return bool(self._token) and secrets.compare_digest(candidate.encode(errors="replace"), self._token)

    def authenticate(self, authorization: str, cookies: Mapping[str, str]) -> Principal:
        """The local user. Raises NotAuthenticated."""
        if not self._token:
            return Principal(LOCAL_USER)
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() == "bearer" and self.is_token(credential.strip()):
            return Principal(LOCAL_USER)
        if self.is_token(cookies.get(self.cookie, "")):
            return Principal(LOCAL_USER)
        raise NotAuthenticated("Open the address that `quire serve` printed: it holds the token of this server.")
