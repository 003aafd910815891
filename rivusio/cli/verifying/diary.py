"""Where a process that runs chains is, and who ends it: for the one that waits for its answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

from pydantic import TypeAdapter

from rivusio.graph.stage import Stage
from rivusio.safe_repr import repr_of
from rivusio.user_code.describe import describe_error


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The run that a process is in.

    Attributes:
        chain: the name of the chain.
        number: the number of the run, from 1.
        title: what it is like.
        exits: what ended the process in it, if that has said so.
    """

    chain: str
    number: int
    title: str
    exits: str = ""


WHEREABOUTS = TypeAdapter(Whereabouts)


class Diary:
    """Writes down where the process is, as it may be ended at any moment.

    Args:
        path: the file to write to.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._now: Whereabouts | None = None
        self._stages: Sequence[Stage] = ()
        self._exit = os._exit
        os._exit = self._leave  # what ends a process without a word

    def enter(self, stages: Sequence[Stage], now: Whereabouts) -> None:
        """Note that a run begins."""
        self._now, self._stages = now, stages
        self._path.write_bytes(WHEREABOUTS.dump_json(now))

    def end(self, code: int) -> NoReturn:
        """End the process: threads that the user's file has started shall not keep it."""
        self._exit(code)

    def _leave(self, status: int) -> NoReturn:
        if self._now is not None:
            codes = [frame.f_code for frame in _frames(sys._getframe())]
            exits = f"{_stage_of(self._stages, codes)} called os._exit({repr_of(status)})"
            self._path.write_bytes(WHEREABOUTS.dump_json(replace(self._now, exits=exits)))
        self._exit(status)


def describe_leaving(stages: Sequence[Stage], error: BaseException) -> str:
    """Say which stage has left a run, and how."""
    codes, traceback = [], error.__traceback__
    while traceback is not None:
        codes.append(traceback.tb_frame.f_code)
        traceback = traceback.tb_next
    return f"{_stage_of(stages, codes)} raised {describe_error(error)}"


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _stage_of(stages: Sequence[Stage], codes: Sequence[CodeType]) -> str:
    """Name the stage whose function is being called; a function of C is not seen."""
    for index, stage in enumerate(stages):
        if any(code is each for code in _codes_of(stage.operation.call) for each in codes):
            return f'stage {index + 1} "{stage.name}"'
    return "a stage"


def _codes_of(function: Any) -> Iterator[CodeType]:  # whatever can be called
    """Give the code of a function, and of what it wraps."""
    for _ in range(100):  # a wrapper may wrap itself
        if isinstance(function, partial):
            function = function.func
            continue
        function = getattr(function, "__func__", function)
        code = getattr(function, "__code__", None) or getattr(
            getattr(type(function), "__call__", None),  # noqa: B004  its own is asked for
            "__code__",
            None,
        )
        if isinstance(code, CodeType):
            yield code
        function = getattr(function, "__wrapped__", None)
        if function is None:
            return
