"""The companions of generated loops, by what takes what they give."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, NoReturn

from rivusio.artifacts.tracebacks import retraced
from rivusio.compiled.frames import Part, State
from rivusio.compiled.source import Feed
from rivusio.engine.cleanup import CleanupReport, close_generator
from rivusio.engine.drive import drive
from rivusio.engine.node import Node
from rivusio.items import END, Item

if TYPE_CHECKING:  # a sink and the loop that fills it know one another
    from rivusio.compiled.buffer_sink import Reader
    from rivusio.compiled.window_sink import Window

Fill = Callable[[Any, Any], Coroutine[Any, Any, None]]


class Upstream(Part):
    """A part whose results another part of the run takes."""

    def leave(self, error: BaseException, state: State) -> NoReturn:
        """Take over the locals when an exception leaves the function, and let it leave.

        Raises:
            BaseException: always.
        """
        leaving = self.left(error, state)
        retraced(leaving, self._line_maps)  # it may leave the run by another way than an error
        raise leaving


class Inner(Upstream, Node):
    """A part that gives its results as they are asked for."""

    generator: AsyncGeneratorType[Item, None]

    async def pull(self) -> Item:
        """Give the next result."""
        return END if self.is_halted else await anext(self.generator, END)

    async def close(self, closing: CleanupReport) -> None:
        """End the generated generator, then do as every part."""
        try:
            await close_generator(self.generator)
        except Exception as error:  # noqa: BLE001  nothing of ours raises here: the user's
            closing.failed(error)
        except BaseException as error:  # noqa: BLE001  it leaves the run once all is clean
            closing.failed(error)
        await super().close(closing)


class PlainInner(Upstream):
    """The same, without an event loop."""

    generator: Generator[Item, None, None]

    def next(self) -> Item:
        """Give the next result."""
        return next(self.generator, END)

    async def close(self, closing: CleanupReport) -> None:
        """End the generated generator, then do as every part."""
        self.generator.close()
        await super().close(closing)


class Results(Part):
    """The part that gives its results to the consumer, and ends the run."""

    begin: Callable[[], None]
    _end: Callable[[BaseException | None], Any]

    async def leave(self, error: BaseException, state: State) -> NoReturn:
        """Clean the run up when an exception leaves it, and let that leave.

        Raises:
            BaseException: always.
        """
        leaving = self.left(error, state)
        retraced(leaving, self._line_maps)
        try:
            raise leaving
        except BaseException as raised:
            await self._end(raised)
            raise

    async def end(self, state: State) -> None:
        """Clean the run up at its end."""
        self.done(state)
        await self._end(None)

    def leave_plain(self, error: BaseException, state: State) -> NoReturn:
        """Do as `leave`, without an event loop."""
        drive(self.leave(error, state))
        message = "leave() always raises"
        raise AssertionError(message)

    def end_plain(self, state: State) -> None:
        """Do as `end`, without an event loop."""
        drive(self.end(state))


class Filling(Upstream, Node):
    """The part of a generated loop that fills a window or a buffer.

    It stands where those have what they pull from, but nobody pulls it: it fills them.

    Attributes:
        window: the windows that it fills, or
        buffer: the buffer that it fills.
    """

    window: Window
    buffer: Reader
    sink: Window | Reader | None = None

    def pull(self) -> NoReturn:
        """Refuse: what the loop gives is in the window or the buffer."""
        message = "a loop that fills something is not pulled"
        raise AssertionError(message)

    def halt(self) -> None:
        """Let the loop end with the item that it has in hand: nobody wants another."""
        super().halt()
        if self.sink is not None:
            self.sink.must_be_asked()

    def filled_by(self, fill: Fill) -> Coroutine[Any, Any, None]:
        """Start the generated loop."""
        loop = fill(self, self.upstream)
        if isinstance(self.upstream, Feed):
            self.upstream.runs_in(loop)
        return loop
