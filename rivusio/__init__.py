"""Stream pipelines of small typed pipes, joined with `>>`.

A map of the house. Each folder's `__init__` says more; docs/architecture.md shows the ways through:

    items, safe_repr, errors    what flows, how it is shown, what leaves when something fails
    time                        clocks, and when batches and windows open and close
    graph                       what a pipeline is before it runs: operations, stages, settings
    observe                     counters, metrics, monitors
    artifacts                   compiled modules: found, checked, loaded
    engine                      the machinery of a run that both modes share
    interpreter, compiled       the two modes: a chain as it stands, and what modules import
    runs                        one consumption of a source, from start to end
    pipes                       what people write and join
    io, connectors              lines and files; sources and sinks by name
    user_code                   a user's file, imported and described
    testing                     virtual time, scripted sources, recordings
    cli                         the command, a file for each

Everything public is here, in `streams`, `monitoring` and `testing`; for tools, in `mypy_plugin` and
`compiler`; other paths may change.
"""

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
from rivusio.pipes.operators import (
    batch,
    drop_none,
    filter,
    flat_map,
    map,
    skip,
    sliding,
    take,
    take_while,
    tumbling,
)
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
    "skip",
    "sliding",
    "take",
    "take_while",
    "tumbling",
]
