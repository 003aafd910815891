"""What `>>` joins and what joining gives: a flat chain of stages, itself a pipe.

Large, and one room: pipes join to pipelines, which are pipes, so that neither can be read, or
imported, without the other.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Callable, Coroutine, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeVar, overload

from rivusio.engine.calls import refuse_awaitable
from rivusio.engine.drive import drive
from rivusio.graph.callables import is_async_callable, name_of, refuse_uncalled
from rivusio.graph.operations import Map, Operation
from rivusio.graph.origins import Place, making_place
from rivusio.graph.settings import StageConfig
from rivusio.graph.stage import Concurrency, Stage, concurrent, configured, refuse_async
from rivusio.graph.validators import text
from rivusio.observe.monitoring import MetricsCollector
from rivusio.pipes.joins import GivesLingeringLists, GivesLists, GivesSameItems, GivesWithoutNone
from rivusio.pipes.outputs import PipelineMetricsMixin
from rivusio.pipes.parallel import AsyncParallel, SyncParallel
from rivusio.pipes.type_vars import In, Out
from rivusio.runs.run import Run
from rivusio.runs.single_item import InThread, process_one
from rivusio.runs.start import start_plain_run, start_run
from rivusio.safe_repr import describe
from rivusio.time.clock import Clock

Next = TypeVar("Next")
First = TypeVar("First")

# Attributes that stay behind.
_TRANSIENT = {"_rivusio_monitor", "_rivusio_outputs", "_rivusio_executor", "_rivusio_is_open"}

Joinable = object  # what may stand beside a pipe; anything else is refused when joined


class BasePipe(ABC, Generic[In, Out]):
    """Turns items of type `In` into items of type `Out`.

    It has two families, sync and async; a class of one's own comes from one of their members,
    such as `SyncBasePipe` or `AsyncBasePipe`.

    Args:
        name: the name in errors and metrics; the class's name if it is left out.
        config: settings of this pipe wherever it stands, unless the stage has others.
    """

    is_async: ClassVar[bool]

    # Class attributes, so that a subclass whose __init__ forgets super().__init__() still works.
    _rivusio_name: str | None = None
    _rivusio_given_config: StageConfig | None = None
    _rivusio_monitor: MetricsCollector | None = None
    _rivusio_place: Place | None = None  # what has made it, if that is known

    def __init__(self, name: str | None = None, *, config: StageConfig | None = None) -> None:
        self._rivusio_name = None if name is None else text("name", name)
        self._rivusio_given_config = config
        self._rivusio_place = making_place(self)

    @property
    def name(self) -> str:
        """The name in errors and metrics."""
        return self._rivusio_name or type(self).__name__

    @name.setter
    def name(self, name: str) -> None:
        self._rivusio_name = text("name", name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _rivusio_config(self) -> StageConfig | None:
        return self._rivusio_given_config

    @abstractmethod
    def _rivusio_operation(self) -> Operation:
        """Called when a stage is made and when a run starts: what this pipe does to items."""

    def _rivusio_stages(self) -> tuple[Stage, ...]:
        return (Stage(self),)

    def __getstate__(self) -> object:
        """Leave out what means nothing in another process."""
        state = super().__getstate__()
        if isinstance(state, dict):
            for name in _TRANSIENT & state.keys():
                del state[name]
        return state

    def set_monitor(self, monitor: MetricsCollector | None) -> Self:
        """Let `monitor` observe the runs that are started with this object's `.stream()`."""
        self._rivusio_monitor = monitor
        return self

    def stream(
        self,
        source: Iterable[In] | AsyncIterable[In],
        *,
        config: StageConfig | None = None,
        monitor: MetricsCollector | None = None,
        clock: Clock | None = None,
    ) -> Run[Out]:
        """Run over `source` in an event loop: `async for result in pipe.stream(source)`.

        Args:
            source: any iterable or async iterable; it is not touched before the first result
                is asked for.
            config: settings for the stages that have none; a buffer stands before the first.
            monitor: observes this run, instead of the one of `set_monitor`.
            clock: the time for timers, windows and delays; the system's if left out.

        Raises:
            TypeError: when the source is none, or the settings cannot work here.
        """
        monitor = self._rivusio_monitor if monitor is None else monitor
        place = self._rivusio_place
        return start_run(self._rivusio_stages(), source, config, monitor, clock, place)


class SyncFamily(BasePipe[In, Out]):
    """A pipe that never waits: it can run without an event loop."""

    is_async: ClassVar[bool] = False

    @overload
    def __rshift__(self, other: GivesSameItems) -> SyncPipeline[In, Out]: ...
    @overload
    def __rshift__(self, other: GivesLists) -> SyncPipeline[In, list[Out]]: ...
    @overload
    def __rshift__(self, other: GivesLingeringLists) -> AsyncPipeline[In, list[Out]]: ...
    @overload
    def __rshift__(
        self: SyncFamily[In, Next | None], other: GivesWithoutNone
    ) -> SyncPipeline[In, Next]: ...
    @overload
    def __rshift__(self, other: SyncFamily[Out, Next]) -> SyncPipeline[In, Next]: ...
    @overload
    def __rshift__(self, other: AsyncFamily[Out, Next]) -> AsyncPipeline[In, Next]: ...
    @overload
    def __rshift__(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
        self, other: Callable[[Out], Coroutine[Any, Any, Next]]
    ) -> AsyncPipeline[In, Next]: ...
    @overload
    def __rshift__(self, other: Callable[[Out], Next]) -> SyncPipeline[In, Next]: ...
    def __rshift__(self, other: Joinable) -> Any:
        """Join: what this pipe gives goes into `other`."""
        return join(self, other)

    @overload
    def __rrshift__(  # type: ignore[overload-overlap]  # a coroutine function is callable too: the first wins
        self, other: Callable[[First], Coroutine[Any, Any, In]]
    ) -> AsyncPipeline[First, Out]: ...
    @overload
    def __rrshift__(self, other: Callable[[First], In]) -> SyncPipeline[First, Out]: ...
    def __rrshift__(self, other: Joinable) -> Any:
        """Join: what the function `other` gives goes into this pipe."""
        return join(other, self)

    then = __rshift__  # the same join, as a word

    def with_config(self, config: StageConfig) -> SyncPipeline[In, Out]:
        """Give a stage of this pipe with `config` instead of the settings it has.

        Settings do not add up: say all of them in one `StreamConfig`, its buffer with
        `backpressure=`. On a chain of several stages, those get `config` that have no settings.
        """
        return SyncPipeline._of(configured(self._rivusio_stages(), config))

    def concurrent(
        self, limit: int, ordered: bool = True, *, threads: bool = False
    ) -> AsyncPipeline[In, Out]:
        """Give a stage that handles up to `limit` items at once, each in a thread.

        Args:
            limit: items that may be started and not yet delivered.
            ordered: whether results come in the order of their items, or as they are ready.
            threads: must be true: a sync stage can do several things at once only in threads.
        """
        how = Concurrency(limit, ordered, threads)
        return AsyncPipeline._of(concurrent(self._rivusio_stages(), how))

    def iterate(
        self,
        source: Iterable[In],
        *,
        config: StageConfig | None = None,
        monitor: MetricsCollector | None = None,
        clock: Clock | None = None,
    ) -> Generator[Out, None, None]:
        """Run over `source` without an event loop: `for result in pipe.iterate(source)`.

        The arguments are those of `stream`. Nothing can wake an idle source here: the next item
        or the end closes a time window.

        Raises:
            TypeError: when the source is none, or something here needs an event loop.
        """
        monitor = self._rivusio_monitor if monitor is None else monitor
        place = self._rivusio_place
        return start_plain_run(self._rivusio_stages(), source, config, monitor, clock, place)


class AsyncFamily(BasePipe[In, Out]):
    """A pipe that may wait: it runs in an event loop."""

    is_async: ClassVar[bool] = True

    @overload
    def __rshift__(self, other: GivesSameItems) -> AsyncPipeline[In, Out]: ...
    @overload
    def __rshift__(
        self, other: GivesLists | GivesLingeringLists
    ) -> AsyncPipeline[In, list[Out]]: ...
    @overload
    def __rshift__(
        self: AsyncFamily[In, Next | None], other: GivesWithoutNone
    ) -> AsyncPipeline[In, Next]: ...
    @overload
    def __rshift__(self, other: BasePipe[Out, Next]) -> AsyncPipeline[In, Next]: ...
    @overload
    def __rshift__(
        self, other: Callable[[Out], Coroutine[Any, Any, Next]]
    ) -> AsyncPipeline[In, Next]: ...
    @overload
    def __rshift__(self, other: Callable[[Out], Next]) -> AsyncPipeline[In, Next]: ...
    def __rshift__(self, other: Joinable) -> Any:
        """Join: what this pipe gives goes into `other`."""
        return join(self, other)

    @overload
    def __rrshift__(
        self, other: Callable[[First], Coroutine[Any, Any, In]]
    ) -> AsyncPipeline[First, Out]: ...
    @overload
    def __rrshift__(self, other: Callable[[First], In]) -> AsyncPipeline[First, Out]: ...
    def __rrshift__(self, other: Joinable) -> Any:
        """Join: what the function `other` gives goes into this pipe."""
        return join(other, self)

    then = __rshift__  # the same join, as a word

    def with_config(self, config: StageConfig) -> AsyncPipeline[In, Out]:
        """Give a stage of this pipe with `config` instead of the settings it has.

        Settings do not add up: say all of them in one `StreamConfig`, its buffer with
        `backpressure=`. On a chain of several stages, those get `config` that have no settings.
        """
        return AsyncPipeline._of(configured(self._rivusio_stages(), config))

    def concurrent(
        self, limit: int, ordered: bool = True, *, threads: bool = False
    ) -> AsyncPipeline[In, Out]:
        """Give a stage that handles up to `limit` items at once.

        Args:
            limit: items that may be started and not yet delivered.
            ordered: whether results come in the order of their items, or as they are ready.
            threads: only for sync stages.
        """
        how = Concurrency(limit, ordered, threads)
        return AsyncPipeline._of(concurrent(self._rivusio_stages(), how))

    if not TYPE_CHECKING:  # mypy shall say that an async chain has no such method

        def iterate(self, *_: object, **__: object) -> NoReturn:
            """Refuse: an async chain cannot run without an event loop."""
            refuse_async(self._rivusio_stages())


class SyncFunction(SyncFamily[In, Out]):
    """A plain function as a 1:1 pipe."""

    def __init__(self, function: Callable[[In], Out], name: str | None = None) -> None:
        super().__init__(name or name_of(function))
        self._function = function

    def __call__(self, data: In) -> Out:
        """Call the function."""
        return self._function(data)

    def _rivusio_operation(self) -> Operation:
        return Map(self._function, "call")


class AsyncFunction(AsyncFamily[In, Out]):
    """A coroutine function as a 1:1 pipe."""

    def __init__(
        self, function: Callable[[In], Coroutine[Any, Any, Out]], name: str | None = None
    ) -> None:
        super().__init__(name or name_of(function))
        self._function = function

    def __call__(self, data: In) -> Coroutine[Any, Any, Out]:
        """Call the function."""
        return self._function(data)

    def _rivusio_operation(self) -> Operation:
        return Map(self._function, "await")


class _Chain(BasePipe[In, Out], PipelineMetricsMixin):
    """What both kinds of pipeline have in common."""

    _stages: tuple[Stage, ...]

    def __init__(self, pipes: Iterable[Joinable], name: str | None = None) -> None:
        super().__init__(name)
        pipes = list(pipes)
        if not pipes:
            message = "Pipeline must contain at least one pipe"
            raise ValueError(message)
        self._set_stages(tuple(stage for pipe in pipes for stage in stages_of(pipe)))

    @classmethod
    def _of(cls, stages: Sequence[Stage]) -> Self:
        chain = cls.__new__(cls)
        BasePipe.__init__(chain)
        chain._set_stages(tuple(stages))
        return chain

    def _set_stages(self, stages: tuple[Stage, ...]) -> None:
        self._stages = stages

    def __repr__(self) -> str:
        told = " >> ".join(stage.name for stage in self._stages)
        return f"<{self._rivusio_name or f'{self.name}: {told}'}>"

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the flat chain, in order."""
        return self._stages

    @property
    def pipes(self) -> list[BasePipe[Any, Any]]:
        """The pipes of the flat chain, in order: each has types of its own."""
        return [stage.pipe for stage in self._stages if isinstance(stage.pipe, BasePipe)]

    def get_pipes(self) -> list[BasePipe[Any, Any]]:
        """Do the same as `.pipes`."""
        return self.pipes

    def _rivusio_stages(self) -> tuple[Stage, ...]:
        return self._stages

    def _one(
        self, data: In, *, in_loop: bool, in_thread: InThread | None = None
    ) -> Coroutine[Any, Any, Any]:
        """Take one item through, and note what each stage gives."""
        return process_one(
            self._stages,
            data,
            in_loop=in_loop,
            in_thread=in_thread,
            seen=self._note_output,
            place=self._rivusio_place,
        )

    def _rivusio_operation(self) -> NoReturn:
        raise AssertionError("a chain is no stage")  # it is flattened before anybody asks


class SyncPipeline(_Chain[In, Out], SyncParallel[In, Out], SyncFamily[In, Out]):
    """A chain of sync stages.

    Args:
        pipes: sync pipes and plain functions, one or more.
        name: a name for the whole.

    >>> from rivusio import map
    >>> (map(int) >> map(float))("3")
    3.0
    """

    def _set_stages(self, stages: tuple[Stage, ...]) -> None:
        for stage in stages:
            if stage.is_async:
                message = (
                    f"{stage.name!r} is async: a SyncPipeline cannot hold it; use AsyncPipeline"
                )
                raise TypeError(message)
        super()._set_stages(stages)

    def process(self, data: In) -> Out:
        """Take one item through a chain of 1:1 stages.

        Raises:
            PipelineError: when a stage fails.
            TypeError: when a stage is not 1:1.
        """
        result: Out = drive(self._one(data, in_loop=False))
        return result

    def __call__(self, data: In) -> Out:
        """Do the same as `process`."""
        return self.process(data)

    def execute_conditional(self, data: In, condition: Callable[[In], bool]) -> Out | In:
        """Process `data` if `condition(data)` is true; otherwise give it back unchanged.

        Raises:
            TypeError: when the condition is async; an `AsyncPipeline` can await it.
        """
        holds: object = condition(data)
        refuse_awaitable(holds, "the condition")
        return self.process(data) if holds else data


class AsyncPipeline(_Chain[In, Out], AsyncParallel[In, Out], AsyncFamily[In, Out]):
    """A chain with at least one stage that may wait.

    Args:
        pipes: pipes of any kind, functions and coroutine functions, one or more.
        name: a name for the whole.
    """

    async def process(self, data: In) -> Out:
        """Take one item through a chain of 1:1 stages.

        Raises:
            PipelineError: when a stage fails.
            TypeError: when a stage is not 1:1.
        """
        return await self._process_with(data, None)

    async def _process_with(self, data: In, in_thread: InThread | None) -> Out:
        result: Out = await self._one(data, in_loop=True, in_thread=in_thread)
        return result

    def __call__(self, data: In) -> Coroutine[Any, Any, Out]:
        """Do the same as `process`."""
        return self.process(data)

    async def execute_conditional(
        self, data: In, condition: Callable[[In], bool | Coroutine[Any, Any, bool]]
    ) -> Out | In:
        """Process `data` if `condition(data)` is true; otherwise give it back unchanged."""
        holds = condition(data)
        if inspect.isawaitable(holds):
            holds = await holds
        return await self.process(data) if holds else data


def join(left: Joinable, right: Joinable) -> SyncPipeline[Any, Any] | AsyncPipeline[Any, Any]:
    """Give the flat chain of both; the types are the families' to say.

    Raises:
        TypeError: naming what is no pipe.
    """
    return chain_of((*stages_of(left), *stages_of(right)))


def chain_of(stages: Sequence[Stage]) -> SyncPipeline[Any, Any] | AsyncPipeline[Any, Any]:
    """Give the chain of the stages: async, as soon as one of them is."""
    if any(stage.is_async for stage in stages):
        return AsyncPipeline._of(stages)
    return SyncPipeline._of(stages)


def function_pipe(
    function: Callable[..., Any],
    name: str | None = None,  # typed where it is offered
) -> SyncFunction[Any, Any] | AsyncFunction[Any, Any]:
    """Make a pipe of a function, by its kind."""
    if is_async_callable(function):
        return AsyncFunction(function, name)
    return SyncFunction(function, name)


def stages_of(pipe: Joinable) -> tuple[Stage, ...]:
    """Give the stages that a pipe, a chain or a function stands for.

    Raises:
        TypeError: naming what is no pipe.
    """
    if isinstance(pipe, BasePipe):
        return pipe._rivusio_stages()
    if isinstance(pipe, type) and issubclass(pipe, BasePipe):
        message = f"{pipe.__name__} is a class, and no pipe; did you mean {pipe.__name__}()?"
        raise TypeError(message)
    if callable(pipe):
        refuse_uncalled(pipe)
        return (Stage(function_pipe(pipe)),)
    message = f"{describe(pipe)} is no pipe; join pipes, functions or coroutine functions"
    raise TypeError(message)
