"""Chains as they are written: records that need nothing else.

Lines count from 1, columns from 0 in bytes of UTF-8, as in `ast` and in mypy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["sync", "async"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file, the end column not included."""

    line: int
    column: int
    end_line: int
    end_column: int

    def holds(self, line: int, column: int) -> bool:
        """Tell whether a position lies in the stretch."""
        return (self.line, self.column) <= (line, column) < (self.end_line, self.end_column)


@dataclass(frozen=True, slots=True)
class Operand:
    """What stands at one place of a chain: an expression, so far without a type.

    Attributes:
        source: its text, as written.
        span: where that text is; for a stage of an earlier chain, where that chain has it.
        name: what the stage will be called, as far as the text tells.
        settings: the calls such as `(a >> b).with_config(c)` of the chains in which it stands,
            the innermost first.
    """

    source: str
    span: Span
    name: str
    settings: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """One `>>` of a chain, or what does the same: it joins two stretches of the flat chain.

    Attributes:
        first: the index of the first stage on its left.
        middle: the index of the first stage on its right.
        end: the index behind the last stage on its right.
        left: the expression on its left.
        at: the expression on its right.
        whole: both.
        in_list: whether it is a comma of `SyncPipeline([...])`, where two functions may meet.
    """

    first: int
    middle: int
    end: int
    left: Span
    at: Span
    whole: Span
    in_list: bool = False


@dataclass(frozen=True, slots=True)
class ChainSyntax:
    """A chain as it is written.

    Attributes:
        name: the qualified name of what it is assigned to, or where it is.
        span: the expression that makes it.
        operands: the flat chain.
        joins: those that are written here; those of an earlier chain stand there.
        must_be: the family that `SyncPipeline([...])` asks of every stage.
        single_stage: whether it is one call, which may make a pipe or anything else.
    """

    name: str
    span: Span
    operands: tuple[Operand, ...]
    joins: tuple[Join, ...]
    must_be: Family | None = None
    single_stage: bool = False
