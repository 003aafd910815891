"""What every part of a run has in common.

A run is a line of nodes. The last one is asked for items with `pull`, and asks the one before
it; at the far end stands the source. Nothing moves unless it is asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from rivusio.engine.cleanup import CleanupReport
from rivusio.items import Item


class Closable(ABC):
    """One part of the line that an item passes through, as far as its end goes."""

    item_index: int | None = None  # the number of the source item behind the last answer
    upstream: Closable | None = None  # nothing stands before a source
    cleaning = False  # whether user code is being closed here right now

    @abstractmethod
    async def close(self, closing: CleanupReport) -> None:
        """Clean up this part and all before it; called once, raises nothing."""

    def interrupt(self) -> None:
        """Called in the event loop, on every part, when the source is to end now."""
        return  # most have nothing to do: their source tells them

    def halt(self) -> None:
        """Called before the run is cleaned up: nothing more may be asked of what is upstream."""
        return  # most only ask when they are asked


class Node(Closable):
    """A part that is asked for one item after another."""

    @abstractmethod
    async def pull(self) -> Item:
        """Give the next item, or `END`, then and ever after."""


def upstream_of(node: Closable) -> Iterator[Closable]:
    """Give the nodes before this one, the source last; a chain may be longer than the stack."""
    before = node.upstream
    while before is not None:
        yield before
        before = before.upstream
