"""The full names by which the compiler knows rivusio's own classes, functions and modules.

mypy knows a class by the module that defines it: these names are what moving a module changes, so
they stand here and nowhere else, and tests/project/test_architecture.py imports each. It needs
nothing: the mypy plugin reads it, and so does every other room.
"""

from __future__ import annotations

from typing import Final

# Modules, each with the dot behind it: what is in one begins so.
IN_PIPELINE: Final = "rivusio.pipes.base."
IN_OPERATORS: Final = "rivusio.pipes.operators."
IN_POLYMORPHIC: Final = "rivusio.pipes.polymorphic."
IN_PIPES: Final = "rivusio.pipes.elementwise."
IN_STREAM_PIPES: Final = "rivusio.pipes.windowed."
IN_CONFIG: Final = "rivusio.graph.config."

# Pipelines, and what every pipe inherits from.
BASE_PIPE: Final = f"{IN_PIPELINE}BasePipe"
SYNC_FAMILY: Final = f"{IN_PIPELINE}SyncFamily"
ASYNC_FAMILY: Final = f"{IN_PIPELINE}AsyncFamily"
SYNC_PIPELINE: Final = f"{IN_PIPELINE}SyncPipeline"
ASYNC_PIPELINE: Final = f"{IN_PIPELINE}AsyncPipeline"

# Classes that a user's pipe inherits from.
SYNC_BASE_PIPE: Final = f"{IN_PIPES}SyncBasePipe"
ASYNC_BASE_PIPE: Final = f"{IN_PIPES}AsyncBasePipe"
FILTER_PIPE: Final = f"{IN_PIPES}FilterPipe"
ASYNC_FILTER_PIPE: Final = f"{IN_PIPES}AsyncFilterPipe"
FLAT_MAP_PIPE: Final = f"{IN_PIPES}FlatMapPipe"
ASYNC_FLAT_MAP_PIPE: Final = f"{IN_PIPES}AsyncFlatMapPipe"
STREAM_PIPE: Final = f"{IN_STREAM_PIPES}StreamPipe"
BATCH_STREAM_PIPE: Final = f"{IN_STREAM_PIPES}BatchStreamPipe"
WINDOWED_STREAM_PIPE: Final = f"{IN_STREAM_PIPES}WindowedStreamPipe"
SLIDING_WINDOW_PIPE: Final = f"{IN_STREAM_PIPES}SlidingWindowPipe"

# Functions that make a stage, and the classes of what some of them give.
PIPE: Final = f"{IN_PIPES}pipe"
MAP: Final = f"{IN_OPERATORS}map"
TAKE_WHILE: Final = f"{IN_OPERATORS}take_while"
FILTER: Final = f"{IN_OPERATORS}filter"
TAKING_FUNCTIONS: Final = frozenset({MAP, FILTER, TAKE_WHILE, PIPE})  # what they give a stage of
KEEPING: Final = frozenset({FILTER, TAKE_WHILE})  # of those: the items themselves go on
SAME_ITEMS: Final = f"{IN_POLYMORPHIC}SameItems"
WITHOUT_NONE: Final = f"{IN_POLYMORPHIC}WithoutNone"
LISTS: Final = f"{IN_POLYMORPHIC}Lists"
LINGERING_LISTS: Final = f"{IN_POLYMORPHIC}LingeringLists"

# Settings.
BACKPRESSURE_CONFIG: Final = f"{IN_CONFIG}BackpressureConfig"
PARALLEL_CONFIG: Final = f"{IN_CONFIG}ParallelConfig"
STREAM_CONFIG: Final = f"{IN_CONFIG}StreamConfig"
EXECUTION_STRATEGY: Final = f"{IN_CONFIG}ExecutionStrategy"

# A method whose call the plugin looks at.
THROUGH: Final = "rivusio.pipes.streams.SyncStream.through"

# Modules: what generated code imports, the plugin's own entry, and those that run in a child.
RUNTIME: Final = "rivusio.compiled"
PLUGIN: Final = "rivusio.mypy_plugin"
PIPELINE_MODULE: Final = IN_PIPELINE.removesuffix(".")
MYPY_WORKER: Final = "rivusio.compiler.mypy_worker"
LIVE_WORKER: Final = "rivusio.compiler.resolve.probe_worker"
# Parts of rivusio that use more of pydantic than the stub of it has.
USERS_OF_PYDANTIC: Final = (
    *("rivusio.compiler", "rivusio.cli", "rivusio.mypy_plugin"),
    *("rivusio.io.line_items", "rivusio.io.results"),  # what the command reads and writes
)
