"""What can be wrong with a chain: records of what does not fit, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rivusio.compiler.frontend.syntax import Span


@dataclass(frozen=True, slots=True)
class TypesDiffer:
    """The stage `right` does not take what the stage before it gives.

    `fix` is what would make them fit, as far as that is known.
    """

    right: int
    accepts: str
    produces: str
    fix: Literal["drop_none", "batch", "flat_map", "await", "stage"]
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
AnyMismatch = TypesDiffer | IsClass | IsNoPipe | TakesNoItem | BothFunctions | MustBeSync


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What is wrong with a chain at one place.

    Attributes:
        what: the finding.
        at: the operand to point at.
        whole: all that mypy may complain of for the same reason.
        excused: whether a `type: ignore` stands there.
    """

    what: AnyMismatch
    at: Span
    whole: Span
    excused: bool = False
