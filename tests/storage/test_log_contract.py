"""Every engine keeps logs as the contract says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quire.storage.contract.log import LogContract
from quire.storage.contract.reopening import ReopeningContract, SharingContract
from tests.storage.engines import SHARED_ENGINES, Ground


class TestLog(LogContract):
    """On each of ENGINES."""


class TestReopening(ReopeningContract):
    """On each of PERSISTENT_ENGINES: logs and headers."""


class TestSharing(SharingContract):
    """On each of SHARED_ENGINES."""

    @pytest.fixture(params=SHARED_ENGINES)
    async def ground(self, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
        ground = Ground(request.param, tmp_path)
        yield ground
        await ground.close()
