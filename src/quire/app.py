"""The composition root: the only place that picks engines, kernels and authentication."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

import quire
from quire.api import cells, health, history, live, notebooks, outputs, pages, problems, runs
from quire.api.gate import Gate
from quire.api.requests import Services
from quire.auth.local import LocalAuth
from quire.blobs.protocol import InvalidBlobsUrl
from quire.blobs.urls import open_blobs
from quire.config import LOOPBACK_HOSTS, Config, ConfigError
from quire.kernels.environment import remove_abandoned_folders
from quire.kernels.kernelspec import NoSuchKernel, find_kernel
from quire.kernels.pool import KernelPool
from quire.kernels.protocol import Kernel, KernelSource, KernelUnavailable
from quire.kernels.settings import KernelSettings
from quire.kernels.static_help import StaticHelp
from quire.maintenance.migrate import Place
from quire.sessions.provisioning import Provisioner
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.urls import InvalidStoreUrl, open_store

log = structlog.get_logger(__name__)


def instance_name() -> str:
    """Names this process in the log (R1)."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def open_kernels(config: Config) -> KernelSource:
    """The pool of pre-warmed kernels."""
    pool = KernelPool(kernel_settings(config))
    pool.fill()
    return pool


def kernel_settings(config: Config) -> KernelSettings:
    """How kernels are started. Raises ConfigError."""
    try:
        spec = find_kernel(config.kernel)
    except NoSuchKernel as error:
        raise ConfigError(f"QUIRE_KERNEL: {error}") from error
    return KernelSettings(
        command=spec.command,
        variables=spec.variables,
        preload=config.kernel_preload,
        memory_bytes=config.kernel_memory_bytes,
        processes_max=config.kernel_processes_max,
        nice=config.kernel_nice,
        pool_size=config.kernel_pool,
        cell_seconds_max=config.cell_seconds_max,
    )


class NoKernels:
    """For commands that run no cell."""

    async def acquire(self) -> Kernel:
        raise KernelUnavailable("this command runs no cells")

    async def close(self) -> None:
        return


def check(config: Config) -> None:
    """Refuse settings that this version cannot serve, or not safely. Raises ConfigError."""
    if config.auth != "local":
        raise ConfigError("QUIRE_AUTH (--auth) jwt is not supported by this version yet: use local")
    if config.host not in LOOPBACK_HOSTS:
        raise ConfigError(
            f"--host {config.host}: local mode serves one user, on this machine only. Use 127.0.0.1, localhost or ::1"
        )


@asynccontextmanager
async def open_place(
    store_url: str,
    blobs_url: str,
    *,
    store_from: str = "QUIRE_STORE (--store)",
    blobs_from: str = "QUIRE_BLOBS (--blobs)",
) -> AsyncIterator[Place]:
    """A store and its blobs, open for as long as the context lasts. `store_from`, `blobs_from`: who named them.

    Raises:
        ConfigError: a URL that cannot be used. StorageError, BlobError: they cannot be opened.
    """
    try:
        store = await open_store(store_url)
    except InvalidStoreUrl as error:
        raise ConfigError(f"{store_from}: {error}") from error
    try:
        try:
            blobs = await open_blobs(blobs_url)
        except InvalidBlobsUrl as error:
            raise ConfigError(f"{blobs_from}: {error}") from error
        try:
            yield Place(store, blobs)
        finally:
            await blobs.close()
    finally:
        await store.close()


@asynccontextmanager
async def open_services(config: Config, *, with_kernels: bool = True) -> AsyncIterator[Services]:
    """Stores, kernels and sessions, open for as long as the context lasts.

    `with_kernels=False`: for commands that run no cell.

    Raises:
        ConfigError: a URL that cannot be used. StorageError: the store cannot be opened.
    """
    async with open_place(config.store, config.blobs) as place:
        store, blobs = place.store, place.blobs
        if store.engine == "dynamodb" and not config.blobs.startswith("s3://"):
            log.warning("blobs_are_local", blobs=blobs.description, advice="set QUIRE_BLOBS to s3://bucket/prefix")
        if with_kernels:
            await asyncio.to_thread(remove_abandoned_folders)
        kernels = open_kernels(config) if with_kernels else NoKernels()
        environment = Environment(
            store, blobs, kernels, instance_name(), run_mode=config.run_mode, kernel_idle_s=config.kernel_idle_s
        )
        registry = Registry(environment)
        static_help = StaticHelp()
        log.info(
            "serving", store=store.description, blobs=blobs.description, auth=config.auth, version=quire.__version__
        )
        try:
            yield Services(registry, Provisioner(registry), static_help)
        finally:
            await registry.close()
            await static_help.close()
            await kernels.close()


def create_app(config: Config, services: Services) -> FastAPI:
    """The server, over services that its caller opens and closes. Raises ConfigError."""
    app = FastAPI(
        title="Quire",
        version=quire.__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.auth = LocalAuth(config.token, config.port)
    for part in (notebooks, cells, runs, history, outputs, health, live, pages):
        app.include_router(part.router)
    pages.install_files(app)
    problems.install(app)
    app.add_middleware(Gate, authenticator=app.state.auth, hosts=LOOPBACK_HOSTS)
    return app
