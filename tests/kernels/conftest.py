"""Kernels for tests: copies of a zygote, as a server has them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from quire.kernels.jupyter import JupyterKernel
from quire.kernels.launchers import Launchers
from quire.kernels.settings import KernelSettings
from tests.kernels.driver import Driver, Start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def launchers() -> AsyncIterator[dict[str, Launchers]]:
    """By settings: one zygote for all tests of a module that have the same."""
    started: dict[str, Launchers] = {}
    yield started
    for one in started.values():
        await one.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(launchers: dict[str, Launchers]) -> AsyncIterator[Driver]:
    """A kernel that the tests of a module share: none of them may end it."""
    settings = KernelSettings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-server")
        patch.setenv("QUIRE_SECRET_KEY", "secret-of-the-server")
        patch.setenv("LC_TIME", "C")
        kernel = await JupyterKernel.start(settings, launchers.setdefault(repr(settings), Launchers(settings)))
    yield Driver(kernel)
    await kernel.close()


@pytest_asyncio.fixture(loop_scope="module")
async def start(launchers: dict[str, Launchers]) -> AsyncIterator[Start]:
    """Starts kernels that one test may end."""
    kernels: list[JupyterKernel] = []

    async def start_one(settings: KernelSettings | None) -> Driver:
        settings = settings or KernelSettings()
        kernel = await JupyterKernel.start(settings, launchers.setdefault(repr(settings), Launchers(settings)))
        kernels.append(kernel)
        return Driver(kernel)

    yield start_one
    for kernel in kernels:
        await kernel.close()
