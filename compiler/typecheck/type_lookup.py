"""What the types of a chain are looked up in: the file as mypy knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mypy import types

from rivusio.compiler.frontend.syntax import Operand, Span
from rivusio.compiler.typecheck.stage_types import (
    Function,
)

if TYPE_CHECKING:  # what a plugin of mypy imports has to be light
    from rivusio.compiler.typecheck.facts import Facts


@dataclass(frozen=True)
class TypeLookup:
    """What a chain is typed against.

    Attributes:
        type_at: the type of the expression at a span; None where mypy has none.
        bare_type_at: its type before `with_config` and its kin, which give pipelines.
        type_in_place: its type between its neighbours; None where mypy complains of them.
        applied_at: the function of `map(function)` and its kin at a span.
        facts_of: what the text says of a stage.
        function: mypy's class of functions.
        list_of: gives the type of a list of such items.
    """

    type_at: Callable[[Span], types.Type | None]
    bare_type_at: Callable[[Span], types.Type | None]
    type_in_place: Callable[[Span], types.Type | None]
    applied_at: Callable[[Span], Function | None]
    facts_of: Callable[[Operand], Facts]
    function: types.Instance
    list_of: Callable[[types.Type], types.Type]
