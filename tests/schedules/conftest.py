from tests.sessions.conftest import world

__all__ = ["world"]
