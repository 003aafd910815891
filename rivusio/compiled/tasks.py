"""Which task waits in a generator: looked up when a run is stopped, so that no item pays for it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

Suspended = Any  # a coroutine, a generator, a future, or what some library awaits

_LINKS = {CoroutineType: "cr_await", GeneratorType: "gi_yieldfrom", AsyncGeneratorType: "ag_await"}


def task_that_awaits(waiting: Suspended) -> asyncio.Task[Any] | None:
    """Give the task of the running loop that waits inside `waiting`, if there is one."""
    return next((task for task in asyncio.all_tasks() if awaits(task, waiting)), None)


def awaits(task: asyncio.Task[Any], waiting: Suspended) -> bool:
    """Tell whether a task waits inside `waiting`, a coroutine or an async generator."""
    return any(each is waiting for each in _line_of(task.get_coro()))


def _line_of(suspended: Suspended) -> Iterator[Suspended]:
    """Give what a task awaits, what that awaits in turn, and so on."""
    seen: set[int] = set()
    while suspended is not None and id(suspended) not in seen:
        seen.add(id(suspended))
        yield suspended
        link = _LINKS.get(type(suspended))
        suspended = _inside(suspended) if link is None else getattr(suspended, link)


def _inside(awaitable: Suspended) -> Suspended:
    """Give what an awaitable of the interpreter's own stands for, such as `agen.__anext__()`.

    It has no attribute that would tell; the garbage collector knows.
    """
    if isinstance(awaitable, asyncio.Future):
        return None
    held = gc.get_referents(awaitable)
    return next(
        (each for each in held if hasattr(type(each), "__await__") or _is_linked(each)), None
    )


def _is_linked(suspended: Suspended) -> bool:
    return type(suspended) in _LINKS


def is_being_cancelled(task: asyncio.Task[Any]) -> bool:
    """Tell whether somebody has cancelled a task that has not woken up to it yet."""
    waiter = getattr(task, "_fut_waiter", None)
    return bool(getattr(task, "_must_cancel", False)) or (
        waiter is not None and bool(waiter.cancelled())
    )
