"""The pipes over streams, batches and windows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from rivusio.engine.calls import is_awaitable
from rivusio.graph.operations import (
    Batch,
    Map,
    Operation,
    SlidingWindow,
    TumblingWindow,
    UserStream,
)
from rivusio.graph.settings import StageConfig
from rivusio.graph.validators import at_least, capacity, seconds
from rivusio.items import Item
from rivusio.pipes.base import AsyncFamily
from rivusio.pipes.elementwise import entry_of
from rivusio.pipes.type_vars import In, Out


class StreamPipe(AsyncFamily[In, Out]):
    """One item in, one item out with `process_item`; or a stream to a stream.

    Override `process_item` for the first, `process_stream` for the second. `StreamPipe` itself
    gives every item as it came: it is a place for a `config`.

    Args:
        config: settings of this pipe.
        name: the name in errors and metrics; the class's name if it is left out.

    Raises:
        TypeError: when an instance is made of a subclass that overrides neither.
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        """Refuse a subclass that does nothing."""
        if cls is not StreamPipe and not _overrides(cls, "process_item", "process_stream"):
            message = (
                f"{cls.__name__} overrides neither process_item nor process_stream; "
                f"one of them must say what it does"
            )
            raise TypeError(message)
        return super().__new__(cls)

    def __init__(self, config: StageConfig | None = None, *, name: str | None = None) -> None:
        super().__init__(name, config=config)

    def process_item(self, item: In, /) -> Awaitable[Out] | Out:
        """Turn one item into one item; `async def` or plain `def`."""
        came: Out = _as_it_came(item)
        return came

    async def process_stream(self, stream: AsyncIterator[In]) -> AsyncIterator[Out]:
        """Turn a stream into a stream: an async generator over `stream`."""
        async for item in stream:
            yield await _awaited(self.process_item(item))

    if not TYPE_CHECKING:  # a type checker would take `StreamPipe()` for any callable as well

        def __call__(self, data: Item) -> Coroutine[Any, Any, Item]:
            """Do the same as `process`."""
            return self.process(data)

    async def process(self, data: In, /) -> Out:
        """Take one item through `process_item`.

        Raises:
            TypeError: when `process_stream` is overridden, so that there is no single call.
        """
        if _overrides(type(self), "process_stream"):
            message = f"{self.name} overrides process_stream; use .stream(source)"
            raise TypeError(message)
        result: Out = await _awaited(self.process_item(data))
        return result

    def _rivusio_operation(self) -> Operation:
        if _overrides(type(self), "process_stream"):
            return UserStream(self.process_stream)
        if type(self) is StreamPipe:
            return Map(_as_it_came, "pass")
        return Map(self.process_item, entry_of(self.process_item))


def _overrides(cls: type, *names: str) -> bool:
    return any(getattr(cls, name) is not getattr(StreamPipe, name) for name in names)


def _as_it_came(item: Item) -> Item:
    return item


async def _awaited(result: Item) -> Item:
    return await result if is_awaitable(result) else result


class _ListPipe(AsyncFamily[In, Out]):
    """What the pipes over lists of items have in common."""

    def process_item(self, item: Any, /) -> Any:  # of no fixed type, see process_items
        """Turn one item of a list into one item; `async def` or plain `def`."""
        return item

    async def process_items(self, items: list[Any]) -> list[Any]:  # see process_item
        """Map `process_item` over a list, in order."""
        return [await _awaited(self.process_item(item)) for item in items]


class BatchStreamPipe(_ListPipe[In, Out]):
    """Lists of `batch_size` items in, one item for each list out.

    Args:
        batch_size: items in a batch, 1 or more.
        linger: a batch that is not full goes on so long after its first item.
        config: settings of this pipe.
        name: the name in errors and metrics; the class's name if it is left out.

    Raises:
        TypeError, ValueError: naming the field, the value and the rule.
    """

    batch_size: int
    linger: timedelta | None = None

    def __init__(
        self,
        batch_size: int,
        *,
        linger: timedelta | None = None,
        config: StageConfig | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name, config=config)
        self.batch_size = at_least(1, "batch_size", batch_size)
        if linger is not None:
            seconds("linger", linger)
        self.linger = linger

    @abstractmethod
    def process_batch(self, batch: list[In], /) -> Awaitable[Out] | Out:
        """Turn a batch, never empty, into one item; `async def` or plain `def`."""

    def _rivusio_operation(self) -> Operation:
        return Batch(
            at_least(1, "batch_size", _given(self, "batch_size")),
            None if self.linger is None else seconds("linger", self.linger),
            self.process_batch,
            entry_of(self.process_batch),
        )


class WindowedStreamPipe(_ListPipe[In, Out]):
    """Lists of what came in each `window_size` in, one item for each list out.

    Windows stand side by side from the first item on; an empty one gives nothing.

    Args:
        window_size: the length of a window, longer than zero.
        config: settings of this pipe.
        name: the name in errors and metrics; the class's name if it is left out.

    Raises:
        TypeError, ValueError: naming the field, the value and the rule.
    """

    window_size: timedelta

    def __init__(
        self,
        window_size: timedelta,
        *,
        config: StageConfig | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name, config=config)
        seconds("window_size", window_size)
        self.window_size = window_size

    @abstractmethod
    def process_window(self, window: list[In], /) -> Awaitable[Out] | Out:
        """Turn a window, never empty, into one item; `async def` or plain `def`."""

    def _rivusio_operation(self) -> Operation:
        return TumblingWindow(
            seconds("window_size", _given(self, "window_size")),
            self.process_window,
            entry_of(self.process_window),
        )


class SlidingWindowPipe(_ListPipe[In, Out]):
    """Lists of the last `size` items after every `step` items in, one item for each list out.

    Args:
        size: items in a window, 1 or more.
        step: items from one window to the next, 1 or more; beyond `size` it skips items.
        config: settings of this pipe.
        name: the name in errors and metrics; the class's name if it is left out.

    Raises:
        TypeError, ValueError: naming the field, the value and the rule.
    """

    size: int
    step: int = 1

    def __init__(
        self,
        size: int,
        step: int = 1,
        *,
        config: StageConfig | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name, config=config)
        self.size = capacity("size", size)
        self.step = at_least(1, "step", step)

    @abstractmethod
    def process_window(self, window: list[In], /) -> Awaitable[Out] | Out:
        """Turn a window, always full, into one item; `async def` or plain `def`."""

    def _rivusio_operation(self) -> Operation:
        return SlidingWindow(
            capacity("size", _given(self, "size")),
            at_least(1, "step", self.step),
            self.process_window,
            entry_of(self.process_window),
        )


def _given(pipe: _ListPipe[Any, Any], field: str) -> object:
    """Give an attribute that only the constructor sets, or say who has forgotten to call it."""
    value: object = getattr(pipe, field, None)
    if value is None:
        kind = type(pipe).__name__
        message = f"{kind} has no {field}: its __init__ must call super().__init__({field})"
        raise TypeError(message)
    return value
