"""Types the operands of a chain one by one, and says where one does not take what comes.

Each stage is typed by itself, so that one wrong joint hides no other: what a stage gives goes
into the next, whatever mypy made of the `>>` between them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, assert_never

from mypy import types
from mypy.subtypes import is_subtype
from mypy.typeops import make_simplified_union

from rivusio.compiler.frontend.finder import SAME_STAGES
from rivusio.compiler.frontend.syntax import Family, Found, Joint, Operand, Span
from rivusio.compiler.known_names import IN_PIPELINE
from rivusio.compiler.typecheck import stage_types
from rivusio.compiler.typecheck.display import text, texts
from rivusio.compiler.typecheck.mismatches import (
    BothFunctions,
    IsClass,
    IsNoPipe,
    Misfit,
    MustBeSync,
    TakesNoItem,
    TypesDiffer,
    Wrong,
)
from rivusio.compiler.typecheck.stage_types import (
    ANY,
    Function,
    Meaning,
    Pipe,
    PipeClass,
    Stranger,
    Unknown,
)

if TYPE_CHECKING:  # what a plugin of mypy imports has to be light
    from rivusio.compiler.typecheck.facts import Facts

Mend = Literal["drop_none", "batch", "flat_map", "await", "stage"]


@dataclass(frozen=True)
class World:
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


@dataclass(frozen=True)
class Step:
    """One stage: what it takes, what it gives, and whether it takes what comes.

    Of some stages mypy only guesses what they give. That is `said` and does to find a wrong joint;
    `gives` has `Any` for it, which is true of every value.
    """

    family: Family | None
    takes: types.Type
    gives: types.Type
    wrong: Wrong | None = None
    said: types.Type | None = None


def fits(left: tuple[Meaning, ...], right: tuple[Meaning, ...], function: types.Instance) -> bool:
    """Tell whether a joint is surely right, by what stands on its two sides alone.

    Args:
        left: what the left side is.
        right: what the right side is.
        function: mypy's class of functions.
    """
    match left:
        case (Pipe(out=out),) if not (stage_types.is_any(out) or stage_types.is_never(out)):
            pass
        case _:
            return False
    match right:
        case (Pipe(gives="its own", takes=takes, info=info),):
            is_open = stage_types.is_any(takes) and info.fullname.startswith(IN_PIPELINE)
            return not is_open and is_subtype(out, takes)
        case (Pipe(),):
            return True
        case (Function() as called,):
            return stage_types.call(called, out, function) is not None
    return False


class Steps:
    """Goes through one chain from left to right, as far as it is asked."""

    def __init__(self, found: Found, world: World) -> None:
        self.found = found
        self._world = world
        self._meanings: dict[int, tuple[Meaning, ...]] = {}
        self._steps: dict[int, list[Step]] = {}  # by the stage at which they begin

    def meaning(self, index: int) -> tuple[Meaning, ...]:
        """Say what an operand is."""
        if index not in self._meanings:
            span = self.found.operands[index].span
            applied = self._world.applied_at(span)
            its = (applied,) if applied else stage_types.meaning_of(self._world.type_at(span))
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
        return _together([self._step(index, each, item) for each in self.meaning(index)])

    def _settled(self, index: int, step: Step) -> Step:
        """Keep what is sure of a stage apart from what mypy has only guessed.

        Of a lambda to which it does not know what comes, mypy finds some type all the same: of
        `"x" if ... else item` it keeps the `str`, and of `None if ... else item` the `None`. In a
        list, or in `map(...).with_config(...)`, it knows of none what comes.
        """
        if self._is_of_lambda(index):
            if self._is_apart(index):
                return replace(step, gives=ANY, said=ANY)
            is_known = step.said is None and not stage_types.is_any(step.takes)
            if not is_known and _uses_items(self.found.operands[index].source):
                said = step.said or step.gives
                return replace(step, gives=ANY, said=ANY if stage_types.is_none(said) else said)
        return step if stage_types.has_any(step.gives) else replace(step, said=None)

    def _is_of_lambda(self, index: int) -> bool:
        """Tell whether a stage is a lambda, or one of rivusio's that is made with one."""
        return "lambda" in self.found.operands[index].source and not any(
            isinstance(each, Pipe) and not each.info.fullname.startswith("rivusio.")
            for each in self.meaning(index)
        )

    def _is_apart(self, index: int) -> bool:
        """Tell whether mypy types a stage without what stands on its left."""
        around = (joint for joint in self.found.joints if joint.first <= index < joint.end)
        return any(joint.in_list for joint in around) or any(
            f".{method}(" in self.found.operands[index].source for method in SAME_STAGES
        )

    def _item(self, index: int, step: Step) -> types.Type:
        gives = step.gives if step.said is None else step.said
        gives = self._in_place(index) if stage_types.is_any(gives) else gives
        match self.meaning(index):
            case (Function() as function,):
                return stage_types.passed_on(function, gives)
        return gives

    def _retried(self, index: int, step: Step, item: types.Type | None) -> Step:
        """Give the stage another try with its type in place, such as that of `flat_map(sorted)`."""
        in_place = self._world.type_in_place(self.found.operands[index].span)
        meanings = stage_types.meaning_of(in_place)
        if in_place is None or not all(isinstance(each, Pipe) for each in meanings):
            return step
        again = _together([self._step(index, each, item) for each in meanings])
        return step if again.wrong else again

    def _in_place(self, index: int) -> types.Type:
        """Say what comes out of a stage by what mypy says of all up to it.

        A lambda has no type by itself, and none that holds where a joint behind it is wrong; that
        it gives None is a guess (see `_settled`).
        """
        for joint in self.found.joints:
            if joint.middle == index + 1 and joint.first < index and not joint.in_list:
                match stage_types.meaning_of(self._world.type_at(joint.left)):
                    case (Pipe(out=out),):
                        is_lambda = "lambda" in self.found.operands[index].source
                        return ANY if is_lambda and stage_types.is_none(out) else out
        return ANY

    def _step(self, index: int, meaning: Meaning, item: types.Type | None) -> Step:
        """Type one stage to which `item` comes; None comes to the first."""
        match meaning:
            case Pipe():
                return self._pipe(index, meaning, item)
            case Function():
                return self._function(index, meaning, item)
            case PipeClass(name=name):
                return Step(None, ANY, ANY, IsClass(index, name))
            case Stranger(type=its):
                whole = self._world.type_at(self.found.operands[index].span)
                return Step(None, ANY, ANY, IsNoPipe(index, text(whole or its)))
            case Unknown():
                return Step(None, ANY, ANY)
            case _:
                assert_never(meaning)

    def _pipe(self, index: int, pipe: Pipe, item: types.Type | None) -> Step:
        comes = ANY if item is None else item
        match pipe.gives:
            case "the same":
                return Step(pipe.family, comes, comes)
            case "lists":
                return Step(pipe.family, comes, self._world.list_of(comes))
            case "without None":
                left = stage_types.without_none(comes)
                # Where only None comes nothing goes on, and fits anything.
                return Step(pipe.family, comes, ANY if stage_types.is_none(left) else left)
            case "its own":
                wrong = self._differs(index, comes, pipe.takes, meaning=pipe)
                return Step(pipe.family, pipe.takes, pipe.out, wrong)
            case _:
                assert_never(pipe.gives)

    def _function(self, index: int, function: Function, item: types.Type | None) -> Step:
        taken = stage_types.taken(function)
        if not taken:
            return Step(None, ANY, ANY, TakesNoItem(index, text(function.type)))
        called = stage_types.call(function, item, self._world.function) if item else None
        if called is not None:
            gives = item if item and function.keeps else called.gives
            return Step(called.family, called.takes, gives)
        alone = stage_types.given(function)
        gives = alone.takes if function.keeps else alone.gives
        if item is None:
            return Step(alone.family, alone.takes, gives)
        accepted = make_simplified_union(taken)
        wrong = self._differs(index, item, accepted, meaning=function, surely=True)
        return Step(alone.family, accepted, gives, wrong)

    def _differs(
        self,
        index: int,
        comes: types.Type,
        accepted: types.Type,
        *,
        meaning: Pipe | Function,
        surely: bool = False,
    ) -> TypesDiffer | None:
        if not surely and is_subtype(comes, accepted):
            return None
        accepts, produces = texts(accepted, comes)
        return TypesDiffer(index, accepts, produces, self._mend(comes, meaning))

    def _mend(self, comes: types.Type, right: Pipe | Function) -> Mend:
        def fits(item: types.Type) -> bool:
            if isinstance(right, Pipe):
                return is_subtype(item, right.takes)
            return stage_types.call(right, item, self._world.function) is not None

        present = stage_types.without_none(comes)
        if present is not comes and fits(present):
            return "drop_none"
        if not stage_types.is_none(comes) and fits(self._world.list_of(comes)):
            return "batch"
        awaited, element = stage_types.awaitable_of(comes), stage_types.element_of(comes)
        if awaited is not None and fits(awaited):
            return "await"
        return "flat_map" if element is not None and fits(element) else "stage"

    # What is wrong, and where

    def of_joint(self, joint: Joint, first: int = 0) -> Iterator[Misfit]:
        """Say what is wrong at one joint, in the stretch of the chain that begins at `first`."""
        if self._joins_functions(joint):
            yield Misfit(BothFunctions(joint.middle), joint.at, joint.whole)
            return
        wrong = self.between(first, joint.middle + 1)[joint.middle - first].wrong
        if isinstance(wrong, TypesDiffer):
            yield Misfit(wrong, joint.at, joint.whole)

    def of_operand(self, index: int, first: int = 0) -> Iterator[Misfit]:
        """Say what is wrong with one operand, whatever stands beside it."""
        operand = self.found.operands[index]
        if not _is_within(operand.span, self.found.span):
            return  # a stage of an earlier chain: it is reported there
        step = self.between(first, index + 1)[index - first]
        if step.wrong is not None and not isinstance(step.wrong, TypesDiffer):
            around = self.joint_around(index)
            whole = self.found.span if around is None else around.whole
            yield Misfit(step.wrong, operand.span, whole)
        if self.found.must_be == "sync" and self._is_surely_async(index, step):
            yield Misfit(MustBeSync(index), operand.span, operand.span)

    def _is_surely_async(self, index: int, step: Step) -> bool:
        """Tell whether a stage needs an event loop, and mypy has not only guessed so.

        Of `map(call)` and `filter(call)` it takes the overload for coroutine functions where `call`
        is an object that gives `Any`: that is the first.
        """
        if step.family != "async":
            return False
        is_made = any(
            isinstance(each, Pipe) and each.info.fullname.startswith("rivusio.")
            for each in self.meaning(index)
        )
        is_guess = is_made and (stage_types.is_any(step.gives) or self.name(index) == "filter")
        return not is_guess or self._world.facts_of(self.found.operands[index]).unsure is None

    def joint_around(self, index: int) -> Joint | None:
        """Give the innermost joint that has the operand on one of its sides."""
        around = [each for each in self.found.joints if each.first <= index < each.end]
        return min(around, key=lambda joint: _extent(joint.whole), default=None)

    def _joins_functions(self, joint: Joint) -> bool:
        """Tell whether neither side of a joint is a pipe."""
        stretch = range(joint.first, joint.end)
        return (
            not joint.in_list
            and len(stretch) == 2  # one on each side
            and all(isinstance(each, Function) for index in stretch for each in self.meaning(index))
            and not any(
                self._world.applied_at(self.found.operands[index].span) for index in stretch
            )
        )


def _together(steps: list[Step]) -> Step:
    """Give one step for what may be any of several: it is wrong if one of them is."""
    if len(steps) == 1:
        return steps[0]
    families = {step.family for step in steps}
    return Step(
        families.pop() if len(families) == 1 else None,
        make_simplified_union([step.takes for step in steps]),
        make_simplified_union([step.gives for step in steps]),
        next((step.wrong for step in steps if step.wrong is not None), None),
    )


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


def _is_within(inner: Span, outer: Span) -> bool:
    return (outer.line, outer.column) <= (inner.line, inner.column) and (
        (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _extent(span: Span) -> tuple[int, int]:
    return span.end_line - span.line, span.end_column - span.column
