"""A stage: one pipe at one place of a flat chain, with its settings.

What it does is one of `operations`; nothing else about a pipe's class matters to a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

from rivusio.graph.operations import Operation, runs_user_code, traits_of
from rivusio.graph.settings import Settings, StageConfig, resolve
from rivusio.graph.stage_rules import refuse_what_cannot_work
from rivusio.graph.validators import at_least
from rivusio.items import Item
from rivusio.safe_repr import str_of, type_name


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many items of a 1:1 stage may be started and undelivered at once."""

    limit: int
    ordered: bool
    threads: bool

    def __post_init__(self) -> None:
        at_least(1, "limit", self.limit)


class Pipe(Protocol):
    """What a stage needs of its pipe."""

    @property
    def is_async(self) -> bool:
        """Whether it needs an event loop."""

    @property
    def name(self) -> str:
        """The name in errors and metrics."""

    def _rivusio_config(self) -> StageConfig | None:
        """The settings that were given to the pipe itself."""

    def _rivusio_operation(self) -> Operation:
        """What the pipe does, with the methods that it has now."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One pipe at one place of a flat chain.

    Attributes:
        pipe: the pipe.
        config: settings instead of the pipe's own; `None` leaves those.
        concurrency: how many items at once, if more than one.

    Raises:
        TypeError: when the settings ask for what such a stage cannot do.
    """

    pipe: Pipe
    config: StageConfig | None = None
    concurrency: Concurrency | None = None

    def __post_init__(self) -> None:
        refuse_what_cannot_work(
            self.name, self.said, self.operation, self.handler, is_async=self.pipe.is_async
        )

    @property
    def name(self) -> str:
        """The pipe's name, as text: a class of the user's may say anything."""
        try:
            name: object = self.pipe.name
        except Exception:  # noqa: BLE001  a user's property may do anything
            return type_name(self.pipe)
        return name if type(name) is str else str_of(name)

    @property
    def said(self) -> StageConfig | None:
        """The configuration that applies: the stage's, or else the pipe's own."""
        return self.pipe._rivusio_config() if self.config is None else self.config

    @property
    def operation(self) -> Operation:
        """What the pipe does, with the methods that it has now."""
        return self.pipe._rivusio_operation()

    @property
    def settings(self) -> Settings:
        """What the configuration comes down to."""
        return resolve(self.said)

    @property
    def is_async(self) -> bool:
        """Whether the stage needs an event loop."""
        return self.pipe.is_async or self.concurrency is not None

    @property
    def handler(self) -> Callable[[Exception, Item], Item] | None:
        """The pipe's `handle_error`, if it has one."""
        return getattr(self.pipe, "handle_error", None)

    @property
    def is_one_to_one(self) -> bool:
        """Whether every item gives exactly one result."""
        return traits_of(self.operation).is_one_to_one

    @property
    def has_single_call(self) -> bool:
        """Whether there is a call of user code whose failure the settings can treat."""
        operation = self.operation
        return runs_user_code(operation) and not traits_of(operation).takes_stream

    def with_default(self, config: StageConfig | None) -> Stage:
        """Give the same stage with these settings, unless it has some."""
        if config is None or self.said is not None:
            return self
        return replace(self, config=config)

    def with_concurrency(self, concurrency: Concurrency) -> Stage:
        """Give the same stage, handling several items at once.

        Raises:
            TypeError: when the stage is not 1:1, or threads are asked for where they mean nothing.
        """
        if not self.is_one_to_one:
            message = f"{self.name} is not a single 1:1 stage; only such a stage can be concurrent"
            raise TypeError(message)
        if concurrency.threads and self.pipe.is_async:
            message = f"{self.name!r} is async: it needs no threads; leave threads=True out"
            raise TypeError(message)
        if not concurrency.threads and not self.pipe.is_async:
            message = (
                f"{self.name!r} is sync: only threads let it do several items at once; "
                f"say threads=True"
            )
            raise TypeError(message)
        return replace(self, concurrency=concurrency)


def refuse_async(stages: Sequence[Stage]) -> NoReturn:
    """Refuse to run async stages without an event loop.

    Raises:
        TypeError: naming the first.
    """
    index = next(index for index, stage in enumerate(stages) if stage.is_async)
    what = "is async" if stages[index].pipe.is_async else "is concurrent, which takes tasks"
    message = (
        f"stage {index + 1} {stages[index].name!r} {what}: it cannot run without an "
        f"event loop; use `async for result in pipe.stream(source)`"
    )
    raise TypeError(message)


def configured(stages: Sequence[Stage], config: StageConfig) -> list[Stage]:
    """Give one stage with `config` instead of its settings; of several, those that have none."""
    if len(stages) == 1:
        return [replace(stages[0], config=config)]
    return [stage.with_default(config) for stage in stages]


def concurrent(stages: Sequence[Stage], how: Concurrency) -> list[Stage]:
    """Give the one stage that there is, handling several items at once.

    Raises:
        TypeError: when there are more, or it cannot do so.
    """
    if len(stages) != 1:
        told = " >> ".join(stage.name for stage in stages)
        message = f"{told} is not a single 1:1 stage; only such a stage can be concurrent"
        raise TypeError(message)
    return [stages[0].with_concurrency(how)]
