"""`quire doctor`: tries each part once and says what it found."""

from dataclasses import dataclass

from quire.api.pages import WEB_FOLDER
from quire.app import check, open_kernels
from quire.blobs.protocol import BlobError, InvalidBlobsUrl
from quire.blobs.urls import open_blobs
from quire.config import Config, ConfigError
from quire.kernels.protocol import CellEnded, KernelDied, KernelUnavailable, Plan, Step
from quire.storage.protocol import StorageError
from quire.storage.urls import InvalidStoreUrl, open_store

_PROBE_LOG = "doctor/probe"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: whether it works, and where it is or why not."""

    subject: str
    ok: bool
    detail: str


async def create_tables(config: Config) -> None:
    """Make the tables of a local DynamoDB. Raises ConfigError, StorageError."""
    if not config.store.startswith("dynamodb:"):
        raise ConfigError("--create-tables is for a DynamoDB store: set QUIRE_STORE or DYNAMODB_TABLE_NAME")
    try:
        store = await open_store(config.store)
    except InvalidStoreUrl as error:
        raise ConfigError(f"QUIRE_STORE (--store): {error}") from error
    try:
        await store.create_tables()  # type: ignore[attr-defined]  # the dynamodb engine has it, as its URL says
    finally:
        await store.close()


async def examine(config: Config) -> list[Finding]:
    """Every part, in the order in which a start needs them."""
    return [
        _configuration(config),
        await _store(config),
        await _blobs(config),
        _page(),
        await _kernel(config),
    ]


def _configuration(config: Config) -> Finding:
    try:
        check(config)
    except ConfigError as error:
        return Finding("configuration", ok=False, detail=str(error))
    return Finding("configuration", ok=True, detail=f"auth {config.auth}, store {config.store.partition(':')[0]}")


async def _store(config: Config) -> Finding:
    try:
        store = await open_store(config.store)
    except (InvalidStoreUrl, StorageError) as error:
        return Finding("store", ok=False, detail=str(error))
    try:
        await store.check()
    except StorageError as error:
        return Finding("store", ok=False, detail=str(error))
    else:
        return Finding("store", ok=True, detail=f"{store.description}, can be written")
    finally:
        await store.close()


async def _blobs(config: Config) -> Finding:
    try:
        blobs = await open_blobs(config.blobs)
    except (InvalidBlobsUrl, BlobError) as error:
        return Finding("blobs", ok=False, detail=str(error))
    try:
        name = await blobs.put(_PROBE_LOG, b"quire doctor was here")
        await blobs.get(_PROBE_LOG, name)
    except BlobError as error:
        return Finding("blobs", ok=False, detail=str(error))
    else:
        return Finding("blobs", ok=True, detail=f"{blobs.description}, written and read back")
    finally:
        await blobs.close()


def _page() -> Finding:
    built = (WEB_FOLDER / "index.html").is_file()
    return Finding("page", ok=built, detail="built" if built else "missing: run `make setup`")


async def _kernel(config: Config) -> Finding:
    kernels = open_kernels(config)
    try:
        kernel = await kernels.acquire()
        try:
            plan = Plan("doctor", (Step("probe", "import sys; assert 1 + 1 == 2", ()),))
            ended = [event async for batch in kernel.run(plan) for event in batch if isinstance(event, CellEnded)]
        finally:
            await kernel.close()
    except (KernelUnavailable, KernelDied) as error:
        return Finding("kernel", ok=False, detail=str(error))
    finally:
        await kernels.close()
    status = ended[-1].status if ended else "no answer"
    return Finding("kernel", ok=status == "success", detail=f"started, ran a cell: {status}")
