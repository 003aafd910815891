"""The child process of `rivusio verify`: runs the chains of a file in one mode, and tells all.

One for each mode, so that what the user's code keeps is the same at the start of both.
"""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path
from typing import Any

from rivusio.artifacts.mode import Mode, NotCompiledError
from rivusio.artifacts.store import artifacts_of
from rivusio.cli.verifying.diary import Diary, Whereabouts, describe_leaving
from rivusio.cli.verifying.runs import TrialRun, runs_of
from rivusio.cli.verifying.trials import ANSWER, REQUEST, Answer, ChainTrials, Request, Trial
from rivusio.pipes.base import BasePipe
from rivusio.testing.recording.event_loop import RecordingError
from rivusio.testing.recording.record_run import record_run
from rivusio.user_code.describe import describe_error
from rivusio.user_code.importing import import_file
from rivusio.user_code.refusal import Refusal
from rivusio.user_code.serving import serve_once


def answer(request: Request, diary: Diary) -> Answer:
    """Run the chains of a file, and tell all that can be seen of the runs."""
    try:
        module = import_file(Path(request.path))
        names = [request.name] if request.name else _compiled_names(request.path)
        pipes = {name: _find_pipe(module, name) for name in names}
        if request.name and pipes[request.name] is None:
            raise Refusal(f'"{request.path}" has no pipeline {request.name!r} at its top level')
        chains = [
            _try_chain(name, pipe, request, diary)
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


def _find_pipe(module: object, name: str) -> BasePipe[Any, Any] | None:
    """Give the pipe at the top level, or in a class, that has a name."""
    found = reduce(lambda owner, part: getattr(owner, part, None), name.split("."), module)
    return found if isinstance(found, BasePipe) else None


def _try_chain(name: str, pipe: BasePipe[Any, Any], request: Request, diary: Diary) -> ChainTrials:
    try:
        diary.enter((), Whereabouts(name, 0, "its items are made"))
        runs = list(runs_of(name, pipe, request))
    except Refusal as refusal:
        return ChainTrials(name, (), left_out=str(refusal))
    trials = []
    for number, run in enumerate(runs, 1):
        if request.only in (None, number):
            diary.enter(pipe._rivusio_stages(), Whereabouts(name, number, run.title))
            try:
                trials.append(_try_once(pipe, number, run, request.mode))
            except NotCompiledError as error:
                return ChainTrials(name, (), str(error))
            except Exception as error:  # noqa: BLE001  a bug of ours, which is none of the other chains'
                failure = f"run {number}, {run.title}, failed: {describe_error(error)}"
                return ChainTrials(name, (), failure)
    return ChainTrials(name, tuple(trials))


def _try_once(pipe: BasePipe[Any, Any], number: int, run: TrialRun, mode: Mode) -> Trial:
    try:
        events, left_by = record_run(pipe, run.source, run.consumer, mode, monitor=run.monitored)
    except RecordingError as error:
        return Trial(number, run.title, ((0.0, "stuck", str(error)),))
    left = "" if left_by is None else describe_leaving(pipe._rivusio_stages(), left_by)
    seen = tuple(
        (each.at, _make_sendable(each.kind), _make_sendable(each.value)) for each in events
    )
    return Trial(number, run.title, seen, left)


def _make_sendable(text: Any) -> Any:
    """Give a text as it can be sent: half of a pair of surrogates cannot."""
    if text is None:
        return None
    return str(text).encode(errors="backslashreplace").decode()


def main() -> None:
    """Answer the request on stdin, and end."""
    with serve_once() as (asked, replies):
        request = REQUEST.validate_json(asked)
        diary = Diary(request.diary)
        replies.write(ANSWER.dump_json(answer(request, diary)))
    diary.end(0)
