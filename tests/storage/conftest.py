from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from quire.storage.protocol import NotebookStore
from tests.emulators.environment import nobodys_aws
from tests.storage.engines import ENGINES, PERSISTENT_ENGINES, Ground


@pytest.fixture(scope="session", autouse=True)
def aws_environment() -> Iterator[None]:
    """Nobody's credentials: no test may meet real ones."""
    with nobodys_aws():
        yield


@pytest.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NotebookStore]:
    """An empty store of each engine."""
    ground = Ground(request.param, tmp_path)
    yield await ground.open()
    await ground.close()


@pytest.fixture(params=PERSISTENT_ENGINES)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """Ground for each engine that keeps its data."""
    ground = Ground(request.param, tmp_path)
    yield ground
    await ground.close()
