"""Runs a coroutine that waits for nothing, in plain code."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from rivusio.items import Item


def drive(coroutine: Coroutine[Any, Any, Item]) -> Item:
    """Run a coroutine that never waits, without an event loop: a sync run."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    message = "a stage of a sync run waited for an event loop; use .stream(...)"
    raise RuntimeError(message)
