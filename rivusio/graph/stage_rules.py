"""What a stage cannot work with: refused when it is made, saying what to do instead."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial

from rivusio.graph.callables import is_async_callable
from rivusio.graph.config import StreamConfig
from rivusio.graph.operations import Filter, Map, Operation, runs_user_code, traits_of
from rivusio.graph.settings import Settings, StageConfig, resolve
from rivusio.items import Item
from rivusio.safe_repr import repr_of


def refuse_what_cannot_work(
    name: str,
    said: StageConfig | None,
    operation: Operation,
    handler: Callable[[Exception, Item], Item] | None,
    *,
    is_async: bool,
) -> None:
    """Refuse settings and functions that such a stage can do nothing with.

    Raises:
        TypeError: naming the stage, what was asked for, and what to do instead.
    """
    if isinstance(said, StreamConfig):
        refuse_sizes(said, f"the config of stage {name!r}")
    if isinstance(operation, Map | Filter):
        _refuse_generator(name, operation.call)
    settings = resolve(said)
    if traits_of(operation).takes_stream:
        _refuse_on_user_stream(name, settings, has_handler=handler is not None)
    elif not is_async and runs_user_code(operation):
        _refuse_what_waits(name, settings, handler)


def _refuse_what_waits(name: str, settings: Settings, handler: object) -> None:
    """Refuse what only an async stage can do."""
    if settings.timeout is not None:
        message = (
            f"timeout on stage {name!r}: a sync stage cannot be interrupted; make it "
            f"async, or give the timeout to the async stages with .with_config(...)"
        )
        raise TypeError(message)
    if handler is not None and is_async_callable(handler):
        message = (
            f"handle_error of {name!r} is async, but the stage is sync; "
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
