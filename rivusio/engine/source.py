"""The far end of a run: it asks the user's iterable for items, and closes it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

from rivusio.engine.cleanup import CleanupReport, close_generator
from rivusio.engine.node import Node
from rivusio.engine.run_state import RunState
from rivusio.errors import StreamError
from rivusio.items import END, Item
from rivusio.safe_repr import repr_of, type_name


class Source(Node):
    """Items of an iterable or async iterable, counted from 0."""

    def __init__(self, run: RunState, items: Iterable[Item] | AsyncIterable[Item]) -> None:
        self._run = run
        self._items = items
        self._is_async = run.in_loop and isinstance(items, AsyncIterable)
        self._plain: Iterator[Item] = iter(())
        self._async: AsyncIterator[Item] | None = None
        self._turn_every = run.yield_every
        self._count = 0
        self.is_over = False  # no more items are to be asked for
        self._waiting: asyncio.Task[Any] | None = None  # the task that waits for the source now
        self._cancelling = 0
        self._cancelled_by_us = False

    async def pull(self) -> Item:
        """Ask the source for its next item."""
        if self.is_over:
            return END
        try:
            if self._is_async:
                item = await self._next_async()
            else:
                if self._count % self._turn_every == 0 and await self._ended_in_a_turn():
                    return END
                item = next(self._plain, END)
        except Exception as error:
            self.is_over = True
            raise self._failure(error) from error
        if item is END:
            self.is_over = True
            return END
        self.item_index = self._count
        self._count += 1
        if self._run.counters is not None:
            self._run.counters.item_arrived()
        return item

    def _failure(self, error: BaseException) -> StreamError:
        return self._run.failure("source", None, None, error, self._count)

    async def _ended_in_a_turn(self) -> bool:
        """Open the iterable, or give the event loop a turn; tell whether that has ended it."""
        if self._count == 0:
            self._plain = iter(self._items)  # type: ignore[arg-type]  # not async: see __init__
        elif self._run.in_loop:
            await asyncio.sleep(0)
        return self.is_over

    async def _next_async(self) -> Item:
        self._waiting = asyncio.current_task()
        self._cancelling = self._waiting.cancelling() if self._waiting is not None else 0
        try:
            if self._async is None:
                self._async = aiter(self._items)  # type: ignore[arg-type]  # async: see __init__
            return await anext(self._async)
        except StopAsyncIteration:
            return END
        except asyncio.CancelledError:
            if self._took_our_cancel_back():
                return END
            raise
        finally:
            self._took_our_cancel_back()  # where the source has swallowed it
            self._waiting = None

    def _took_our_cancel_back(self) -> bool:
        """Undo the cancel that `interrupt` asked for; tell whether it was the only one."""
        if not self._cancelled_by_us or self._waiting is None:
            return False
        self._cancelled_by_us = False
        return self._waiting.uncancel() <= self._cancelling

    def stop(self) -> None:
        """Make the source end before the next item is asked for."""
        self.is_over = True

    def interrupt(self) -> None:
        """End the source now, also where it is being waited for."""
        self.stop()
        if self._waiting is not None and not self._cancelled_by_us:
            self._cancelled_by_us = True
            self._waiting.cancel()

    def halt(self) -> None:
        """Give nothing more."""
        self.stop()

    async def close(self, closing: CleanupReport) -> None:
        """Close the iterator if it is a generator; any other object is the user's."""
        self.is_over = True
        try:
            if inspect.isasyncgen(self._async):
                await close_generator(self._async)
            elif inspect.isgenerator(self._plain):
                self._plain.close()
        except Exception as error:  # noqa: BLE001  whatever a user's finally block raises
            closing.failed(self._failure(error))
        except BaseException as error:  # noqa: BLE001  it leaves the run once all is clean
            closing.failed(error)


def check_source(items: object, *, in_loop: bool) -> None:
    """Refuse what is no source.

    Raises:
        TypeError: saying what was given and what to give instead.
    """
    if isinstance(items, Iterable) or (in_loop and isinstance(items, AsyncIterable)):
        return
    kind = type_name(items)
    if isinstance(items, AsyncIterable):
        message = f"an async source ({kind}) cannot feed a sync run; use .stream(source)"
    elif inspect.iscoroutine(items):
        items.close()  # it will never be awaited, and need not complain
        message = "the source is a coroutine; await it first, or make it an async generator"
    elif inspect.isgeneratorfunction(items) or inspect.isasyncgenfunction(items):
        name = getattr(items, "__name__", kind)
        message = f"the source is the function {name!r} itself; did you mean {name}()?"
    else:
        wanted = "an iterable or an async iterable" if in_loop else "an iterable"
        message = f"the source must be {wanted}, got {_shown(items)} of type {kind}"
    raise TypeError(message)


def _shown(value: object) -> str:
    shown = repr_of(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
