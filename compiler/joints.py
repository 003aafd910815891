"""Types the stages of a chain, and finds the joints that do not fit.

Each stage is typed by itself, so that one wrong joint hides no other: what a stage gives goes
into the next, whatever mypy made of the `>>` between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

from mypy import types
from mypy.subtypes import is_subtype
from mypy.typeops import make_simplified_union

from rivusio.compiler import operands
from rivusio.compiler.annotations import annotation
from rivusio.compiler.facts import Facts
from rivusio.compiler.ir import (
    BothFunctions,
    Chain,
    Family,
    Found,
    IsClass,
    IsNoPipe,
    Joint,
    Misfit,
    MustBeSync,
    Operand,
    Span,
    Stage,
    TakesNoItem,
    Typed,
    TypesDiffer,
    Wrong,
)
from rivusio.compiler.operands import ANY, Function, Meaning, Pipe, PipeClass, Stranger, Unknown
from rivusio.compiler.type_text import text, texts

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
class _Step:
    """One stage: what it takes, what it gives, and whether it takes what comes."""

    family: Family | None
    takes: types.Type
    gives: types.Type
    wrong: Wrong | None = None


def typed(found: Found, world: World) -> Typed | None:
    """Type a chain; None if it is none, but some other use of the same operators."""
    return _Typer(found, world).typed()


class _Typer:
    """Goes through one chain from left to right."""

    def __init__(self, found: Found, world: World) -> None:
        self._found = found
        self._world = world
        self._meanings = [self._meaning_at(each.span) for each in found.operands]

    def _meaning_at(self, span: Span) -> tuple[Meaning, ...]:
        applied = self._world.applied_at(span)
        return (applied,) if applied else operands.meaning_of(self._world.type_at(span))

    def typed(self) -> Typed | None:
        if not self._is_chain():
            return None
        steps = self._steps()
        stages = tuple(
            self._stage(operand, meanings, step)
            for operand, meanings, step in zip(
                self._found.operands, self._meanings, steps, strict=True
            )
        )
        chain = Chain(self._found.name, self._found.span, stages, self._found.lone)
        misfits = sorted(self._misfits(steps), key=lambda misfit: misfit.at)
        return Typed(chain, tuple(misfits))

    def _stage(self, operand: Operand, meanings: tuple[Meaning, ...], step: _Step) -> Stage:
        return Stage(
            operand,
            _name(operand, meanings),
            self._class_name(operand.span),
            step.family,
            text(step.takes),
            text(step.gives),
            annotation(step.takes),
            annotation(step.gives),
            operands.awaiting(step.gives),
            self._world.facts_of(operand),
        )

    def _class_name(self, span: Span) -> str | None:
        """Name the class of a pipe; that of `map(function)`, too, whose meaning is its function."""
        match operands.meaning_of(self._world.bare_type_at(span)):
            case (Pipe(info=info),):
                return info.fullname
        return None

    def _is_chain(self) -> bool:
        made = self._world.type_at(self._found.span)
        if self._found.lone:
            match operands.meaning_of(self._world.bare_type_at(self._found.span)):
                case (Pipe(info=info),):
                    return info.fullname not in operands.CHAINS
            return False
        if any(isinstance(each, Function | Stranger) for each in operands.meaning_of(made)):
            return False  # another library's `>>`
        return any(
            isinstance(each, Pipe | PipeClass) for meanings in self._meanings for each in meanings
        ) or any(self._world.applied_at(each.span) for each in self._found.operands)

    def _steps(self) -> list[_Step]:
        steps: list[_Step] = []
        item: types.Type | None = None
        for index, meanings in enumerate(self._meanings):
            step = _together([self._step(index, each, item) for each in meanings])
            if isinstance(step.wrong, TypesDiffer):
                step = self._retried(index, step, item)
            steps.append(step)
            item = self._in_place(index) if _is_any(step.gives) else step.gives
        return steps

    def _retried(self, index: int, step: _Step, item: types.Type | None) -> _Step:
        """Give the stage another try with its type in place, such as that of `flat_map(sorted)`."""
        in_place = self._world.type_in_place(self._found.operands[index].span)
        meanings = operands.meaning_of(in_place)
        if in_place is None or not all(isinstance(each, Pipe) for each in meanings):
            return step
        again = _together([self._step(index, each, item) for each in meanings])
        return step if again.wrong else again

    def _in_place(self, index: int) -> types.Type:
        """Say what comes out of a stage by what mypy says of all up to it.

        A lambda has no type by itself, and none that holds where a joint behind it is wrong.
        """
        for joint in self._found.joints:
            if joint.middle == index + 1 and joint.first < index and not joint.in_list:
                match operands.meaning_of(self._world.type_at(joint.left)):
                    case (Pipe(out=out),):
                        return out
        return ANY

    def _step(self, index: int, meaning: Meaning, item: types.Type | None) -> _Step:
        """Type one stage to which `item` comes; None comes to the first."""
        match meaning:
            case Pipe():
                return self._pipe(index, meaning, item)
            case Function():
                return self._function(index, meaning, item)
            case PipeClass(name=name):
                return _Step(None, ANY, ANY, IsClass(index, name))
            case Stranger(type=its):
                whole = self._world.type_at(self._found.operands[index].span)
                return _Step(None, ANY, ANY, IsNoPipe(index, text(whole or its)))
            case Unknown():
                return _Step(None, ANY, ANY)
            case _:
                assert_never(meaning)

    def _pipe(self, index: int, pipe: Pipe, item: types.Type | None) -> _Step:
        comes = ANY if item is None else item
        match pipe.gives:
            case "the same":
                return _Step(pipe.family, comes, comes)
            case "lists":
                return _Step(pipe.family, comes, self._world.list_of(comes))
            case "without None":
                return _Step(pipe.family, comes, operands.without_none(comes))
            case "its own":
                wrong = self._differs(index, comes, pipe.takes, meaning=pipe)
                return _Step(pipe.family, pipe.takes, pipe.out, wrong)
            case _:
                assert_never(pipe.gives)

    def _function(self, index: int, function: Function, item: types.Type | None) -> _Step:
        taken = operands.taken(function)
        if not taken:
            return _Step(None, ANY, ANY, TakesNoItem(index, text(function.type)))
        called = operands.call(function, item, self._world.function) if item else None
        if called is not None:
            gives = item if item and function.keeps else called.gives
            return _Step(called.family, called.takes, gives)
        alone = operands.given(function)
        gives = alone.takes if function.keeps else alone.gives
        if item is None:
            return _Step(alone.family, alone.takes, gives)
        accepted = make_simplified_union(taken)
        wrong = self._differs(index, item, accepted, meaning=function, surely=True)
        return _Step(alone.family, accepted, gives, wrong)

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
            return operands.call(right, item, self._world.function) is not None

        present = operands.without_none(comes)
        if present is not comes and fits(present):
            return "drop_none"
        is_none = isinstance(types.get_proper_type(comes), types.NoneType)
        if not is_none and fits(self._world.list_of(comes)):
            return "batch"
        awaited, element = operands.awaitable_of(comes), operands.element_of(comes)
        if awaited is not None and fits(awaited):
            return "await"
        return "flat_map" if element is not None and fits(element) else "stage"

    # What is wrong, and where

    def _misfits(self, steps: list[_Step]) -> Iterator[Misfit]:
        for joint in self._found.joints:
            if self._joins_functions(joint):
                yield Misfit(BothFunctions(joint.middle), joint.at, joint.whole)
            elif isinstance(wrong := steps[joint.middle].wrong, TypesDiffer):
                yield Misfit(wrong, joint.at, joint.whole)
        for index, (operand, step) in enumerate(zip(self._found.operands, steps, strict=True)):
            if not _is_within(operand.span, self._found.span):
                continue  # a stage of an earlier chain: it is reported there
            if step.wrong is not None and not isinstance(step.wrong, TypesDiffer):
                yield Misfit(step.wrong, operand.span, self._joint_around(index))
            if self._found.must_be == "sync" and step.family == "async":
                yield Misfit(MustBeSync(index), operand.span, operand.span)

    def _joins_functions(self, joint: Joint) -> bool:
        """Tell whether neither side of a joint is a pipe."""
        sides = self._meanings[joint.first : joint.end]
        return (
            not joint.in_list
            and len(sides) == joint.end - joint.first == 2  # one on each side
            and all(isinstance(each, Function) for side in sides for each in side)
            and not any(
                self._world.applied_at(each.span)
                for each in self._found.operands[joint.first : joint.end]
            )
        )

    def _joint_around(self, index: int) -> Span:
        around = [j.whole for j in self._found.joints if j.first <= index < j.end]
        return min(around, key=_extent, default=self._found.span)


def _is_any(of: types.Type) -> bool:
    return isinstance(types.get_proper_type(of), types.AnyType)


def _together(steps: list[_Step]) -> _Step:
    """Give one step for what may be any of several: it is wrong if one of them is."""
    if len(steps) == 1:
        return steps[0]
    families = {step.family for step in steps}
    return _Step(
        families.pop() if len(families) == 1 else None,
        make_simplified_union([step.takes for step in steps]),
        make_simplified_union([step.gives for step in steps]),
        next((step.wrong for step in steps if step.wrong is not None), None),
    )


def _name(operand: Operand, meanings: tuple[Meaning, ...]) -> str:
    """Call a pipe of the user's by its class, unless its text gives it another name."""
    match meanings:
        case (Pipe(info=info),) if not info.fullname.startswith("rivusio.") and (
            "name=" not in operand.source
        ):
            return info.name
        case (PipeClass(name=name),):
            return name
    return operand.name


def _is_within(inner: Span, outer: Span) -> bool:
    return (outer.line, outer.column) <= (inner.line, inner.column) and (
        (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _extent(span: Span) -> tuple[int, int]:
    return span.end_line - span.line, span.end_column - span.column
