"""Says which joins of a chain are surely right, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator

from mypy import types
from mypy.subtypes import is_subtype

from rivusio.compiler.frontend.syntax import ChainSyntax, Join, Span
from rivusio.compiler.known_names import IN_PIPELINE
from rivusio.compiler.typecheck import signatures, type_predicates
from rivusio.compiler.typecheck.infer import Steps
from rivusio.compiler.typecheck.mismatches import (
    BothFunctions,
    Mismatch,
    MustBeSync,
    TypesDiffer,
)
from rivusio.compiler.typecheck.one_stage import Step
from rivusio.compiler.typecheck.stage_types import (
    Function,
    Pipe,
    StageType,
)


def fits(
    left: tuple[StageType, ...], right: tuple[StageType, ...], function: types.Instance
) -> bool:
    """Tell whether a join is surely right, by what stands on its two sides alone.

    Args:
        left: what the left side is.
        right: what the right side is.
        function: mypy's class of functions.
    """
    match left:
        case (Pipe(out=out),) if not (type_predicates.is_any(out) or type_predicates.is_never(out)):
            pass
        case _:
            return False
    match right:
        case (Pipe(gives="its own", takes=takes, info=info),):
            is_open = type_predicates.is_any(takes) and info.fullname.startswith(IN_PIPELINE)
            return not is_open and is_subtype(out, takes)
        case (Pipe(),):
            return True
        case (Function() as called,):
            return signatures.call(called, out, function) is not None
    return False


def check_join(steps: Steps, join: Join, first: int = 0) -> Iterator[Mismatch]:
    """Say what is wrong at one join, in the stretch of the chain that begins at `first`."""
    if _joins_functions(steps, join):
        yield Mismatch(BothFunctions(join.middle), join.at, join.whole)
        return
    wrong = steps.between(first, join.middle + 1)[join.middle - first].wrong
    if isinstance(wrong, TypesDiffer):
        yield Mismatch(wrong, join.at, join.whole)


def check_operand(steps: Steps, index: int, first: int = 0) -> Iterator[Mismatch]:
    """Say what is wrong with one operand, whatever stands beside it."""
    operand = steps.found.operands[index]
    if not _is_within(operand.span, steps.found.span):
        return  # a stage of an earlier chain: it is reported there
    step = steps.between(first, index + 1)[index - first]
    if step.wrong is not None and not isinstance(step.wrong, TypesDiffer):
        around = join_around(steps.found, index)
        whole = steps.found.span if around is None else around.whole
        yield Mismatch(step.wrong, operand.span, whole)
    if steps.found.must_be == "sync" and _is_surely_async(steps, index, step):
        yield Mismatch(MustBeSync(index), operand.span, operand.span)


def _is_surely_async(steps: Steps, index: int, step: Step) -> bool:
    """Tell whether a stage needs an event loop, and mypy has not only guessed so.

    Of `map(call)` and `filter(call)` it takes the overload for coroutine functions where `call`
    is an object that gives `Any`: that is the first.
    """
    if step.family != "async":
        return False
    is_made = any(
        isinstance(each, Pipe) and each.info.fullname.startswith("rivusio.")
        for each in steps.meaning(index)
    )
    is_guess = is_made and (type_predicates.is_any(step.gives) or steps.name(index) == "filter")
    operand = steps.found.operands[index]
    return not is_guess or steps.lookup.facts_of(operand).undetermined is None


def join_around(found: ChainSyntax, index: int) -> Join | None:
    """Give the innermost join that has the operand on one of its sides."""
    around = [each for each in found.joins if each.first <= index < each.end]
    return min(around, key=lambda join: _extent(join.whole), default=None)


def _joins_functions(steps: Steps, join: Join) -> bool:
    """Tell whether neither side of a join is a pipe."""
    stretch = range(join.first, join.end)
    return (
        not join.in_list
        and len(stretch) == 2  # one on each side
        and all(isinstance(each, Function) for index in stretch for each in steps.meaning(index))
        and not any(steps.lookup.applied_at(steps.found.operands[index].span) for index in stretch)
    )


def _is_within(inner: Span, outer: Span) -> bool:
    return (outer.line, outer.column) <= (inner.line, inner.column) and (
        (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _extent(span: Span) -> tuple[int, int]:
    return span.end_line - span.line, span.end_column - span.column
