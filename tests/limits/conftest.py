"""The server of these tests: the fixtures of tests/api, without a kernel until one is needed."""

from tests.api.conftest import client, notebook, server

__all__ = ["client", "notebook", "server"]
