"""What is known of one stage: its function, its types, and what decides how its code looks."""

from __future__ import annotations

from dataclasses import dataclass

from rivusio.compiler.frontend.functions import Function
from rivusio.graph.signature import Shape


@dataclass(frozen=True, slots=True)
class UserFunction:
    """The source of the function that a stage calls.

    Attributes:
        node: its syntax tree.
        qualname: its qualified name, such as `"Clean.process"`.
        class_name: the class whose method it is.
        module: the module it is written in.
        file: the file it is written in.
        module_names: the names that its module has.
        first_line: its first line, that of its first decorator if it has one.
        is_typed: whether a type checker has nothing against it, and it says its types.
    """

    node: Function
    qualname: str
    class_name: str | None
    module: str
    file: str
    module_names: frozenset[str]
    first_line: int
    is_typed: bool = True


@dataclass(frozen=True, slots=True)
class WrittenAt:
    """Where the function is written that a stage calls, whatever its source is good for.

    Attributes:
        file: the file.
        qualname: its qualified name.
        line: its first line.
        ordinal: which it is of the functions of that name and line, from the left.
        among: how many those are.
        is_only: whether no other definition in the file may be meant by that name.
        by_itself: whether it is enough to know it: no type of its place has a say in the code.
    """

    file: str
    qualname: str
    line: int
    ordinal: int
    among: int
    is_only: bool
    by_itself: bool = True


@dataclass(frozen=True, slots=True)
class Type:
    """A type as generated code writes it, and the modules it needs: each with its name there."""

    text: str = "Any"
    modules: tuple[tuple[str, str], ...] = ()


ANY = Type()


@dataclass(frozen=True, slots=True)
class StageInfo:
    """What is known of one stage.

    Attributes:
        index: its place in the flat chain.
        name: what people call it.
        shape: what of it decides how its code looks.
        where: the file and line that messages and comments give.
        takes: the type of its items; for a batch or window, of one item of the list.
        gives: the type of its results.
        may_be_awaitable: whether a result could be something to await, for all that is known.
        function: the user's function, if its source is known.
        no_source: why it is not.
        written_at: where the function is written, if that is known.
    """

    index: int
    name: str
    shape: Shape
    where: str = ""
    takes: Type = ANY
    gives: Type = ANY
    may_be_awaitable: bool = True
    function: UserFunction | None = None
    no_source: str = "its source is not known"
    written_at: WrittenAt | None = None
