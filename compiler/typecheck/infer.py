"""Types the operands of a chain one by one, from left to right.

Each stage is typed by itself, so that one wrong join hides no other: what a stage gives goes
into the next, whatever mypy made of the `>>` between them.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from mypy import types

from rivusio.compiler.frontend.forms import SAME_STAGES
from rivusio.compiler.frontend.syntax import ChainSyntax
from rivusio.compiler.typecheck import signatures, stage_types, type_predicates
from rivusio.compiler.typecheck.mismatches import (
    TypesDiffer,
)
from rivusio.compiler.typecheck.one_stage import Step, merge_steps, type_stage
from rivusio.compiler.typecheck.stage_types import (
    Function,
    Pipe,
    PipeClass,
    StageType,
)
from rivusio.compiler.typecheck.type_lookup import TypeLookup
from rivusio.compiler.typecheck.type_predicates import ANY


class Steps:
    """Goes through one chain from left to right, as far as it is asked."""

    def __init__(self, found: ChainSyntax, lookup: TypeLookup) -> None:
        self.found = found
        self.lookup = lookup
        self._meanings: dict[int, tuple[StageType, ...]] = {}
        self._steps: dict[int, list[Step]] = {}  # by the stage at which they begin

    def meaning(self, index: int) -> tuple[StageType, ...]:
        """Say what an operand is."""
        if index not in self._meanings:
            span = self.found.operands[index].span
            applied = self.lookup.applied_at(span)
            its = (applied,) if applied else stage_types.meaning_of(self.lookup.type_at(span))
            self._meanings[index] = its
        return self._meanings[index]

    def name(self, index: int) -> str:
        """Call a pipe of the user's by its class, unless its text gives it another name."""
        operand = self.found.operands[index]
        match self.meaning(index):
            case (Pipe(info=info),) if not info.fullname.startswith("rivusio.") and (
                "name=" not in operand.source
            ):
                return info.name
            case (PipeClass(name=name),):
                return name
        return operand.name

    def forget(self, index: int) -> None:
        """Forget what is known of a stage and of all behind it: mypy looks at them again."""
        for each in [each for each in self._meanings if each >= index]:
            del self._meanings[each]
        for first, steps in self._steps.items():
            del steps[max(index - first, 0) :]

    def between(self, first: int, end: int) -> list[Step]:
        """Type a stretch of the chain, as if it began with the stage `first`."""
        steps = self._steps.setdefault(first, [])
        for index in range(first + len(steps), end):
            last = None if index == first else steps[-1]
            step = self._behind(index, last)
            if last is not None and last.said is not None:
                sure = self._taking(index, last.gives)
                step = replace(sure, wrong=step.wrong, said=step.gives)
            steps.append(self._settled(index, step))
        return steps[: end - first]

    def _behind(self, index: int, last: Step | None) -> Step:
        """Type one stage behind another, by all that mypy says of what comes out of that."""
        item = None if last is None else self._item(index - 1, last)
        step = self._taking(index, item)
        return self._retried(index, step, item) if isinstance(step.wrong, TypesDiffer) else step

    def _taking(self, index: int, item: types.Type | None) -> Step:
        return merge_steps([self._step(index, each, item) for each in self.meaning(index)])

    def _settled(self, index: int, step: Step) -> Step:
        """Keep what is sure of a stage apart from what mypy has only guessed.

        Of a lambda to which it does not know what comes, mypy finds some type all the same: of
        `"x" if ... else item` it keeps the `str`, and of `None if ... else item` the `None`. In a
        list, or in `map(...).with_config(...)`, it knows of none what comes.
        """
        if self._is_of_lambda(index):
            if self._is_apart(index):
                return replace(step, gives=ANY, said=ANY)
            is_known = step.said is None and not type_predicates.is_any(step.takes)
            if not is_known and _uses_items(self.found.operands[index].source):
                said = step.said or step.gives
                return replace(step, gives=ANY, said=ANY if type_predicates.is_none(said) else said)
        return step if type_predicates.has_any(step.gives) else replace(step, said=None)

    def _step(self, index: int, meaning: StageType, item: types.Type | None) -> Step:
        return type_stage(self.lookup, self.found.operands[index], index, meaning, item)

    def _is_of_lambda(self, index: int) -> bool:
        """Tell whether a stage is a lambda, or one of rivusio's that is made with one."""
        return "lambda" in self.found.operands[index].source and not any(
            isinstance(each, Pipe) and not each.info.fullname.startswith("rivusio.")
            for each in self.meaning(index)
        )

    def _is_apart(self, index: int) -> bool:
        """Tell whether mypy types a stage without what stands on its left."""
        around = (join for join in self.found.joins if join.first <= index < join.end)
        return any(join.in_list for join in around) or any(
            f".{method}(" in self.found.operands[index].source for method in SAME_STAGES
        )

    def _item(self, index: int, step: Step) -> types.Type:
        gives = step.gives if step.said is None else step.said
        gives = self._in_place(index) if type_predicates.is_any(gives) else gives
        match self.meaning(index):
            case (Function() as function,):
                return signatures.passed_on(function, gives)
        return gives

    def _retried(self, index: int, step: Step, item: types.Type | None) -> Step:
        """Give the stage another try with its type in place, such as that of `flat_map(sorted)`."""
        in_place = self.lookup.type_in_place(self.found.operands[index].span)
        meanings = stage_types.meaning_of(in_place)
        if in_place is None or not all(isinstance(each, Pipe) for each in meanings):
            return step
        again = merge_steps([self._step(index, each, item) for each in meanings])
        return step if again.wrong else again

    def _in_place(self, index: int) -> types.Type:
        """Say what comes out of a stage by what mypy says of all up to it.

        A lambda has no type by itself, and none that holds where a join behind it is wrong; that
        it gives None is a guess (see `_settled`).
        """
        for join in self.found.joins:
            if join.middle == index + 1 and join.first < index and not join.in_list:
                match stage_types.meaning_of(self.lookup.type_at(join.left)):
                    case (Pipe(out=out),):
                        is_lambda = "lambda" in self.found.operands[index].source
                        return ANY if is_lambda and type_predicates.is_none(out) else out
        return ANY


def _uses_items(source: str) -> bool:
    """Tell whether a text has a lambda in it that uses what it is called with."""
    return any(
        isinstance(inner, ast.Name) and inner.id in _parameters(each.args)
        for each in ast.walk(ast.parse(f"({source})", mode="eval"))
        if isinstance(each, ast.Lambda)
        for inner in ast.walk(each.body)
    )


def _parameters(of: ast.arguments) -> set[str]:
    named = [*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg]
    return {each.arg for each in named if each is not None}
