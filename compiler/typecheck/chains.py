"""Types the stages of a chain, and finds the joins that do not fit."""

from __future__ import annotations

import ast

from rivusio.compiler.frontend.syntax import ChainSyntax, Operand, Span
from rivusio.compiler.typecheck import stage_types, type_predicates
from rivusio.compiler.typecheck.annotations import annotation
from rivusio.compiler.typecheck.display import text
from rivusio.compiler.typecheck.facts import UNKNOWN_PIPE
from rivusio.compiler.typecheck.infer import Steps
from rivusio.compiler.typecheck.joins import check_join, check_operand
from rivusio.compiler.typecheck.one_stage import Step
from rivusio.compiler.typecheck.stage_types import Function, NotAPipe, Pipe, PipeClass, Unknown
from rivusio.compiler.typecheck.type_lookup import TypeLookup
from rivusio.compiler.typecheck.typed import Chain, Stage, Typed


def typed(found: ChainSyntax, lookup: TypeLookup) -> Typed | None:
    """Type a chain; None if it is none, but some other use of the same operators."""
    steps = Steps(found, lookup)
    if not _is_chain(steps, lookup):
        return None
    count = range(len(found.operands))
    stages = tuple(
        _stage(steps, index, step, lookup)
        for index, step in enumerate(steps.between(0, len(count)))
    )
    mismatches = [each for join in found.joins for each in check_join(steps, join)]
    mismatches += [each for index in count for each in check_operand(steps, index)]
    chain = Chain(found.name, found.span, stages, found.single_stage)
    return Typed(chain, tuple(sorted(mismatches, key=lambda mismatch: mismatch.at)))


def _stage(steps: Steps, index: int, step: Step, lookup: TypeLookup) -> Stage:
    operand = steps.found.operands[index]
    return Stage(
        operand,
        steps.name(index),
        _class_name(operand.span, lookup),
        step.family,
        text(step.takes),
        text(step.gives),
        annotation(step.takes),
        annotation(step.gives),
        type_predicates.awaiting(step.gives),
        lookup.facts_of(operand),
    )


def _class_name(span: Span, lookup: TypeLookup) -> str | None:
    """Name the class of a pipe; that of `map(function)`, too, whose meaning is its function."""
    match stage_types.meaning_of(lookup.bare_type_at(span)):
        case (Pipe(info=info),):
            return info.fullname
    return None


def _is_chain(steps: Steps, lookup: TypeLookup) -> bool:
    found = steps.found
    if found.single_stage:
        match stage_types.meaning_of(lookup.bare_type_at(found.span)):
            case (Pipe(info=info),):
                return info.fullname not in stage_types.CHAINS
            case (Unknown(),):
                return _is_made_by_rivusio(found.operands[0], lookup)
        return False
    made = stage_types.meaning_of(lookup.type_at(found.span))
    if any(isinstance(each, Function | NotAPipe) for each in made):
        return False  # another library's `>>`
    if any(isinstance(each, Pipe) and each.info.fullname in stage_types.CHAINS for each in made):
        return True  # such as `SyncPipeline([function])`
    if any(lookup.applied_at(each.span) for each in found.operands):
        return True
    meanings = [(each, steps.meaning(index)) for index, each in enumerate(found.operands)]
    if any(isinstance(each, Pipe | PipeClass) for _, any_of in meanings for each in any_of):
        return True
    return any(
        _is_made_by_rivusio(operand, lookup)
        for operand, meaning in meanings
        if meaning == (Unknown(),)
    )


def _is_made_by_rivusio(operand: Operand, lookup: TypeLookup) -> bool:
    """Tell whether the text makes a stage of what mypy takes for anything.

        map(lambda item: item)
        @pipe
        def parse(line: str) -> Any: ...

    A lambda alone is a stage only where something else makes a chain of it.
    """
    unsure = lookup.facts_of(operand).undetermined
    match ast.parse(f"({operand.source})", mode="eval").body:
        case ast.Call():
            return unsure != UNKNOWN_PIPE
        case ast.Name() | ast.Attribute():
            return unsure is None
    return False
