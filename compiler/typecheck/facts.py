"""What is known without running the program: of stages, and of the functions they may call."""

from __future__ import annotations

from dataclasses import dataclass

from rivusio.compiler.frontend.functions import FunctionRef
from rivusio.graph.signature import Shape

UNKNOWN_PIPE = "what pipe it is, is not written here"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the text says of one stage; a run compares it with the live stage first.

    Attributes:
        shape: what decides how its code looks; None if the text does not tell.
        function: where the function is written that the stage calls.
        no_function: why that is not known, or of no use; empty if it is.
        is_typed: whether the function says its types, and mypy has nothing against its body.
        may_give_awaitable: whether what the function gives could be awaited, for all that mypy
            knows; of a coroutine function, what awaiting it gives.
        undetermined: what the text does not tell, in words that go behind the stage's name; None if
            it tells all, `UNKNOWN_PIPE` if it does not even tell what makes the stage.
        at: where the function is written, whatever that is good for; None if it is not known.
        by_itself: whether that is enough to know: no type of the stage's place has a say in it.
    """

    shape: Shape | None
    function: FunctionRef | None
    no_function: str
    is_typed: bool
    may_give_awaitable: bool
    undetermined: str | None
    at: FunctionRef | None = None
    by_itself: bool = True


@dataclass(frozen=True, slots=True)
class KnownFunction:
    """What mypy knows of a function in a file; see `Facts`."""

    file: str
    qualname: str
    line: int
    is_typed: bool
    may_give_awaitable: bool
    by_itself: bool = True


@dataclass(frozen=True, slots=True)
class KnownModule:
    """A module as mypy calls it, its file, and the names that it has."""

    name: str
    file: str
    names: tuple[str, ...]
