"""The pipes that people write by hand: 1:1, filters and flat-maps, sync and async; and `@pipe`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar, overload

from rivusio.graph.callables import is_async_callable
from rivusio.graph.operations import Entry, Filter, FlatMap, Map, Operation
from rivusio.items import Item
from rivusio.pipes.base import (
    AsyncFamily,
    AsyncFunction,
    SyncFamily,
    SyncFunction,
    function_pipe,
)
from rivusio.pipes.type_vars import Given
from rivusio.safe_repr import describe

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
T = TypeVar("T")


def entry_of(function: Callable[..., Any]) -> Entry:
    """Say how a method of an async family is entered: awaited, or awaited if need be."""
    return "await" if is_async_callable(function) else "either"


class SyncBasePipe(SyncFamily[In, Out]):
    """One item in, one item out, without waiting.

    >>> class Double(SyncBasePipe[int, int]):
    ...     def process(self, data: int, /) -> int:
    ...         return 2 * data
    >>> list(Double().iterate([1, 2]))
    [2, 4]
    """

    @abstractmethod
    def process(self, data: In, /) -> Out:
        """Turn one item into one item."""

    def __call__(self, data: In) -> Out:
        """Do the same as `process`."""
        return self.process(data)

    def _rivusio_operation(self) -> Operation:
        return Map(self.process, "call")


class AsyncBasePipe(AsyncFamily[In, Out]):
    """One item in, one item out; it may wait."""

    @abstractmethod
    async def process(self, data: In, /) -> Out:
        """Turn one item into one item."""

    def __call__(self, data: In) -> Coroutine[Any, Any, Out]:
        """Do the same as `process`."""
        return self.process(data)

    def _rivusio_operation(self) -> Operation:
        return Map(self.process, entry_of(self.process))


class FilterPipe(SyncFamily[T, T]):
    """Lets an item pass, or not."""

    @abstractmethod
    def keep(self, item: T, /) -> bool:
        """Tell whether the item passes."""

    def _rivusio_operation(self) -> Operation:
        return Filter(self.keep, "call")


class AsyncFilterPipe(AsyncFamily[T, T]):
    """Lets an item pass, or not; it may wait to know."""

    @abstractmethod
    async def keep(self, item: T, /) -> bool:
        """Tell whether the item passes."""

    def _rivusio_operation(self) -> Operation:
        return Filter(self.keep, entry_of(self.keep))


class FlatMapPipe(SyncFamily[In, Out]):
    """One item in, any number of items out, each made when it is asked for."""

    @abstractmethod
    def expand(self, item: In, /) -> Iterable[Out]:
        """Give the items that come of one item; a generator gives them lazily."""

    def _rivusio_operation(self) -> Operation:
        return FlatMap(self.expand, "call")


class AsyncFlatMapPipe(AsyncFamily[In, Out]):
    """One item in, any number of items out; it may wait for them."""

    @abstractmethod
    def expand(self, item: In, /) -> Awaitable[Iterable[Out]] | AsyncIterable[Out]:
        """Give the items that come of one item: `async def`, or an async generator."""

    def _rivusio_operation(self) -> Operation:
        return FlatMap(self.expand, "either")


@overload
def pipe(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
    function: Callable[[In], Coroutine[Any, Any, Out]], *, name: str | None = None
) -> AsyncFunction[In, Out]: ...
@overload
def pipe(
    function: Callable[[Given], Out], *, name: str | None = None
) -> SyncFunction[Given, Out]: ...
def pipe(
    function: Callable[[Item], Item], *, name: str | None = None
) -> SyncFunction[Any, Any] | AsyncFunction[Any, Any]:
    """Make a 1:1 pipe of a function or coroutine function; also as the decorator `@pipe`.

    >>> @pipe
    ... def double(data: int) -> int:
    ...     return 2 * data
    >>> list((double >> str).iterate([1, 2]))
    ['2', '4']

    Raises:
        TypeError: for what cannot be called.
    """
    given: object = function
    if not callable(given):
        message = f"{describe(given)} cannot be called: no pipe"
        raise TypeError(message)
    return function_pipe(function, name)
