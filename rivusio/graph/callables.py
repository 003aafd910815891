"""What can be told of a callable: whether it is async, its name, and that it is no pipe yet."""

from __future__ import annotations

import inspect
from contextlib import suppress
from types import FunctionType

from rivusio.safe_repr import type_name


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


# The functions there give a pipe, and are none themselves.
FACTORIES = "rivusio.pipes.operators"


def refuse_uncalled(function: object) -> None:
    """Refuse `batch` and its kin where `batch(n)` was meant.

    Raises:
        TypeError: saying so.
    """
    if isinstance(function, FunctionType) and function.__module__ == FACTORIES:
        name = function.__name__
        message = f"{name} is the function itself, and no pipe; did you mean {name}(...)?"
        raise TypeError(message)
