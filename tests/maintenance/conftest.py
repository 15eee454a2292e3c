from collections.abc import Iterator

import pytest

from tests.emulators.environment import nobodys_aws


@pytest.fixture(scope="session", autouse=True)
def aws_environment() -> Iterator[None]:
    """Nobody's credentials: no test, nor its processes, may meet real ones."""
    with nobodys_aws():
        yield
