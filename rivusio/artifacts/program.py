"""What a generated module is made of, as far as a run must know.

The lines of a module have a meaning: at this one stage 2 is called with `flight`, at that one the
consumer has the floor. An exception says in its traceback at which line it came up, so the loops
themselves need not keep track of where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Literal

from rivusio.artifacts.tracebacks import LineMap, Origin
from rivusio.graph.signature import Shape

# What happens at a line:
#   source   the user's iterable is asked for an item
#   pull     an earlier part of the run is asked for an item
#   call     a stage is at work on its input
#   settle   what a stage's settings say of a failure is carried out
#   outputs  a flat-map is asked for its next output
Does = Literal["source", "pull", "call", "settle", "outputs"]


@dataclass(frozen=True, slots=True)
class Place:
    """What happens at one line of a generated module.

    Attributes:
        does: what.
        stage: the index of the stage, but for the source.
        item: the local that holds the stage's input.
        in_flush: whether the source has ended, so that no item's number belongs here.
        in_coroutine: whether the line stands for the body of a coroutine function.
    """

    does: Does
    stage: int | None = None
    item: str | None = None
    in_flush: bool = False
    in_coroutine: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """The user's statement that a generated line stands for, in the function of a stage."""

    stage: int
    line: int
    end_line: int
    column: int
    end_column: int

    def origin(self, function: FunctionType) -> Origin:
        """Say where it stands, for a traceback."""
        code = function.__code__
        position = self.line, self.end_line, self.column, self.end_column
        return Origin(code.co_filename, code.co_qualname, *position)


@dataclass(frozen=True, slots=True)
class Holding:
    """A local of a generated function that holds items of a stage between two items.

    `kind` says how: a list of a batch or window; a sliding window, with the locals that count
    beside it; the outputs of a flat-map, with the local of what they are taken from.
    """

    kind: Literal["list", "holder", "sliding", "outputs"]
    stage: int
    local: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A generated module, ready to run.

    Attributes:
        file: the module's file, as its code objects name it.
        shapes: those of the stages that it was made for, the buffer of the run included.
        namespace: the module's own names.
        places: what happens at its lines.
        holdings: for each function, the locals that hold items.
        line_map: which lines are the user's own statements.
        text: the module's text, if it stands in no file.
    """

    file: str
    shapes: tuple[Shape, ...]
    namespace: dict[str, Any]  # whatever a module holds
    places: Mapping[int, Place]
    holdings: Mapping[str, tuple[Holding, ...]]
    line_map: LineMap
    text: str = field(default="", repr=False)
