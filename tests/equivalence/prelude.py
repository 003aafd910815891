"""What every file of random chains begins with: the helpers that its bodies call."""

from __future__ import annotations

PRELUDE = '''\
"""Random chains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, wraps
from typing import Any, Generic, TypeVar

from rivusio import (
    AsyncBasePipe,
    AsyncFilterPipe,
    AsyncFlatMapPipe,
    AsyncPipeline,
    BackpressureConfig,
    BatchStreamPipe,
    DeadLetter,
    FilterPipe,
    FlatMapPipe,
    PipeError,
    SlidingWindowPipe,
    StreamConfig,
    StreamPipe,
    SyncBasePipe,
    SyncPipeline,
    WindowedStreamPipe,
    batch,
    drop_none,
    filter,
    flat_map,
    map,
    pipe,
    sliding,
    skip,
    take,
    take_while,
    tumbling,
)
from rivusio.testing import note, pause, wait

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

FACTOR = 3
LAST = 0
COUNT = 0
STATE: dict[str, int] = {}


class OwnError(Exception):
    def __init__(self, at: int, note: str = "") -> None:
        super().__init__(at, note)
        self.at = at


class Abort(BaseException):
    pass


@dataclass(frozen=True)
class Record:
    at: int
    tags: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.tags) + 1


def traced(function: Callable[[A], B]) -> Callable[[A], B]:
    @wraps(function)
    def inner(data: A) -> B:
        note("traced", data)
        return function(data)

    return inner


def traced_later(
    function: Callable[[A], Coroutine[Any, Any, B]]
) -> Callable[[A], Coroutine[Any, Any, B]]:
    @wraps(function)
    async def inner(data: A) -> B:
        note("traced", data)
        return await function(data)

    return inner


def helper(x: int, k: int) -> int:
    note("helper", x)
    return x + k


def counted(k: int) -> int:
    global COUNT
    COUNT += k
    return COUNT % 4


def fragile(x: int, k: int) -> int:
    if x % 5 == k % 5:
        raise OwnError(x)
    return x + 1


def down(x: int) -> int:
    return 0 if x <= 0 else down(x - 1) + 1


@contextmanager
def marked(label: str) -> Iterator[None]:
    note("enters", label)
    try:
        yield
    finally:
        note("leaves", label)


@asynccontextmanager
async def held(label: str) -> AsyncIterator[None]:
    note("takes", label)
    await pause()
    try:
        yield
    finally:
        note("gives back", label)


async def slowly(count: int) -> AsyncIterator[int]:
    for each in range(count):
        await pause()
        yield each


async def later(x: int) -> int:
    await pause()
    return x + 1


def told(letter: DeadLetter) -> None:
    about = (letter.item, letter.pipe, letter.stage, letter.error, letter.item_index)
    note("dead letter", about)


async def told_later(letter: DeadLetter) -> None:
    await pause()
    told(letter)


async def told_as_well(letter: DeadLetter) -> int:
    await told_later(letter)
    return 0


LETTERS = pipe(told)
LATER_LETTERS = pipe(told_as_well)


def refuses(letter: DeadLetter) -> None:
    told(letter)
    raise OwnError(letter.stage, "of the dead letter")


def told_or_refused(letter: DeadLetter) -> None:
    told(letter)
    if letter.item_index is None or letter.item_index % 3 == 2:
        raise OwnError(letter.stage, "of the dead letter")
'''
