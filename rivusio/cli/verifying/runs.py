"""The runs of a chain that is put to the test: over which items, with which source and consumer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rivusio.artifacts.store import artifacts_of
from rivusio.cli.annotations import UNKNOWN, is_anything
from rivusio.cli.item_types import type_of_items
from rivusio.cli.verifying.hypothesis_types import teach_hypothesis, type_of_text
from rivusio.cli.verifying.items import make_items, read_items
from rivusio.cli.verifying.trials import Request
from rivusio.pipes.base import BasePipe, SyncFamily
from rivusio.testing import ConsumerScript, SourceScript

FEW = 100  # items for the runs that look at one moment
WAIT = 0.75  # seconds that an idle source waits, and a slow consumer takes


@dataclass(frozen=True, slots=True)
class TrialRun:
    """One run that is to be recorded.

    Attributes:
        title: what it is like.
        source: where the items come from.
        consumer: what takes the results.
        monitored: whether a monitor observes it.
    """

    title: str
    source: SourceScript
    consumer: ConsumerScript
    monitored: bool = False


def runs_of(name: str, pipe: BasePipe[Any, Any], request: Request) -> Iterator[TrialRun]:
    """Give the runs of a chain.

    Raises:
        Refusal: when there are no items to run it on.
    """
    its = type_of_items(pipe._rivusio_stages())
    if request.source is not None:
        lists = [read_items(request.source, its)]
    else:
        if is_anything(its):
            its = _compiled_type(request.path, name)
        teach_hypothesis(its)
        lists = make_items(its, request.lists, request.seed)
    for items in lists:
        chosen = items if request.items is None else items[: request.items]
        yield from _runs_over(pipe, chosen)


def _compiled_type(path: str, name: str) -> Any:
    """Give the type that mypy has found for the items of a chain when it was compiled."""
    for each in artifacts_of(os.path.realpath(path)):
        if each.manifest is not None and each.manifest.chain == name:
            return type_of_text(each.manifest.report[0].takes)
    return UNKNOWN


def _runs_over(pipe: BasePipe[Any, Any], items: list[Any]) -> Iterator[TrialRun]:
    everything, few = ConsumerScript(), items[:FEW]
    half = max(1, len(few) // 2)
    yield TrialRun("an async source, observed", SourceScript.of(items), everything, monitored=True)
    yield TrialRun("a plain source", SourceScript.of(items, "generator"), everything)
    if isinstance(pipe, SyncFamily):
        consumer = replace(everything, entry="iterate")
        yield TrialRun("without an event loop", SourceScript.of(items, "generator"), consumer)
    if all(stage.is_one_to_one for stage in pipe._rivusio_stages()):
        consumer = replace(everything, entry="process")
        yield TrialRun("one by one", SourceScript.of(few, "list"), consumer)
    yield TrialRun("an idle source", _idle_source(few), everything, monitored=True)
    yield TrialRun(
        "a slow consumer", SourceScript.of(few), replace(everything, slow=WAIT), monitored=True
    )
    failing = SourceScript((*SourceScript.of(few).steps, ("fail", OSError("the source fails"))))
    yield TrialRun("a source that fails", failing, everything, monitored=True)
    for leaves in ("aclose", "break", "raise"):
        consumer = replace(everything, takes=1, leaves=leaves)
        yield TrialRun(
            f"left after an output by {leaves}", SourceScript.of(few), consumer, monitored=True
        )
    yield TrialRun(
        "stopped on the way",
        _idle_source(few),
        replace(everything, stops_after=half * WAIT),
        monitored=True,
    )
    cancelled = replace(everything, cancelled_after=half * WAIT)
    yield TrialRun("cancelled on the way", _idle_source(few), cancelled, monitored=True)


def _idle_source(items: list[Any]) -> SourceScript:
    """Give a source that waits after each third item."""
    steps: list[Any] = []
    for number, item in enumerate(items):
        steps.append(("emit", item))
        if number % 3 == 0:
            steps.append(("idle", WAIT))
    return SourceScript(tuple(steps))
