"""The child process of `rivusio verify`: runs the chains of a file in one mode, and tells all.

One for each mode, so that what the user's code keeps is the same at the start of both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from rivusio.artifacts.mode import Mode, NotCompiledError
from rivusio.artifacts.store import artifacts_of
from rivusio.cli.first_type import is_anything, type_of_items
from rivusio.cli.leaving import Diary, Whereabouts, said_by
from rivusio.cli.made_types import let_be_made, type_of_text
from rivusio.cli.said_types import UNKNOWN
from rivusio.cli.trial_items import items_of, made_items
from rivusio.pipes.base import BasePipe, SyncFamily
from rivusio.testing import ConsumerScript, SourceScript
from rivusio.testing.recording import RecordingError, recorded
from rivusio.user_code.serving import serve_once
from rivusio.user_code.user_file import Refusal, import_file, told

FEW = 100  # items for the runs that look at one moment
WAIT = 0.75  # seconds that an idle source waits, and a slow consumer takes


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the child.

    Attributes:
        path: the user's file.
        name: the one chain that is meant; all that are compiled, if none is.
        mode: how they run.
        source: the file with the items; if none, values are made.
        lists: how many lists of values are made.
        seed: what they are made from.
        items: the first so many items only; all, if none.
        only: the number of the one run that is meant, from 1; all, if none.
        diary: the file in which the child writes down where it is.
        without: the chains that are left out: those that have ended their process.
    """

    path: str
    name: str | None
    mode: Mode
    source: str | None
    lists: int
    seed: int
    items: int | None = None
    only: int | None = None
    diary: str = os.devnull
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a chain: what it was like, all that was seen of it, and who has left it."""

    number: int
    title: str
    events: tuple[tuple[float, str, str | None], ...]
    left_by: str = ""


@dataclass(frozen=True, slots=True)
class ChainTrials:
    """The runs of one chain.

    Attributes:
        name: its name.
        trials: the runs.
        refused: why it cannot run as it should.
        left_out: why there was nothing to run it on.
    """

    name: str
    trials: tuple[Trial, ...]
    refused: str = ""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child answers: the chains, those that cannot be reached, or why there is nothing."""

    chains: tuple[ChainTrials, ...] = ()
    hidden: tuple[str, ...] = ()
    refused: str = ""


REQUEST, ANSWER = TypeAdapter(Request), TypeAdapter(Answer)


def answer(request: Request, diary: Diary) -> Answer:
    """Run the chains of a file, and tell all that can be seen of the runs."""
    try:
        module = import_file(Path(request.path))
        names = [request.name] if request.name else _compiled_names(request.path)
        pipes = {name: _pipe(module, name) for name in names}
        if request.name and pipes[request.name] is None:
            raise Refusal(f'"{request.path}" has no pipeline {request.name!r} at its top level')
        chains = [
            _tried(name, pipe, request, diary)
            for name, pipe in pipes.items()
            if pipe is not None and name not in request.without
        ]
    except Refusal as refusal:
        return Answer(refused=str(refusal))
    return Answer(tuple(chains), tuple(name for name, pipe in pipes.items() if pipe is None))


def _compiled_names(path: str) -> list[str]:
    found = artifacts_of(os.path.realpath(path))
    names = [each.manifest.chain for each in found if each.manifest is not None]
    if not names:
        raise Refusal(f'nothing is compiled of "{path}"; run `rivusio compile {path}`')
    return sorted(dict.fromkeys(names))


def _pipe(module: object, name: str) -> BasePipe[Any, Any] | None:
    """Give the pipe at the top level, or in a class, that has a name."""
    found = reduce(lambda owner, part: getattr(owner, part, None), name.split("."), module)
    return found if isinstance(found, BasePipe) else None


def _tried(name: str, pipe: BasePipe[Any, Any], request: Request, diary: Diary) -> ChainTrials:
    try:
        diary.enter((), Whereabouts(name, 0, "its items are made"))
        runs = list(_runs(name, pipe, request))
    except Refusal as refusal:
        return ChainTrials(name, (), left_out=str(refusal))
    trials = []
    for number, run in enumerate(runs, 1):
        if request.only in (None, number):
            diary.enter(pipe._rivusio_stages(), Whereabouts(name, number, run[0]))
            try:
                trials.append(_trial(pipe, number, run, request.mode))
            except NotCompiledError as error:
                return ChainTrials(name, (), str(error))
            except Exception as error:  # noqa: BLE001  a bug of ours, which is none of the other chains'
                return ChainTrials(name, (), f"run {number}, {run[0]}, failed: {told(error)}")
    return ChainTrials(name, tuple(trials))


def _trial(pipe: BasePipe[Any, Any], number: int, run: _Run, mode: Mode) -> Trial:
    title, source, consumer, monitor = run
    try:
        events, left_by = recorded(pipe, source, consumer, mode, monitor=monitor)
    except RecordingError as error:
        return Trial(number, title, ((0.0, "stuck", str(error)),))
    left = "" if left_by is None else said_by(pipe._rivusio_stages(), left_by)
    seen = tuple((event.at, _sent(event.kind), _sent(event.value)) for event in events)
    return Trial(number, title, seen, left)


def _sent(text: Any) -> Any:
    """Give a text as it can be sent: half of a pair of surrogates cannot."""
    if text is None:
        return None
    return str(text).encode(errors="backslashreplace").decode()


_Run = tuple[str, SourceScript, ConsumerScript, bool]


def _runs(name: str, pipe: BasePipe[Any, Any], request: Request) -> Iterator[_Run]:
    """Give the runs of a chain: what they are like, their ends, and whether they are observed."""
    its = type_of_items(pipe._rivusio_stages())
    if request.source is not None:
        lists = [items_of(request.source, its)]
    else:
        if is_anything(its):
            its = _compiled_type(request.path, name)
        let_be_made(its)
        lists = made_items(its, request.lists, request.seed)
    for items in lists:
        chosen = items if request.items is None else items[: request.items]
        yield from _runs_over(pipe, chosen)


def _compiled_type(path: str, name: str) -> Any:
    """Give the type that mypy has found for the items of a chain when it was compiled."""
    for each in artifacts_of(os.path.realpath(path)):
        if each.manifest is not None and each.manifest.chain == name:
            return type_of_text(each.manifest.report[0].takes)
    return UNKNOWN


def _runs_over(pipe: BasePipe[Any, Any], items: list[Any]) -> Iterator[_Run]:
    everything, few = ConsumerScript(), items[:FEW]
    half = max(1, len(few) // 2)
    yield "an async source, observed", SourceScript.of(items), everything, True
    yield "a plain source", SourceScript.of(items, "generator"), everything, False
    if isinstance(pipe, SyncFamily):
        consumer = replace(everything, entry="iterate")
        yield "without an event loop", SourceScript.of(items, "generator"), consumer, False
    if all(stage.is_one_to_one for stage in pipe._rivusio_stages()):
        consumer = replace(everything, entry="process")
        yield "one by one", SourceScript.of(few, "list"), consumer, False
    yield "an idle source", _idle(few), everything, True
    yield "a slow consumer", SourceScript.of(few), replace(everything, slow=WAIT), True
    failing = SourceScript((*SourceScript.of(few).steps, ("fail", OSError("the source fails"))))
    yield "a source that fails", failing, everything, True
    for leaves in ("aclose", "break", "raise"):
        consumer = replace(everything, takes=1, leaves=leaves)
        yield f"left after an output by {leaves}", SourceScript.of(few), consumer, True
    yield "stopped on the way", _idle(few), replace(everything, stops_after=half * WAIT), True
    cancelled = replace(everything, cancelled_after=half * WAIT)
    yield "cancelled on the way", _idle(few), cancelled, True


def _idle(items: list[Any]) -> SourceScript:
    """Give a source that waits after each third item."""
    steps: list[Any] = []
    for number, item in enumerate(items):
        steps.append(("emit", item))
        if number % 3 == 0:
            steps.append(("idle", WAIT))
    return SourceScript(tuple(steps))


def main() -> None:
    """Answer the request on stdin, and end."""
    with serve_once() as (asked, replies):
        request = REQUEST.validate_json(asked)
        diary = Diary(request.diary)
        replies.write(ANSWER.dump_json(answer(request, diary)))
    diary.end(0)
