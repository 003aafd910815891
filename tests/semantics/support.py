"""Pipes and helpers that the tests of the semantics share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from rivusio import AsyncBasePipe, BasePipe, PipelineMonitor, SyncBasePipe
from rivusio.testing import VirtualClock, settle


class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return 2 * data


class SlowDouble(AsyncBasePipe[int, int]):
    """Really suspends, once for each item."""

    async def process(self, data: int) -> int:
        await asyncio.sleep(0)
        return 2 * data


class FailsOn(SyncBasePipe[Any, Any]):
    """Passes everything on but what it is told to fail on."""

    def __init__(self, *bad: object) -> None:
        super().__init__()
        self.bad = bad
        self.calls: list[object] = []

    def process(self, data: Any) -> Any:
        self.calls.append(data)
        if data in self.bad:
            message = f"bad {data}"
            raise ValueError(message)
        return data


class AsyncFailsOn(AsyncBasePipe[Any, Any]):
    """The same, suspending first."""

    def __init__(self, *bad: object) -> None:
        super().__init__()
        self.bad = bad
        self.calls: list[object] = []

    async def process(self, data: Any) -> Any:
        self.calls.append(data)
        await asyncio.sleep(0)
        if data in self.bad:
            message = f"bad {data}"
            raise ValueError(message)
        return data


async def outputs_of(pipe: BasePipe[Any, Any], source: Iterable[Any], **options: Any) -> list[Any]:
    return [output async for output in pipe.stream(source, **options)]


async def in_turn(items: Iterable[Any]) -> AsyncIterator[Any]:
    """An async source that really suspends before each item."""
    for item in items:
        await asyncio.sleep(0)
        yield item


class Consumer:
    """Takes outputs in a task of its own, so that the test can turn the clock meanwhile."""

    def __init__(self, run: Any, clock: VirtualClock) -> None:
        self.outputs: list[tuple[float, Any]] = []
        self.error: BaseException | None = None
        self.ended = False
        self._clock = clock
        self._task = asyncio.create_task(self._consume(run))

    async def _consume(self, run: Any) -> None:
        try:
            async for output in run:
                self.outputs.append((self._clock.now(), output))
        except Exception as error:  # noqa: BLE001  the test looks at it
            self.error = error
        self.ended = True

    @property
    def values(self) -> list[Any]:
        return [value for _, value in self.outputs]

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def flat(values: Iterable[Any]) -> list[Any]:
    """The items of the values, where a list stands for its items."""
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def account(
    monitor: PipelineMonitor, delivered: Iterable[Any] = (), pending: Iterable[Any] = ()
) -> None:
    """Rule 7.3: what came in is what became of it; the failing item counts as pending here."""
    metrics = monitor.get_metrics()
    resolved = sum(
        metrics[name] for name in ("dead_letters", "skipped", "filtered", "dropped", "discarded")
    )
    assert metrics["items_in"] == len(flat(delivered)) + len(flat(pending)) + resolved, metrics


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    for _ in range(1000):
        if condition():
            return
        await settle()
        await asyncio.sleep(0.001)  # a thread may have to come so far first
    message = "it never came to hold"
    raise AssertionError(message)
