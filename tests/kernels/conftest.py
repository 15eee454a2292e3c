"""Kernels for tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from quire.kernels.jupyter import JupyterKernel
from quire.kernels.settings import KernelSettings
from tests.kernels.driver import Driver, Start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Driver]:
    """A kernel that the tests of a module share: none of them may end it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-server")
        patch.setenv("QUIRE_SECRET_KEY", "secret-of-the-server")
        patch.setenv("LC_TIME", "C")
        kernel = await JupyterKernel.start()
    yield Driver(kernel)
    await kernel.close()


@pytest_asyncio.fixture(loop_scope="module")
async def start() -> AsyncIterator[Start]:
    """Starts kernels that one test may end."""
    kernels: list[JupyterKernel] = []

    async def start_one(settings: KernelSettings | None) -> Driver:
        kernel = await JupyterKernel.start(settings)
        kernels.append(kernel)
        return Driver(kernel)

    yield start_one
    for kernel in kernels:
        await kernel.close()
