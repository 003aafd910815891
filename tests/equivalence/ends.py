"""The two ends of random runs: what sources give, and what consumers do."""

from __future__ import annotations

import random
from typing import Any

from rivusio.testing import ConsumerScript, SourceScript
from rivusio.testing.scripts import Kind, Step

SYNC_SOURCES = ("list", "iterable", "generator", "failing generator", "idle generator")
ASYNC_SOURCES = (
    "async generator",
    "async iterable",
    "idle",
    "bursty",
    "empty",
    "failing",
    "failing at once",
    "failing in a window",
)
SOURCES = (*SYNC_SOURCES, *ASYNC_SOURCES)

STREAM_CONSUMERS = (
    "all",
    "slow",
    "break",
    "aclose",
    "with",
    "raise",
    "nothing",
    "stop",
    "stop at once",
    "stop after a time",
    "cancelled after a time",
    "cancelled at each await",
)
SYNC_CONSUMERS = ("iterate", "iterate slowly", "iterate and break", "iterate and close")
CONSUMERS = (*STREAM_CONSUMERS, *SYNC_CONSUMERS, "process")


def source(chosen: random.Random, name: str, takes: str) -> SourceScript:
    """Make a source of a name, of items of a type."""
    count = chosen.choice((1, 3, 5, 5, 7, 9, 12))
    first = chosen.choice((0, 0, 1, 2, 5))
    numbers = list(range(first, first + count))
    if chosen.random() < 0.2:
        chosen.shuffle(numbers)
    steps: list[Step] = [("emit", item_of(number, takes)) for number in numbers]
    error = chosen.choice((ValueError("of the source"), KeyError("key"), OSError(5, "gone")))
    match name:
        case "failing generator" | "failing":
            steps.insert(chosen.randrange(len(steps) + 1), ("fail", error))
        case "failing at once":
            steps.insert(0, ("fail", error))
        case "failing in a window":
            steps.append(("idle", chosen.choice((0.1, 0.2, 0.45))))
            steps.append(("fail", error))
        case "idle" | "idle generator":
            steps = _with_idle(chosen, steps, (0.2, 0.25, 0.5, 0.7, 1.0, 2.5))
        case "bursty":
            steps = _with_idle(chosen, steps, (0.5, 1.0, 1.5, 4.0), every=3)
        case "empty":
            steps = [("idle", 1.0)]
        case _:
            pass
    if name in ASYNC_SOURCES:
        steps = [each for step in steps for each in _turn(chosen, step)]
    return SourceScript(tuple(steps), _kind(chosen, name))


def _kind(chosen: random.Random, name: str) -> Kind:
    match name:
        case "list" | "iterable" | "generator":
            return name
        case "failing generator" | "idle generator":
            return chosen.choice(("generator", "iterable"))
        case "async generator":
            return "async_generator"
        case "async iterable":
            return "async_iterable"
    return chosen.choice(("async_generator", "async_generator", "async_iterable"))


def _turn(chosen: random.Random, step: Step) -> list[Step]:
    return [("pause", None), step] if chosen.random() < 0.3 else [step]


def _with_idle(
    chosen: random.Random, steps: list[Step], times: tuple[float, ...], every: int = 1
) -> list[Step]:
    made: list[Step] = []
    for index, step in enumerate(steps):
        if index % every == 0 and chosen.random() < 0.7:
            made.append(("idle", chosen.choice(times)))
        made.append(step)
    if chosen.random() < 0.5:
        made.append(("idle", chosen.choice(times)))
    return made


def item_of(number: int, takes: str) -> Any:
    """Give an item of a type, other ones for other numbers."""
    match takes:
        case "str":
            return "abc"[: number % 4] + str(number)
        case "list":
            return [*range(number % 3), number]
        case "opt":
            return None if number % 4 == 3 else number
    return number


def consumer(chosen: random.Random, name: str, at: int = 1) -> ConsumerScript:
    """Make a consumer of a name; `at` is the await at which it is cancelled, if it is to be."""
    takes = chosen.choice((1, 1, 2, 3))
    after = chosen.choice((0.0, 0.13, 0.37, 0.62, 1.13, 2.9))
    match name:
        case "slow":
            return ConsumerScript(slow=chosen.choice((0.05, 0.3, 1.0)))
        case "break":
            return ConsumerScript(takes=takes)
        case "aclose" | "with" | "raise":
            return ConsumerScript(takes=takes, leaves=name, slow=chosen.choice((0.0, 0.0, 0.4)))
        case "nothing":
            return ConsumerScript(takes=0, leaves=chosen.choice(("break", "aclose", "with")))
        case "stop":
            return ConsumerScript(takes=takes, leaves="stop")
        case "stop at once":
            return ConsumerScript(takes=0, leaves="stop")
        case "stop after a time":
            return ConsumerScript(stops_after=after)
        case "cancelled after a time":
            return ConsumerScript(cancelled_after=after, slow=chosen.choice((0.0, 0.25)))
        case "cancelled at each await":
            return ConsumerScript(cancelled_at=at)
        case "iterate":
            return ConsumerScript("iterate")
        case "iterate slowly":
            return ConsumerScript("iterate", slow=0.3)
        case "iterate and break":
            return ConsumerScript("iterate", takes=takes)
        case "iterate and close":
            return ConsumerScript("iterate", takes=takes, leaves="aclose")
        case "process":
            return ConsumerScript("process")
    return ConsumerScript()
