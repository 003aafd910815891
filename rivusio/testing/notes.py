"""What the code under test may tell while a run is recorded: `note`, `pause` and `wait`.

They stand in pipes and sources that are written for a recording. Elsewhere they do no harm:
without a recording nobody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Listener(Protocol):
    """A recording, as the code under test knows it."""

    def note(self, kind: str, value: object = None) -> None:
        """Write an event down."""

    def waits(self) -> None:
        """Write down that the code is about to wait."""


# Not a context variable: loop callbacks and threads of a run are heard as well.
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` hear what is told inside the `with` block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def note(kind: str, value: object = None) -> None:
    """Tell something: that a function was called, with what, or what it has seen."""
    if _listeners:
        _listeners[-1].note(kind, value)


async def pause() -> None:
    """Wait for one turn of the event loop: a place at which a recording may cancel."""
    if _listeners:
        _listeners[-1].waits()
    await asyncio.sleep(0)


async def wait(seconds: float) -> None:
    """Wait on the time of the event loop: a place at which a recording may cancel."""
    if _listeners:
        _listeners[-1].waits()
    await asyncio.sleep(seconds)
