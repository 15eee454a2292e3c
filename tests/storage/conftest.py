import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from quire.storage.protocol import NotebookStore
from tests.storage.engines import ENGINES, PERSISTENT_ENGINES, Ground


@pytest.fixture(scope="session", autouse=True)
def aws_environment() -> Iterator[None]:
    """Nobody's credentials: emulators take any, and no test may meet real ones."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-nobody")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
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
