"""One item through a chain of 1:1 stages."""

from __future__ import annotations

import asyncio
from collections.abc import (
    Awaitable,
    Callable,
    Sequence,
)
from typing import TYPE_CHECKING

from rivusio.artifacts.fitting import Starting
from rivusio.artifacts.loader import program_for
from rivusio.compiled.single_item import One
from rivusio.engine.executors import make_executor
from rivusio.engine.run_state import RunState
from rivusio.errors import PipelineError
from rivusio.graph.config import DEFAULT_YIELD_EVERY
from rivusio.graph.origins import Place
from rivusio.graph.stage import Stage
from rivusio.items import Item
from rivusio.time.clock import SYSTEM

if TYPE_CHECKING:
    pass
else:
    pass

InThread = Callable[..., Awaitable[Item]]  # makes a call in a thread
Seen = Callable[[object, Item], None]  # is told each stage's pipe and result


def _is_in_threads(stage: Stage) -> bool:
    return stage.concurrency is not None and stage.concurrency.threads


async def process_one(
    stages: Sequence[Stage],
    item: Item,
    *,
    in_loop: bool,
    in_thread: InThread | None = None,
    seen: Seen | None = None,
    place: Place | None = None,
) -> Item:
    """Take one item through stages that are all 1:1.

    Args:
        stages: the stages.
        item: the item.
        in_loop: whether there is an event loop.
        in_thread: makes the calls of sync stages, if they are not to be made right here.
        seen: is told what each stage has given.
        place: what has made the chain, if that is known.

    Raises:
        PipelineError: when a stage fails; there is nothing to skip to, so `on_error` is not asked.
        TypeError: when a stage is not 1:1.
    """
    for index, stage in enumerate(stages):
        if not stage.is_one_to_one:
            message = (
                f"stage {index + 1} {stage.name!r} does not give one result for one item; "
                f"use .stream(source)"
            )
            raise TypeError(message)
    run = RunState(SYSTEM, in_loop=in_loop, yield_every=DEFAULT_YIELD_EVERY, counters=None)
    program = None
    if in_thread is None and not any(map(_is_in_threads, stages)):
        program = program_for(Starting(stages, None, place))
    if program is not None:
        given = program.namespace["process"](One(run, stages, program, seen), item)
        return await given if in_loop else given
    for index, stage in enumerate(stages):
        step = make_executor(run, index, stage)
        enter_in_thread = in_thread
        if stage.concurrency is not None and stage.concurrency.threads:
            enter_in_thread = in_thread or asyncio.to_thread
        if enter_in_thread is not None and not stage.pipe.is_async:
            step.enter_in(enter_in_thread)
        try:
            result = await step.attempt(item)
        except Exception as error:
            raise PipelineError(stage.name, error, stage=index, item=item) from error
        if seen is not None:
            seen(stage.pipe, result)
        item = result
    return item
