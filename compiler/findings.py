"""Chains as they are written, and what is wrong with them: records that need nothing else.

Lines count from 1, columns from 0 in bytes of UTF-8, as in `ast` and in mypy; only a
`Diagnostic` counts columns as people do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["sync", "async"]
Severity = Literal["error", "warning"]
Awaitable = Literal["never", "maybe"]

CHAIN = "rivusio-chain"  # the code of what is wrong with a chain
COMPILE = "rivusio-compile"  # the code of what stands in the way of compiling one


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
class Joint:
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
class Found:
    """A chain as it is written.

    Attributes:
        name: the qualified name of what it is assigned to, or where it is.
        span: the expression that makes it.
        operands: the flat chain.
        joints: those that are written here; those of an earlier chain stand there.
        must_be: the family that `SyncPipeline([...])` asks of every stage.
        lone: whether it is one call, which may make a pipe or anything else.
    """

    name: str
    span: Span
    operands: tuple[Operand, ...]
    joints: tuple[Joint, ...]
    must_be: Family | None = None
    lone: bool = False


@dataclass(frozen=True, slots=True)
class TypesDiffer:
    """The stage `right` does not take what the stage before it gives.

    `mend` is what would make them fit, as far as that is known.
    """

    right: int
    accepts: str
    produces: str
    mend: Literal["drop_none", "batch", "flat_map", "await", "stage"]
    kind: Literal["TypesDiffer"] = "TypesDiffer"


@dataclass(frozen=True, slots=True)
class IsClass:
    """The stage is the class of a pipe, and no pipe."""

    stage: int
    class_name: str
    kind: Literal["IsClass"] = "IsClass"


@dataclass(frozen=True, slots=True)
class IsNoPipe:
    """The stage is nothing that can be joined; `type` is what it is."""

    stage: int
    type: str
    kind: Literal["IsNoPipe"] = "IsNoPipe"


@dataclass(frozen=True, slots=True)
class TakesNoItem:
    """The stage is a function that cannot be called with one item; `type` is what it is."""

    stage: int
    type: str
    kind: Literal["TakesNoItem"] = "TakesNoItem"


@dataclass(frozen=True, slots=True)
class BothFunctions:
    """Neither the stage `right` nor the one before it is a pipe: Python cannot join them."""

    right: int
    kind: Literal["BothFunctions"] = "BothFunctions"


@dataclass(frozen=True, slots=True)
class MustBeSync:
    """The stage is async, in a `SyncPipeline`."""

    stage: int
    kind: Literal["MustBeSync"] = "MustBeSync"


# What is wrong; `kind` tells them apart on their way out of the child process.
Wrong = TypesDiffer | IsClass | IsNoPipe | TakesNoItem | BothFunctions | MustBeSync


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with a chain at one place.

    Attributes:
        what: the finding.
        at: the operand to point at.
        whole: all that mypy may complain of for the same reason.
        excused: whether a `type: ignore` stands there.
    """

    what: Wrong
    at: Span
    whole: Span
    excused: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, for people and for editors.

    Attributes:
        path: the file, as the user gave it.
        line: from 1.
        column: from 1, in characters.
        severity: an error makes the check fail, a warning does not.
        message: what is wrong.
        code: the kind of finding; for what mypy says, its own code.
        note: what to do about it, if that is known.
    """

    path: str
    line: int
    column: int
    severity: Severity
    message: str
    code: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}"
        code = f"  [{self.code}]" if self.code else ""
        note = f"\n{place}: note: {self.note}" if self.note else ""
        return f"{place}: {self.severity}: {self.message}{code}{note}"
