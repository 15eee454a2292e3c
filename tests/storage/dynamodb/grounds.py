"""Stores in the emulators of DynamoDB, each on tables of its own."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.store import DynamoStore
from tests.emulators.processes import EmulatorMissing, start


def emulator(name: str) -> str:
    """Its URL; skips the test, with the reason, where this machine cannot run it."""
    url = start(name)
    if isinstance(url, EmulatorMissing):
        pytest.skip(f"{name}: {url}")
    return url


def settings_of(name: str, folder: Path) -> DynamoSettings:
    """The tables that stand for `folder`, which is only a name here."""
    table = f"quire-{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"
    return DynamoSettings(table, f"{table}-commits", "eu-west-1", emulator(name))


def open_dynamodb_in(name: str) -> Callable[[Path], Awaitable[DynamoStore]]:
    """Opens the store of a folder in that emulator, and makes its tables if they are missing."""

    async def open_dynamodb(folder: Path) -> DynamoStore:
        store = DynamoStore(settings_of(name, folder))
        await store.create_tables()
        return store

    return open_dynamodb
