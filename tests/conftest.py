"""What every test may use."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

import rivusio
from rivusio.mode import Mode
from rivusio.testing import VirtualClock


@pytest.fixture(params=["interpreted"])
def mode(request: pytest.FixtureRequest) -> Iterator[Mode]:
    """Run the test once for each way in which a chain can be run."""
    with rivusio.mode(request.param):
        yield request.param


@pytest.fixture
def clock() -> VirtualClock:
    """Time that stands still until the test advances it."""
    return VirtualClock()


@pytest.fixture
async def nothing_left(clock: VirtualClock) -> AsyncIterator[None]:
    """Fail the test if it leaves a task, a timer or a thread behind."""
    before, threads = asyncio.all_tasks(), set(threading.enumerate())
    yield
    gc.collect()
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left
    assert clock.pending == 0
    assert set(threading.enumerate()) <= threads
