"""Where in the user's code something was made: what was compiled of it stands beside that file."""

from __future__ import annotations

import os
import sys
import typing
from collections.abc import Iterator, Sequence
from itertools import islice
from types import CodeType, FrameType

from rivusio.graph.stage import Stage

_HERE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")  # noqa: PTH118, PTH120  names of files, as code objects have them
# `AsyncPipeline[int, str](...)` is called from there.
_ALIASES = typing.__file__
_MOST = 4096  # places whose stretch is remembered; more than that comes of code made by code

# A stretch of a file: its first line and column, its last line, and the column behind its end.
# Lines count from 1, columns from 0 in bytes of UTF-8, as in `ast`.
Stretch = tuple[int, int, int, int]

_stretches: dict[tuple[int, int], tuple[CodeType, Stretch | None]] = {}


class Place:
    """The expression that has made a chain or a pipe.

    Only the instruction is noted when it is made; which stretch of the file that is, is worked out
    when it is asked for, and goes along where a pipe is pickled.

    Args:
        code: the user's code that was running.
        instruction: where in it, in bytes.
    """

    __slots__ = ("_code", "_instruction", "_stretch", "file")

    def __init__(self, code: CodeType, instruction: int) -> None:
        self.file = code.co_filename
        self._code: CodeType | None = code
        self._instruction = instruction
        self._stretch: Stretch | None = None

    @property
    def stretch(self) -> Stretch | None:
        """The expression, as far as Python knows it: without columns it does not."""
        if self._code is not None:
            self._stretch, self._code = _stretch_of(self._code, self._instruction), None
        return self._stretch

    def __reduce__(self) -> tuple[object, ...]:
        return _place_at, (self.file, self.stretch)

    def __deepcopy__(self, _: object) -> Place:
        return self  # it is the same place for every copy


def _place_at(file: str, stretch: Stretch | None) -> Place:
    place = Place.__new__(Place)
    place.file, place._code, place._instruction, place._stretch = file, None, 0, stretch
    return place


def _stretch_of(code: CodeType, instruction: int) -> Stretch | None:
    key = id(code), instruction
    if key not in _stretches:
        if len(_stretches) >= _MOST:
            _stretches.clear()
        found = next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)
        line, end_line, column, end_column = found
        stretch = None
        if not (line is None or column is None or end_line is None or end_column is None):
            stretch = line, column, end_line, end_column
        _stretches[key] = code, stretch  # the code is kept: the key goes by identity
    return _stretches[key][1]


def is_made_by(found: Stretch, text: Stretch) -> bool:
    """Tell whether what Python notes of an expression is that expression of the text.

    Python lets a call of `a.then(b)` that is written in several lines begin at its dot.
    """
    return found == text or (found[2:] == text[2:] and text[0] < found[0] and found[1] > 0)


def calling_frame() -> FrameType:
    """Give the frame of the innermost call that is not rivusio's own."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_between(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def calling_file() -> str:
    """Give the file of that call."""
    return calling_frame().f_code.co_filename


def making_place(pipe: object) -> Place:
    """Give the place that makes a pipe: behind the constructors that its own class may have."""
    frame = calling_frame()
    while frame.f_back is not None and _constructs(frame, pipe):
        frame = frame.f_back
        while frame.f_back is not None and _is_between(frame.f_code.co_filename):
            frame = frame.f_back
    return Place(frame.f_code, frame.f_lasti)


def _constructs(frame: FrameType, pipe: object) -> bool:
    """Tell whether a frame is the call of a constructor for a pipe."""
    code = frame.f_code
    if code.co_name != "__init__" or not code.co_argcount:
        return False
    return frame.f_locals.get(code.co_varnames[0]) is pipe


def _is_between(file: str) -> bool:
    """Tell whether code of a file only stands between the user's and what it calls of rivusio's."""
    return file.startswith(_HERE) or file == _ALIASES


def files_of(place: Place | None, stages: Sequence[Stage]) -> Iterator[str]:
    """Give the files that may have an artifact of a chain beside them, the likeliest first."""
    if place is not None:
        yield place.file
    yield calling_file()
    if len(stages) == 1:  # a lone pipe: it may have been made anywhere
        module = sys.modules.get(type(stages[0].pipe).__module__)
        file = getattr(module, "__file__", None)
        if file is not None and not file.startswith(_HERE):
            yield file
