"""Streams by their public path: a source with its settings, and the pipes over streams."""

from rivusio.errors import BufferOverflowError, DeadLetter, StreamError
from rivusio.graph.config import BackpressureConfig, StreamConfig
from rivusio.pipes.streams import AsyncStream, SyncStream
from rivusio.pipes.windowed import (
    BatchStreamPipe,
    SlidingWindowPipe,
    StreamPipe,
    WindowedStreamPipe,
)
from rivusio.runs.run import Run

__all__ = [
    "AsyncStream",
    "BackpressureConfig",
    "BatchStreamPipe",
    "BufferOverflowError",
    "DeadLetter",
    "Run",
    "SlidingWindowPipe",
    "StreamConfig",
    "StreamError",
    "StreamPipe",
    "SyncStream",
    "WindowedStreamPipe",
]
