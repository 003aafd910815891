"""A stage: one pipe at one place of a flat chain, with its settings, and what it does to items.

The operations below are a closed set. The interpreter runs them; nothing else about a pipe's
class matters to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NoReturn, Protocol, TypeGuard

from rivusio.graph.config import StreamConfig
from rivusio.graph.settings import Settings, StageConfig, resolve
from rivusio.graph.validators import at_least
from rivusio.safe_repr import repr_of, str_of, type_name

Item = Any  # an operation's callable takes and gives the items of the user's own types

# How a callable is entered: called; called and awaited; called and awaited if need be; or not at
# all, where the item passes as it is.
Entry = Literal["call", "await", "either", "pass"]


@dataclass(frozen=True, slots=True)
class Map:
    """One item in, one item out."""

    call: Callable[[Item], Item]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Filter:
    """One item in, the same item out or none."""

    call: Callable[[Item], Item]
    entry: Entry


@dataclass(frozen=True, slots=True)
class FlatMap:
    """One item in, any number out, lazily."""

    call: Callable[[Item], Item]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Take:
    """The first `count` items, and then the end."""

    count: int


@dataclass(frozen=True, slots=True)
class DropNone:
    """Every item but those that are `None`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lists of `size` items, or of what came within `linger` seconds of the first."""

    size: int
    linger: float | None
    call: Callable[[list[Item]], Item] | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class TumblingWindow:
    """Lists of what came in each `size` seconds."""

    size: float
    call: Callable[[list[Item]], Item] | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """Lists of the last `size` items after every `step` items."""

    size: int
    step: int
    call: Callable[[list[Item]], Item] | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class UserStream:
    """A stream to a stream: an overridden `process_stream`."""

    call: Callable[[Item], Item]


Operation = (
    Map | Filter | FlatMap | Take | DropNone | Batch | TumblingWindow | SlidingWindow | UserStream
)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many items of a 1:1 stage may be started and undelivered at once."""

    limit: int
    ordered: bool
    threads: bool

    def __post_init__(self) -> None:
        at_least(1, "limit", self.limit)


class Pipe(Protocol):
    """What a stage needs of its pipe."""

    @property
    def is_async(self) -> bool:
        """Whether it needs an event loop."""

    @property
    def name(self) -> str:
        """The name in errors and metrics."""

    def _rivusio_config(self) -> StageConfig | None:
        """The settings that were given to the pipe itself."""

    def _rivusio_operation(self) -> Operation:
        """What the pipe does, with the methods that it has now."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One pipe at one place of a flat chain.

    Attributes:
        pipe: the pipe.
        config: settings instead of the pipe's own; `None` leaves those.
        concurrency: how many items at once, if more than one.

    Raises:
        TypeError: when the settings ask for what such a stage cannot do.
    """

    pipe: Pipe
    config: StageConfig | None = None
    concurrency: Concurrency | None = None

    def __post_init__(self) -> None:
        _refuse_what_cannot_work(self)

    @property
    def name(self) -> str:
        """The pipe's name, as text: a class of the user's may say anything."""
        try:
            name: object = self.pipe.name
        except Exception:  # noqa: BLE001  a user's property may do anything
            return type_name(self.pipe)
        return name if type(name) is str else str_of(name)

    @property
    def said(self) -> StageConfig | None:
        """The configuration that applies: the stage's, or else the pipe's own."""
        return self.pipe._rivusio_config() if self.config is None else self.config

    @property
    def operation(self) -> Operation:
        """What the pipe does, with the methods that it has now."""
        return self.pipe._rivusio_operation()

    @property
    def settings(self) -> Settings:
        """What the configuration comes down to."""
        return resolve(self.said)

    @property
    def is_async(self) -> bool:
        """Whether the stage needs an event loop."""
        return self.pipe.is_async or self.concurrency is not None

    @property
    def handler(self) -> Callable[[Exception, Item], Item] | None:
        """The pipe's `handle_error`, if it has one."""
        return getattr(self.pipe, "handle_error", None)

    @property
    def is_one_to_one(self) -> bool:
        """Whether every item gives exactly one result."""
        return isinstance(self.operation, Map)

    @property
    def has_single_call(self) -> bool:
        """Whether there is a call of user code whose failure the settings can treat."""
        operation = self.operation
        return _runs_user_code(operation) and not isinstance(operation, UserStream)

    def with_default(self, config: StageConfig | None) -> Stage:
        """Give the same stage with these settings, unless it has some."""
        if config is None or self.said is not None:
            return self
        return replace(self, config=config)

    def with_concurrency(self, concurrency: Concurrency) -> Stage:
        """Give the same stage, handling several items at once.

        Raises:
            TypeError: when the stage is not 1:1, or threads are asked for where they mean nothing.
        """
        if not self.is_one_to_one:
            message = f"{self.name} is not a single 1:1 stage; only such a stage can be concurrent"
            raise TypeError(message)
        if concurrency.threads and self.pipe.is_async:
            message = f"{self.name!r} is async: it needs no threads; leave threads=True out"
            raise TypeError(message)
        if not concurrency.threads and not self.pipe.is_async:
            message = (
                f"{self.name!r} is sync: only threads let it do several items at once; "
                f"say threads=True"
            )
            raise TypeError(message)
        return replace(self, concurrency=concurrency)


def time_matters(operation: Operation) -> TypeGuard[Batch | TumblingWindow]:
    """Tell whether time alone can close what the operation holds."""
    return isinstance(operation, TumblingWindow) or (
        isinstance(operation, Batch) and operation.linger is not None
    )


def is_async_callable(function: object) -> bool:
    """Tell whether calling `function` gives a coroutine: by its own word, or its `__call__`'s."""
    if hasattr(type(function), "_rivusio_operation"):  # a pipe or a chain says so by its family
        return bool(getattr(function, "is_async", False))
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  its own kind is asked for, not whether it can be called
    )


def name_of(function: object) -> str:
    """Give the name of a stage that calls `function`."""
    name = None
    with suppress(Exception):  # what stands for another object may fail for want of that
        name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type_name(function)


def refuse_async(stages: Sequence[Stage]) -> NoReturn:
    """Refuse to run async stages without an event loop.

    Raises:
        TypeError: naming the first.
    """
    index = next(index for index, stage in enumerate(stages) if stage.is_async)
    what = "is async" if stages[index].pipe.is_async else "is concurrent, which takes tasks"
    message = (
        f"stage {index + 1} {stages[index].name!r} {what}: it cannot run without an "
        f"event loop; use `async for result in pipe.stream(source)`"
    )
    raise TypeError(message)


def configured(stages: Sequence[Stage], config: StageConfig) -> list[Stage]:
    """Give one stage with `config` instead of its settings; of several, those that have none."""
    if len(stages) == 1:
        return [replace(stages[0], config=config)]
    return [stage.with_default(config) for stage in stages]


def concurrent(stages: Sequence[Stage], how: Concurrency) -> list[Stage]:
    """Give the one stage that there is, handling several items at once.

    Raises:
        TypeError: when there are more, or it cannot do so.
    """
    if len(stages) != 1:
        told = " >> ".join(stage.name for stage in stages)
        message = f"{told} is not a single 1:1 stage; only such a stage can be concurrent"
        raise TypeError(message)
    return [stages[0].with_concurrency(how)]


# Functions of rivusio.pipes.operators that give a pipe, and are none themselves.
_FACTORIES = {"map", "filter", "flat_map", "take", "drop_none", "batch", "tumbling", "sliding"}


def refuse_uncalled(function: object) -> None:
    """Refuse `batch` and its kin where `batch(n)` was meant.

    Raises:
        TypeError: saying so.
    """
    name = getattr(function, "__name__", "")
    if getattr(function, "__module__", None) == "rivusio.pipes.operators" and name in _FACTORIES:
        message = f"{name} is the function itself, and no pipe; did you mean {name}(...)?"
        raise TypeError(message)


def call_of(operation: Operation) -> Callable[..., Item] | None:
    """Give what an operation calls; None where it runs no code of the user's."""
    return None if isinstance(operation, Take | DropNone) else operation.call


def _runs_user_code(operation: Operation) -> bool:
    passes = isinstance(operation, Map) and operation.entry == "pass"
    return call_of(operation) is not None and not passes


def _refuse_what_cannot_work(stage: Stage) -> None:
    said = stage.said
    if isinstance(said, StreamConfig):
        refuse_sizes(said, f"the config of stage {stage.name!r}")
    operation = stage.operation
    if isinstance(operation, Map | Filter):
        _refuse_generator(stage.name, operation.call)
    settings = stage.settings
    handler = stage.handler
    if isinstance(operation, UserStream):
        _refuse_on_user_stream(stage.name, settings, has_handler=handler is not None)
    elif not stage.pipe.is_async and _runs_user_code(operation):
        if settings.timeout is not None:
            message = (
                f"timeout on stage {stage.name!r}: a sync stage cannot be interrupted; make it "
                f"async, or give the timeout to the async stages with .with_config(...)"
            )
            raise TypeError(message)
        if handler is not None and is_async_callable(handler):
            message = (
                f"handle_error of {stage.name!r} is async, but the stage is sync; "
                f"make handle_error a plain def"
            )
            raise TypeError(message)


def _refuse_generator(name: str, function: object) -> None:
    """Refuse a generator function where one result is wanted: it would pass itself on."""
    while isinstance(function, partial):
        function = function.func
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        message = (
            f"{name} is a generator function, but such a stage gives one result for an item; "
            f"did you mean flat_map, or a FlatMapPipe?"
        )
        raise TypeError(message)


def _refuse_on_user_stream(name: str, settings: Settings, *, has_handler: bool) -> None:
    asked = {
        "handle_error": has_handler,
        "retry_attempts": settings.retry is not None,
        "timeout": settings.timeout is not None,
        f"on_error={repr_of(settings.on_error)}": settings.on_error != "raise",
    }
    for what, wanted in asked.items():
        if wanted:
            message = (
                f"{what} on stage {name!r}: its process_stream is overridden, so rivusio sees no "
                f"single call to treat; handle errors inside process_stream, or override "
                f"process_item instead"
            )
            raise TypeError(message)


def refuse_sizes(config: StreamConfig, where: str) -> None:
    """Refuse settings that say what a stage of the chain should say.

    Raises:
        TypeError: naming the field and what to put into the chain instead.
    """
    for field, instead in (("batch_size", "batch(n)"), ("window_size", "tumbling(duration)")):
        default = StreamConfig.model_fields[field].default
        if field in config.model_fields_set and getattr(config, field) != default:
            message = (
                f"{field} in {where} has no meaning there: only AsyncStream.process and "
                f"SyncStream.process read it; put {instead} into the chain"
            )
            raise TypeError(message)
