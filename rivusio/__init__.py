"""Stream pipelines of small typed pipes, joined with `>>`."""

from rivusio.artifacts.mode import NotCompiledError, NotCompiledWarning, mode
from rivusio.connectors.message import Message, MessageMetadata
from rivusio.connectors.registry import (
    PluginRegistry,
    register_async_sink,
    register_async_source,
    register_sync_sink,
    register_sync_source,
)
from rivusio.engine.buffer import BufferStatistics
from rivusio.errors import BufferOverflowError, DeadLetter, PipeError, PipelineError, StreamError
from rivusio.graph.config import (
    BackpressureConfig,
    ExecutionStrategy,
    ParallelConfig,
    PipeConfig,
    StreamConfig,
)
from rivusio.observe.monitoring import MetricsCollector, MetricValue, MetricWindow, PipelineMonitor
from rivusio.pipes.base import AsyncPipeline, BasePipe, SyncPipeline
from rivusio.pipes.elementwise import (
    AsyncBasePipe,
    AsyncFilterPipe,
    AsyncFlatMapPipe,
    FilterPipe,
    FlatMapPipe,
    SyncBasePipe,
    pipe,
)
from rivusio.pipes.legacy_type_vars import BatchT, InputType, OutputType, T
from rivusio.pipes.operators import batch, drop_none, filter, flat_map, map, sliding, take, tumbling
from rivusio.pipes.outputs import PipelineMetricsMixin
from rivusio.pipes.streams import AsyncStream, SyncStream
from rivusio.pipes.windowed import (
    BatchStreamPipe,
    SlidingWindowPipe,
    StreamPipe,
    WindowedStreamPipe,
)
from rivusio.runs.run import Run
from rivusio.time.clock import Clock, SystemClock

__version__ = "0.3.0"

__all__ = [
    "AsyncBasePipe",
    "AsyncFilterPipe",
    "AsyncFlatMapPipe",
    "AsyncPipeline",
    "AsyncStream",
    "BackpressureConfig",
    "BasePipe",
    "BatchStreamPipe",
    "BatchT",
    "BufferOverflowError",
    "BufferStatistics",
    "Clock",
    "DeadLetter",
    "ExecutionStrategy",
    "FilterPipe",
    "FlatMapPipe",
    "InputType",
    "Message",
    "MessageMetadata",
    "MetricValue",
    "MetricWindow",
    "MetricsCollector",
    "NotCompiledError",
    "NotCompiledWarning",
    "OutputType",
    "ParallelConfig",
    "PipeConfig",
    "PipeError",
    "PipelineError",
    "PipelineMetricsMixin",
    "PipelineMonitor",
    "PluginRegistry",
    "Run",
    "SlidingWindowPipe",
    "StreamConfig",
    "StreamError",
    "StreamPipe",
    "SyncBasePipe",
    "SyncPipeline",
    "SyncStream",
    "SystemClock",
    "T",
    "WindowedStreamPipe",
    "batch",
    "drop_none",
    "filter",
    "flat_map",
    "map",
    "mode",
    "pipe",
    "register_async_sink",
    "register_async_source",
    "register_sync_sink",
    "register_sync_source",
    "sliding",
    "take",
    "tumbling",
]
