"""How user code is called from a coroutine, and what it may not give."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NoReturn

from rivusio.items import Item
from rivusio.safe_repr import type_name


def enter_plain(function: Callable[..., Item], *arguments: Item) -> Item:
    """Call user code from a coroutine: a `StopIteration` that escapes it becomes an error."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise as_escaped(error) from error


def as_escaped(
    error: Exception, out_of: Literal["generator", "coroutine"] = "generator"
) -> Exception:
    """Give what a generator or coroutine makes of a `StopIteration` that its code lets escape."""
    if not isinstance(error, StopIteration):
        return error
    escaped = RuntimeError(f"{out_of} raised StopIteration")
    escaped.__cause__ = escaped.__context__ = error
    return escaped


# Types of which nothing can be awaited: a quick answer for most values.
PLAIN = frozenset({bool, bytes, dict, float, int, list, set, str, tuple, type(None)})


def is_awaitable(value: object) -> bool:
    """Tell whether `await value` would work."""
    return hasattr(type(value), "__await__")


def iterable(result: Item, name: str) -> Iterator[Item]:
    """Open what a flat-map gave.

    Raises:
        TypeError: when it is nothing to iterate.
    """
    if isinstance(result, Iterable):
        return iter(result)
    message = f"{name} must give an iterable, got {type_name(result)}"
    raise TypeError(message)


def refuse_awaitable(result: object, name: str) -> None:
    """Refuse what a plain function gave if it is an awaitable.

    Raises:
        TypeError: saying how to make the stage async.
    """
    if is_awaitable(result):
        refuse(result, name)


def refuse(result: object, name: str) -> NoReturn:
    """Refuse the coroutine that a plain function gave where nothing will await it.

    Raises:
        TypeError: saying how to make the stage async.
    """
    if inspect.iscoroutine(result):
        result.close()  # it will never be awaited, and need not complain
    message = (
        f"{name} is sync, but gave an awaitable ({type_name(result)}); "
        f"make it an async def, so that the stage is async"
    )
    raise TypeError(message)
