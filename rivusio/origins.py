"""In which of the user's files something was made: what was compiled stands beside it."""

from __future__ import annotations

import os
import sys
import typing
from collections.abc import Iterator, Sequence
from types import FrameType

from rivusio.stage import Stage

_HERE = os.path.join(os.path.dirname(__file__), "")  # noqa: PTH118, PTH120  names of files, as code objects have them
# `AsyncPipeline[int, str](...)` is called from there.
_ALIASES = typing.__file__


def calling_frame() -> FrameType:
    """Give the frame of the innermost call that is not rivusio's own."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_between(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def calling_file() -> str:
    """Give the file of that call."""
    return calling_frame().f_code.co_filename


def _is_between(file: str) -> bool:
    """Tell whether code of a file only stands between the user's and what it calls of rivusio's."""
    return file.startswith(_HERE) or file == _ALIASES


def files_of(origin: str | None, stages: Sequence[Stage]) -> Iterator[str]:
    """Give the files that may have an artifact of a chain beside them, the likeliest first."""
    if origin is not None:
        yield origin
    yield calling_file()
    if len(stages) == 1:  # a lone pipe: it may have been made anywhere
        module = sys.modules.get(type(stages[0].pipe).__module__)
        file = getattr(module, "__file__", None)
        if file is not None and not file.startswith(_HERE):
            yield file
