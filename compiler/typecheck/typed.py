"""What one phase of the compiler's front end hands to the next: frozen records, and nothing else.

find: text -> ChainSyntax       chains as they are written
type: ChainSyntax -> Typed      the same chains with their types, and the joins that do not fit
check: Typed -> Diagnostic
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rivusio.compiler.frontend.syntax import Family, Operand, Span
from rivusio.compiler.typecheck.facts import Facts
from rivusio.compiler.typecheck.mismatches import Mismatch

Awaitable = Literal["never", "maybe"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A type as a generated module writes it: `dict[str, m_flights.Delays]`.

    Attributes:
        text: the type; a class that is not built in stands behind the alias of its module.
        modules: the full names of the modules whose aliases stand in it, sorted.
        any_reason: why it holds `Any` where the user's type does not; None if it holds none.
    """

    text: str
    modules: tuple[str, ...]
    any_reason: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a typed chain.

    Attributes:
        operand: where it comes from.
        name: what it is called.
        class_name: the full name of the pipe's class, as mypy knows it, whatever its settings;
            that of a family where mypy knows no more; None for a function.
        family: sync or async; None where mypy cannot tell.
        takes: the type of its items, for people.
        gives: the type of its results, for people.
        takes_as: the type of its items, for a generated module.
        gives_as: the type of its results, for a generated module.
        awaitable: "never" if mypy proves that no value of the type it gives can be awaited.
        facts: what the text says of how it runs.
    """

    operand: Operand
    name: str
    class_name: str | None
    family: Family | None
    takes: str
    gives: str
    takes_as: Annotation
    gives_as: Annotation
    awaitable: Awaitable
    facts: Facts


@dataclass(frozen=True, slots=True)
class Chain:
    """A typed chain: its qualified name, where it is made, and its flat stages.

    A single-stage chain is a chain of one stage.
    """

    name: str
    span: Span
    stages: tuple[Stage, ...]
    single_stage: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """A chain with its types, and what is wrong with it."""

    chain: Chain
    mismatches: tuple[Mismatch, ...]
