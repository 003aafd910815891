"""The stages of operators, and those that take their types from the pipe on their left."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Literal, TypeVar, overload

from rivusio.graph.operations import (
    Operation,
)
from rivusio.graph.settings import StageConfig
from rivusio.pipes.base import (
    AsyncFamily,
    AsyncPipeline,
    Joinable,
    SyncFamily,
    SyncPipeline,
    join,
)

In = TypeVar("In")
Out = TypeVar("Out")


class SyncOperator(SyncFamily[In, Out]):
    """A sync stage of a given operation."""

    def __init__(self, name: str, operation: Operation) -> None:
        super().__init__(name)
        self._operation = operation

    def _rivusio_operation(self) -> Operation:
        return self._operation


class AsyncOperator(AsyncFamily[In, Out]):
    """An async stage of a given operation."""

    def __init__(
        self, name: str, operation: Operation, *, config: StageConfig | None = None
    ) -> None:
        super().__init__(name, config=config)
        self._operation = operation

    def _rivusio_operation(self) -> Operation:
        return self._operation


# The four kinds below take their types from the pipe on their left, so that of themselves they
# have `Any`; the overloads of `>>` that name them say what comes out.


class SameItems(SyncOperator[Any, Any]):
    """A sync stage that gives some of its items, as they came: `take`."""

    _rivusio_gives_same_items: ClassVar[Literal[True]] = True

    @overload
    def __rrshift__(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
        self, other: Callable[[In], Coroutine[Any, Any, Out]]
    ) -> AsyncPipeline[In, Out]: ...
    @overload
    def __rrshift__(self, other: Callable[[In], Out]) -> SyncPipeline[In, Out]: ...
    def __rrshift__(self, other: Joinable) -> Any:
        """Join: what the function `other` gives goes into this stage."""
        return join(other, self)


class Lists(SyncOperator[Any, list[Any]]):
    """A sync stage that gives lists of its items: `batch`, `tumbling`, `sliding`."""

    _rivusio_gives_lists: ClassVar[Literal[True]] = True

    @overload
    def __rrshift__(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
        self, other: Callable[[In], Coroutine[Any, Any, Out]]
    ) -> AsyncPipeline[In, list[Out]]: ...
    @overload
    def __rrshift__(self, other: Callable[[In], Out]) -> SyncPipeline[In, list[Out]]: ...
    def __rrshift__(self, other: Joinable) -> Any:
        """Join: what the function `other` gives goes into this stage."""
        return join(other, self)


class LingeringLists(AsyncOperator[Any, list[Any]]):
    """An async stage that gives lists of its items: `batch` with `linger`."""

    _rivusio_gives_lingering_lists: ClassVar[Literal[True]] = True

    @overload
    def __rrshift__(
        self, other: Callable[[In], Coroutine[Any, Any, Out]]
    ) -> AsyncPipeline[In, list[Out]]: ...
    @overload
    def __rrshift__(self, other: Callable[[In], Out]) -> AsyncPipeline[In, list[Out]]: ...
    def __rrshift__(self, other: Joinable) -> Any:
        """Join: what the function `other` gives goes into this stage."""
        return join(other, self)


class WithoutNone(SyncOperator[Any, Any]):
    """A sync stage that gives its items but for `None`: `drop_none`."""

    _rivusio_gives_without_none: ClassVar[Literal[True]] = True

    @overload
    def __rrshift__(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
        self, other: Callable[[In], Coroutine[Any, Any, Out | None]]
    ) -> AsyncPipeline[In, Out]: ...
    @overload
    def __rrshift__(self, other: Callable[[In], Out | None]) -> SyncPipeline[In, Out]: ...
    def __rrshift__(self, other: Joinable) -> Any:
        """Join: what the function `other` gives goes into this stage."""
        return join(other, self)
