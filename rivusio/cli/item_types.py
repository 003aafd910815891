"""What the first stage of a chain takes, what the last one gives."""

from __future__ import annotations

import typing
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence

from rivusio.cli.annotations import (
    UNKNOWN,
    Type,
    arguments_of,
    is_anything,
    is_open,
    is_union,
    members_of,
    origin_of,
    parameter_type_of,
    result_type_of,
    strip_aliases,
    union_of,
)
from rivusio.cli.line_readings import contents_for
from rivusio.graph.operations import (
    DropNone,
    Map,
    Operation,
    traits_of,
)
from rivusio.graph.stage import Stage


def type_of_items(stages: Sequence[Stage]) -> Type:
    """Give the type of the items that go into a chain, by its annotations; or `UNKNOWN`.

    It is that of the first stage that says one. What stands before it must pass items on as they
    are: a filter that says nothing does, and a batch without a function does in lists, which are
    taken apart; where `drop_none()` does, an item may be `None`.
    """
    lists, may_be_none = 0, False
    for stage in stages:
        operation = stage.operation
        its = _input_type_of(stage, lists)
        if not is_anything(its):
            return union_of((its, None)) if may_be_none and "json" in contents_for(its) else its
        if not _passes_on(operation):
            return its
        may_be_none = may_be_none or (not lists and isinstance(operation, DropNone))
        lists += _is_of_many(operation)
    return UNKNOWN


def type_of_results(stages: Sequence[Stage]) -> Type:
    """Give the type of what leaves a chain, by its annotations; or `UNKNOWN`."""
    lists = 0
    for stage in reversed(stages):
        operation = stage.operation
        if not _passes_on(operation):
            its = _output_type_of(stage)
            break
        lists += _is_of_many(operation)
    else:
        its = type_of_items(stages)
        lists = 0 if is_anything(its) else lists
    if is_anything(its):
        return UNKNOWN
    for _ in range(lists):
        its = list[its]  # type: ignore[valid-type]  # a type that is known when it runs
    return its


def _input_type_of(stage: Stage, lists: int) -> Type:
    """Give the type of a chain's items by the stage before which lists of them are made."""
    operation = stage.operation
    call = operation.call
    its = UNKNOWN
    if call is not None and not _is_identity(operation):
        its = parameter_type_of(call)
        if _is_of_many(operation):
            its = _element_type_of(its)
    if is_anything(its) or is_open(its):
        of_class = arguments_of(stage.pipe)[0]
        its = its if is_anything(of_class) else of_class
    for _ in range(lists):
        its = _element_type_of(its)
    return UNKNOWN if strip_aliases(its) is UNKNOWN else its


def _output_type_of(stage: Stage) -> Type:
    operation = stage.operation
    call = operation.call
    its = UNKNOWN if call is None else result_type_of(call)
    if traits_of(operation).gives_many:
        its = _element_type_of(its)
    if is_anything(its) or is_open(its):
        of_class = arguments_of(stage.pipe)[1]
        its = its if is_anything(of_class) else of_class
    return UNKNOWN if strip_aliases(its) is UNKNOWN else its


def _passes_on(operation: Operation) -> bool:
    """Tell whether what a stage gives are its items as they came, or lists of them."""
    return operation.call is None or traits_of(operation).gives_items or _is_identity(operation)


def _is_identity(operation: Operation) -> bool:
    return isinstance(operation, Map) and operation.entry == "pass"


def _is_of_many(operation: Operation) -> bool:
    """Tell whether a stage's function takes many items: a list, or a stream of them."""
    traits = traits_of(operation)
    return traits.takes_list or traits.takes_stream


def _element_type_of(its: Type) -> Type:
    """Give the type of what is in a collection, or comes out of a stream."""
    its = strip_aliases(its)
    if is_union(its):
        elements = [_element_type_of(each) for each in members_of(its) if each is not type(None)]
        return UNKNOWN if UNKNOWN in elements else union_of(tuple(elements))
    origin = origin_of(its)
    if not isinstance(origin, type) or issubclass(origin, Mapping):
        return UNKNOWN
    if not issubclass(origin, Iterable | AsyncIterable):
        return UNKNOWN
    return next(iter(typing.get_args(its)), UNKNOWN)
