"""Kernels started ahead of need."""

import asyncio
import os
import signal

import pytest

from quire.kernels.pool import KernelPool
from quire.kernels.protocol import KernelUnavailable, Plan, Step
from quire.kernels.settings import KernelSettings
from tests.kernels.driver import is_running


async def test_a_warm_kernel_is_given_and_replaced() -> None:
    pool = KernelPool(KernelSettings(pool_size=1))
    first = await pool.acquire()
    second = await pool.acquire()
    assert first.pid != second.pid
    for kernel in (first, second):
        assert [event async for batch in kernel.run(Plan("r", (Step("a", "1"),))) for event in batch]
    await pool.close()
    assert not is_running(first.pid)
    assert not is_running(second.pid)


async def test_a_warm_kernel_that_died_is_replaced() -> None:
    pool = KernelPool(KernelSettings(pool_size=1))
    pool.fill()
    [starting] = pool._warm
    dead = await asyncio.shield(starting)
    os.kill(dead.pid, signal.SIGKILL)
    await dead.wait_died()
    kernel = await pool.acquire()
    assert kernel.pid != dead.pid
    assert kernel.alive
    await pool.close()


async def test_the_reason_is_told_if_none_can_be_started() -> None:
    pool = KernelPool(KernelSettings(command=("/no/such/python",)))
    for _ in range(3):
        with pytest.raises(KernelUnavailable, match="/no/such/python"):
            await pool.acquire()
    await pool.close()


async def test_who_stops_waiting_takes_no_kernel_away() -> None:
    pool = KernelPool(KernelSettings(pool_size=1))
    pool.fill()
    impatient = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert len(pool._warm) == 1
    await pool.close()


async def test_without_warm_kernels() -> None:
    pool = KernelPool(KernelSettings(pool_size=0))
    kernel = await pool.acquire()
    assert kernel.alive
    await pool.close()
    assert not kernel.alive


async def test_a_closed_pool_gives_none_and_ends_what_it_gave() -> None:
    pool = KernelPool(KernelSettings(pool_size=2))
    kernel = await pool.acquire()
    await pool.close()
    assert not is_running(kernel.pid)
    with pytest.raises(KernelUnavailable, match="shutting down"):
        await pool.acquire()
