"""Stages that need no class: `map`, `filter`, `take`, `batch` and their kin.

    parse = map(json.loads) >> filter(lambda flight: flight["delay"] > 15) >> batch(100)

`map`, `filter` and `flat_map` take a function or a coroutine function, and are sync or async as
that is. `batch`, `tumbling` and `sliding` give the list of items itself.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from datetime import timedelta
from typing import Any, TypeVar, overload

from rivusio.graph.callables import is_async_callable
from rivusio.graph.operations import (
    Batch,
    DropNone,
    Filter,
    FlatMap,
    Skip,
    SlidingWindow,
    Take,
    TakeWhile,
    TumblingWindow,
)
from rivusio.graph.validators import at_least, capacity, seconds
from rivusio.pipes.base import (
    AsyncFamily,
    SyncFamily,
    function_pipe,
)
from rivusio.pipes.polymorphic import (
    AsyncOperator,
    LingeringLists,
    Lists,
    SameItems,
    SyncOperator,
    WithoutNone,
)
from rivusio.pipes.type_vars import Given
from rivusio.safe_repr import describe

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")


@overload
def map(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
    function: Callable[[In], Coroutine[Any, Any, Out]], /
) -> AsyncFamily[In, Out]: ...
@overload
def map(function: Callable[[Given], Out], /) -> SyncFamily[Given, Out]: ...
def map(function: Callable[[Any], Any], /) -> Any:
    """Give a 1:1 stage of a function.

    >>> list(map(str).iterate([1, 2]))
    ['1', '2']
    """
    return function_pipe(_callable("map", function))


@overload
def filter(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
    function: Callable[[T], Coroutine[Any, Any, object]], /
) -> AsyncFamily[T, T]: ...
@overload
def filter(function: Callable[[Given], object], /) -> SyncFamily[Given, Given]: ...
def filter(function: Callable[[Any], Any], /) -> Any:
    """Give a stage that lets pass the items for which the function answers something true.

    >>> list(filter(str.isdigit).iterate(["1", "x", "2"]))
    ['1', '2']
    """
    if is_async_callable(_callable("filter", function)):
        return AsyncOperator[Any, Any]("filter", Filter(function, "await"))
    return SyncOperator[Any, Any]("filter", Filter(function, "call"))


@overload
def flat_map(
    function: Callable[[In], Coroutine[Any, Any, Iterable[Out]]], /
) -> AsyncFamily[In, Out]: ...
@overload
def flat_map(function: Callable[[In], AsyncIterable[Out]], /) -> AsyncFamily[In, Out]: ...
@overload
def flat_map(function: Callable[[Given], Iterable[Out]], /) -> SyncFamily[Given, Out]: ...
def flat_map(function: Callable[[Any], Any], /) -> Any:
    """Give a stage that passes on, one by one, what the function gives for an item.

    The function may be a generator, a coroutine function or an async generator, too.

    >>> list(flat_map(str.split).iterate(["a b", "", "c"]))
    ['a', 'b', 'c']
    """
    if is_async_callable(_callable("flat_map", function)) or _is_async_generator(function):
        return AsyncOperator[Any, Any]("flat_map", FlatMap(function, "either"))
    return SyncOperator[Any, Any]("flat_map", FlatMap(function, "call"))


def take(count: int) -> SameItems:
    """Give a stage that passes `count` items on and then ends the run.

    The source is not asked for more than that needs.

    >>> list(take(2).iterate("abc"))
    ['a', 'b']

    Raises:
        ValueError: for a negative count.
    """
    return SameItems("take", Take(at_least(0, "count", count)))


@overload
def take_while(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
    predicate: Callable[[T], Coroutine[Any, Any, object]], /
) -> AsyncFamily[T, T]: ...
@overload
def take_while(predicate: Callable[[Given], object], /) -> SyncFamily[Given, Given]: ...
def take_while(predicate: Callable[[Any], Any], /) -> Any:
    """Give a stage that passes items on until the function answers something false for one.

    That item goes no further, the source is asked for nothing more, and the run ends as it does
    behind `take`. An item at which the function fails is treated as the settings say, and does not
    end the run by itself.

    >>> list(take_while(str.isdigit).iterate(["1", "2", "x", "3"]))
    ['1', '2']
    """
    if is_async_callable(_callable("take_while", predicate)):
        return AsyncOperator[Any, Any]("take_while", TakeWhile(predicate, "await"))
    return SyncOperator[Any, Any]("take_while", TakeWhile(predicate, "call"))


def skip(count: int) -> SameItems:
    """Give a stage that leaves out the first `count` items, and passes the others on.

    >>> list(skip(1).iterate("abc"))
    ['b', 'c']

    Raises:
        ValueError: for a negative count.
    """
    return SameItems("skip", Skip(at_least(0, "count", count)))


def drop_none() -> WithoutNone:
    """Give a stage that drops the items that are `None`, and tells the type checker so.

    >>> list((map({"a": 1}.get) >> drop_none()).iterate("ab"))
    [1]
    """
    return WithoutNone("drop_none", DropNone())


@overload
def batch(n: int, linger: None = None) -> Lists: ...
@overload
def batch(n: int, linger: timedelta) -> LingeringLists: ...
def batch(n: int, linger: timedelta | None = None) -> Lists | LingeringLists:
    """Give a stage that collects lists of `n` items.

    With `linger` a list that is not full goes on so long after its first item, and the stage is
    an async one.

    >>> list(batch(2).iterate("abc"))
    [['a', 'b'], ['c']]

    Raises:
        TypeError, ValueError: naming the field, the value and the rule.
    """
    at_least(1, "n", n)
    if linger is None:
        return Lists("batch", Batch(n, None, None, "call"))
    return LingeringLists("batch", Batch(n, seconds("linger", linger), None, "call"))


def tumbling(duration: timedelta) -> Lists:
    """Give a stage that collects lists of what came in each `duration`.

    In a sync run the next item or the end closes a window; in an event loop a timer does.

    Raises:
        TypeError, ValueError: naming the field, the value and the rule.
    """
    operation = TumblingWindow(seconds("duration", duration), None, "call")
    return Lists("tumbling", operation)


def sliding(size: int, step: int = 1) -> Lists:
    """Give a stage that collects the last `size` items after every `step` items.

    >>> list(sliding(2, 1).iterate("abc"))
    [['a', 'b'], ['b', 'c']]

    Raises:
        TypeError, ValueError: naming the field, the value and the rule.
    """
    capacity("size", size)
    at_least(1, "step", step)
    return Lists("sliding", SlidingWindow(size, step, None, "call"))


def _callable(operator: str, function: object) -> Callable[..., Any]:
    if not callable(function):
        message = f"{operator} takes a function, got {describe(function)}"
        raise TypeError(message)
    return function


def _is_async_generator(function: object) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004  its kind is asked for
    return inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(call)
