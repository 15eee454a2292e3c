"""A world of instances that share a store, for every test here."""

from collections.abc import AsyncIterator

import pytest

from tests.sessions.worlds import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    for registry in world.instances:
        await registry.close()
