"""The users' guide to streams: its code as it stands there, completed and run.

Each block is the guide's text, unchanged. Around it stands only what the guide leaves to the
reader: data, helpers, and the names of types that it does not import.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import typing
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from rivusio import SyncBasePipe
from rivusio.streams import StreamError, StreamPipe
from rivusio.testing import Recorder, VirtualClock

Namespace = dict[str, Any]  # whatever a block defines

# Names that some of the blocks use without importing them.
TYPES = {"Dict": typing.Dict, "List": typing.List}  # noqa: UP006  the guide's own words

pytestmark = pytest.mark.usefixtures("no_waiting", "mode")


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide's sleeps stand for a source that waits: here they give the loop a turn."""
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _seconds: sleep(0))


def run(block: str, **given: Any) -> Namespace:
    """Run a block as a program, with `async for` allowed outside of functions."""
    namespace: Namespace = {"__name__": "__main__", **TYPES, **given}
    code = compile(block, "<guide>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)  # noqa: S307  our own text
    if inspect.iscoroutine(result):
        asyncio.run(result)
    return namespace


BASIC_STREAMING = """
from rivusio.streams import StreamPipe
from typing import AsyncIterator, Dict

class MyStreamPipe(StreamPipe[Dict, Dict]):
    async def process_stream(self, stream: AsyncIterator[Dict]) -> AsyncIterator[Dict]:
        async for item in stream:
            yield await self.process_item(item)
    
    async def process_item(self, item: Dict) -> Dict:
        return {"processed": item}

# Use the stream pipe
pipe = MyStreamPipe()
async for result in pipe.stream(source_data):
    print(result)
"""  # noqa: W293


def test_basic_streaming(capsys: pytest.CaptureFixture[str]) -> None:
    run(BASIC_STREAMING, source_data=[{"a": 1}, {"b": 2}])
    assert capsys.readouterr().out == "{'processed': {'a': 1}}\n{'processed': {'b': 2}}\n"


def test_basic_streaming_from_an_async_source(capsys: pytest.CaptureFixture[str]) -> None:
    async def source() -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}
        await asyncio.sleep(1)
        yield {"b": 2}

    run(BASIC_STREAMING, source_data=source())
    assert capsys.readouterr().out == "{'processed': {'a': 1}}\n{'processed': {'b': 2}}\n"


WINDOWING = """
from rivusio.streams import WindowedStreamPipe
from datetime import timedelta

class WindowProcessor(WindowedStreamPipe[Dict, List]):
    def __init__(self, window_size: timedelta):
        super().__init__(window_size)
    
    async def process_window(self, window: List[Dict]) -> List:
        return self.aggregate_window(window)
"""  # noqa: W293


async def test_windowing(clock: VirtualClock) -> None:
    class Counter(run(WINDOWING)["WindowProcessor"]):  # type: ignore[misc]  # made by the guide
        def aggregate_window(self, window: list[dict[str, int]]) -> list[int]:
            return [len(window), *(item["n"] for item in window)]

    async def items() -> AsyncIterator[dict[str, int]]:
        for number in range(5):
            yield {"n": number}
            await clock.sleep(4)

    recorder = Recorder(clock)
    windows = Counter(timedelta(seconds=10)).stream(items(), clock=clock)
    running = asyncio.create_task(recorder.consume(windows))
    await clock.advance(30)
    await running
    assert [(each.at, each.value) for each in recorder.events] == [
        (10, [3, 0, 1, 2]),
        (20, [2, 3, 4]),
        (20, None),
    ]


BATCHING = """
from rivusio.streams import BatchStreamPipe

class BatchProcessor(BatchStreamPipe[Dict, List]):
    def __init__(self, batch_size: int):
        super().__init__(batch_size)
    
    async def process_batch(self, batch: List[Dict]) -> List:
        return await self.process_items(batch)
"""  # noqa: W293


async def test_batching() -> None:
    class Names(run(BATCHING)["BatchProcessor"]):  # type: ignore[misc]  # made by the guide
        async def process_item(self, item: dict[str, str]) -> str:
            return item["name"]

    items = [{"name": name} for name in "abcde"]
    batches = [batch async for batch in Names(2).stream(items)]
    assert batches == [["a", "b"], ["c", "d"], ["e"]]


BACKPRESSURE = """
from rivusio.streams import BackpressureConfig

config = BackpressureConfig(
    max_buffer_size=1000,
    throttle_threshold=0.8,
    min_processing_time=0.1
)

pipe = StreamPipe(config=config)
"""


async def test_backpressure(clock: VirtualClock) -> None:
    pipe: StreamPipe[int, int] = run(BACKPRESSURE, StreamPipe=StreamPipe)["pipe"]
    results = pipe.stream(range(5000), clock=clock)
    assert await anext(results) == 0
    for seconds, held in ((0, 800), (0.1, 801), (60, 1000)):  # from 800 on one item in 0.1 s
        await clock.advance(seconds)
        (buffer,) = results.buffers
        assert (buffer.current, buffer.peak, buffer.dropped) == (held, held, 0)
    await results.aclose()


ERROR_HANDLING = """
from rivusio.streams import StreamError

try:
    async for result in pipe.stream(data):
        try:
            process_result(result)
        except StreamError as e:
            handle_stream_error(e)
except Exception as e:
    handle_fatal_error(e)
"""


class Half(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        if data % 2:
            raise ValueError("odd")
        return data // 2


def error_handling(data: list[int], process_result: Any) -> tuple[list[Exception], list[Exception]]:
    stream_errors: list[Exception] = []
    fatal_errors: list[Exception] = []
    run(
        ERROR_HANDLING,
        pipe=Half(),
        data=data,
        process_result=process_result,
        handle_stream_error=stream_errors.append,
        handle_fatal_error=fatal_errors.append,
    )
    return stream_errors, fatal_errors


def test_error_handling_of_an_error_of_the_pipe() -> None:
    results: list[int] = []
    stream_errors, (fatal,) = error_handling([2, 4, 5, 6], results.append)
    assert results == [1, 2]
    assert stream_errors == []
    assert isinstance(fatal, StreamError)
    assert str(fatal) == "Error in pipe Half (stage 1, item 2): ValueError: odd"
    assert (fatal.item, fatal.pending) == (5, ())


def test_error_handling_of_a_stream_error_of_the_consumer() -> None:
    def refuse(result: int) -> None:
        if result == 2:
            raise StreamError("consumer", ValueError("two"))

    (error,), fatal_errors = error_handling([2, 4, 6], refuse)
    assert str(error) == "Error in pipe consumer: ValueError: two"
    assert fatal_errors == []


def test_error_handling_when_nothing_fails() -> None:
    results: list[int] = []
    assert error_handling([2, 4], results.append) == ([], [])
    assert results == [1, 2]


MONITORING = """
from rivusio.monitoring import PipelineMonitor

monitor = PipelineMonitor()
pipe.set_monitor(monitor)

# Get stream metrics
metrics = monitor.get_metrics()
print(f"Throughput: {metrics['throughput']}")
print(f"Processing time: {metrics['processing_time']}")
"""


def test_monitoring_before_any_run(capsys: pytest.CaptureFixture[str]) -> None:
    run(MONITORING, pipe=Half())
    assert capsys.readouterr().out == "Throughput: 0\nProcessing time: 0\n"


def test_monitoring_after_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    watch, heading, report = MONITORING.partition("# Get stream metrics")
    pipe = Half()
    namespace = run(watch, pipe=pipe)
    assert list(pipe.iterate(range(0, 200, 2))) == list(range(100))
    run(heading + report, **namespace)
    throughput, seconds = re.findall(
        r"^[\w ]+: ([\d.e+-]+)$", capsys.readouterr().out, re.MULTILINE
    )
    assert float(throughput) > 0
    assert 0 < float(seconds) < 1
    assert namespace["monitor"].get_metrics()["items_out"] == 100


ASYNC_STREAMS = """
from rivusio import AsyncBasePipe, AsyncStream
from typing import AsyncIterator, Dict, Optional
import asyncio

class AsyncNumberFilterPipe(AsyncBasePipe[Dict, Optional[Dict]]):
    async def process(self, data: Dict) -> Optional[Dict]:
        filtered = {k: v for k, v in data.items() if isinstance(v, (int, float))}
        return filtered if filtered else None

async def data_generator() -> AsyncIterator[Dict]:
    data = [
        {"a": 1, "b": "text", "c": 2.5},
        {"x": "skip", "y": "ignore"},
        {"d": 10, "e": 20.0, "f": 30},
    ]
    for item in data:
        yield item
        await asyncio.sleep(0.1)  # Simulate async data source

async def main():
    # Create stream and pipe
    stream = AsyncStream(data_generator())
    pipe = AsyncNumberFilterPipe()
    
    # Process stream
    async for result in stream.through(pipe):
        if result:  # Handle None results from filter
            print(f"Processed: {result}")

if __name__ == "__main__":
    asyncio.run(main())
"""  # noqa: W293


def test_async_streams(capsys: pytest.CaptureFixture[str]) -> None:
    run(ASYNC_STREAMS)
    assert capsys.readouterr().out == (
        "Processed: {'a': 1, 'c': 2.5}\nProcessed: {'d': 10, 'e': 20.0, 'f': 30}\n"
    )


SYNC_STREAMS = """
from rivusio import SyncBasePipe, SyncStream
from typing import Iterator, List

class BatchSumPipe(SyncBasePipe[List[float], float]):
    def process(self, batch: List[float]) -> float:
        return sum(batch)

def number_generator() -> Iterator[List[float]]:
    batches = [
        [1.0, 2.0, 3.0],
        [4.0, 5.0, 6.0],
        [7.0, 8.0, 9.0]
    ]
    for batch in batches:
        yield batch

def main():
    # Create stream and pipe
    stream = SyncStream(number_generator())
    pipe = BatchSumPipe()
    
    # Process stream
    for batch_sum in stream.through(pipe):
        print(f"Batch sum: {batch_sum}")

if __name__ == "__main__":
    main()
"""  # noqa: W293


def test_sync_streams(capsys: pytest.CaptureFixture[str]) -> None:
    run(SYNC_STREAMS)
    assert capsys.readouterr().out == "Batch sum: 6.0\nBatch sum: 15.0\nBatch sum: 24.0\n"


STREAM_WITH_ERROR_HANDLING = """
from rivusio import AsyncBasePipe, AsyncStream, PipeError
from typing import AsyncIterator, Dict
import asyncio

class SafeDivisionPipe(AsyncBasePipe[Dict, Dict]):
    async def process(self, data: Dict) -> Dict:
        try:
            return {k: 100 / v for k, v in data.items()}
        except ZeroDivisionError as e:
            raise PipeError(f"Division by zero: {str(e)}")
    
    async def handle_error(self, error: Exception, data: Dict) -> Dict:
        print(f"Error processing {data}: {error}")
        return {"error": str(error)}

async def data_with_errors() -> AsyncIterator[Dict]:
    data = [
        {"a": 2, "b": 4},
        {"a": 0, "b": 1},  # Will cause error
        {"a": 5, "b": 10}
    ]
    for item in data:
        yield item
        await asyncio.sleep(0.1)

async def main():
    stream = AsyncStream(data_with_errors())
    pipe = SafeDivisionPipe()
    
    async for result in stream.through(pipe):
        print(f"Result: {result}")

if __name__ == "__main__":
    asyncio.run(main())
"""  # noqa: W293


def test_stream_with_error_handling(capsys: pytest.CaptureFixture[str]) -> None:
    run(STREAM_WITH_ERROR_HANDLING)
    assert capsys.readouterr().out.splitlines() == [
        "Result: {'a': 50.0, 'b': 25.0}",
        "Error processing {'a': 0, 'b': 1}: Division by zero: division by zero",
        "Result: {'error': 'Division by zero: division by zero'}",
        "Result: {'a': 20.0, 'b': 10.0}",
    ]
