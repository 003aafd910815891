"""What every test may use."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

import rivusio
from rivusio.artifacts import loader
from rivusio.artifacts.mode import Mode
from rivusio.compiler.jit import compile_stages
from rivusio.graph.config import BackpressureConfig
from rivusio.graph.stage import Stage
from rivusio.testing import VirtualClock

RECURSION_LIMIT = sys.getrecursionlimit()

# A shell lets what it starts in the background ignore Ctrl-C, and children inherit that: the tests
# that send it to one would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def usual_recursion_limit() -> None:
    """Take back what mypy sets when it runs in this process: how deep is too deep is Python's."""
    sys.setrecursionlimit(RECURSION_LIMIT)


@pytest.fixture(autouse=True, scope="module")
def nothing_of_earlier_modules_to_look_through() -> None:
    """Keep what mypy has left in this process out of what the tests of a module collect."""
    gc.freeze()


@pytest.fixture(params=["interpreted", "compiled"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mode]:
    """Run the test once for each way in which a chain can be run.

    In mode "compiled" every chain is compiled when its run starts: falling back to the
    interpreter is forbidden.
    """
    if request.param == "compiled":
        monkeypatch.setattr(loader, "compile_on_demand", compiled_once())
    with rivusio.mode(request.param):
        yield request.param


def compiled_once() -> loader.Compile:
    """Give what compiles each chain when it runs for the first time."""
    known: dict[loader.Key, tuple[loader.Compiled, object]] = {}
    one_at_a_time = threading.Lock()  # Python 3.11 parses in one thread only: gh-106905

    def compile_on_demand(
        stages: Sequence[Stage], read_ahead: BackpressureConfig | None
    ) -> loader.Compiled:
        key = loader.key_of(stages, read_ahead)
        with one_at_a_time:
            if key not in known:  # it goes by identity, so what it names is kept alive
                known[key] = compile_stages(stages, read_ahead), stages
        return known[key][0]

    return compile_on_demand


@pytest.fixture
def clean_imports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder, and forget which files were imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "modules", sys.modules.copy())


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
