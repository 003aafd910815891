"""What the first stage of a chain takes, what the last one gives, and how lines are read for it."""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import (
    AsyncIterable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from rivusio.cli.said_types import (
    UNKNOWN,
    Type,
    arguments_of,
    bare,
    given_by,
    is_open,
    is_union,
    members_of,
    origin_of,
    taken_by,
    union_of,
)
from rivusio.graph.operations import (
    Batch,
    DropNone,
    Filter,
    FlatMap,
    Map,
    Operation,
    SlidingWindow,
    TumblingWindow,
    UserStream,
    call_of,
)
from rivusio.graph.stage import Stage
from rivusio.io.line_items import Kind, Reading, kind_by_name

Said = Literal["text", "json"]

READ_ONCE = (Iterable, Iterator, Generator)
BYTES = (bytes, bytearray, memoryview)
BUFFER = getattr(collections.abc, "Buffer", bytes)  # from Python 3.12 on
SAY_TEXT = ", or say --items text"


def type_of_items(stages: Sequence[Stage]) -> Type:
    """Give the type of the items that go into a chain, by its annotations; or `UNKNOWN`.

    It is that of the first stage that says one. What stands before it must pass items on as they
    are: a filter that says nothing does, and a batch without a function does in lists, which are
    taken apart; where `drop_none()` does, an item may be `None`.
    """
    lists, may_be_none = 0, False
    for stage in stages:
        operation = stage.operation
        its = _taken(stage, lists)
        if not is_anything(its):
            return union_of((its, None)) if may_be_none and "json" in _held_by(its) else its
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
            its = _given(stage)
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


def is_anything(its: Type) -> bool:
    """Tell whether a type says nothing of an item."""
    return any(each is UNKNOWN or each is Any or each is object for each in members_of(its))


def reading_of(its: Type, name: str, said: Said | None = None) -> Reading:
    """Say how the lines of an input become items of a type.

    Args:
        its: the type, or `UNKNOWN`.
        name: the input's name, which decides where the type does not.
        said: what the user has said that a line holds.
    """
    held = _held_by(its)
    kind: Kind
    if said is not None:
        kind = said
    elif "anything" in held:
        kind = kind_by_name(name)
    elif held == {"text"} or held == {"bytes"}:
        [kind] = held  # type: ignore[assignment]  # one of the two, by the line above
    elif not held & {"text", "bytes"} or kind_by_name(name) == "json":
        kind = "json"
    else:
        kind = "text" if "text" in held else "bytes"
    if "anything" in held or (kind != "json" and kind not in held):
        return Reading(kind, hint=SAY_TEXT)
    may_be_text = "text" in held and kind == "json" and said is None
    return Reading(kind, maker_of(its, kind), SAY_TEXT if may_be_text else "")


def maker_of(its: Type, kind: Kind) -> Callable[[Any], Any] | None:
    """Give what makes a type's items: pydantic, which refuses what does not fit.

    It is `None` where text, bytes or JSON values go in as they are: for `str` and `bytes`, for a
    type that pydantic knows no way to make, such as a protocol, and for what has an `Iterable` in
    it, which it would make one that can be read only once.
    """
    plain = bare(its)
    if (kind == "text" and its is str) or (kind == "bytes" and its is bytes):
        return None
    if kind == "bytes" and isinstance(plain, type) and issubclass(plain, BYTES):
        return plain if plain is not bytes else _validating(its, kind)
    if _has_iterable(its):
        return None
    made = _validating(its, kind)
    if made is None and kind == "text" and isinstance(plain, type) and issubclass(plain, str):
        return plain
    return made


def _validating(its: Type, kind: Kind) -> Callable[[Any], Any] | None:
    try:
        adapter = TypeAdapter(its)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return None
    return adapter.validate_json if kind == "json" else adapter.validate_python


def _held_by(its: Type) -> set[str]:
    """Tell what a line may hold for a type: text, bytes, JSON, or anything."""
    return {held for each in members_of(its) for held in _held_by_one(each)}


def _held_by_one(its: Type) -> set[str]:
    if is_anything(its):
        return {"anything"}
    if origin_of(its) is Literal:
        return {held for each in typing.get_args(its) for held in _held_by_one(type(each))}
    if its is typing.LiteralString:
        return {"text"}
    if its is BUFFER or (isinstance(its, type) and issubclass(its, BYTES)):
        return {"bytes"}
    return {"text"} if isinstance(its, type) and issubclass(its, str) else {"json"}


def _has_iterable(its: Type) -> bool:
    """Tell whether a type is, or has in it, what pydantic would make to be read only once."""
    its = bare(its)
    if (origin_of(its) or its) in READ_ONCE:
        return True
    return any(map(_has_iterable, typing.get_args(its)))


def _taken(stage: Stage, lists: int) -> Type:
    """Give the type of a chain's items by the stage before which lists of them are made."""
    operation = stage.operation
    call = call_of(operation)
    its = UNKNOWN
    if call is not None and not _is_identity(operation):
        its = taken_by(call)
        if _is_of_many(operation):
            its = _element(its)
    if is_anything(its) or is_open(its):
        of_class = arguments_of(stage.pipe)[0]
        its = its if is_anything(of_class) else of_class
    for _ in range(lists):
        its = _element(its)
    return UNKNOWN if bare(its) is UNKNOWN else its


def _given(stage: Stage) -> Type:
    operation = stage.operation
    call = call_of(operation)
    its = UNKNOWN if call is None else given_by(call)
    if isinstance(operation, FlatMap | UserStream):
        its = _element(its)
    if is_anything(its) or is_open(its):
        of_class = arguments_of(stage.pipe)[1]
        its = its if is_anything(of_class) else of_class
    return UNKNOWN if bare(its) is UNKNOWN else its


def _passes_on(operation: Operation) -> bool:
    """Tell whether what a stage gives are its items as they came, or lists of them."""
    return call_of(operation) is None or isinstance(operation, Filter) or _is_identity(operation)


def _is_identity(operation: Operation) -> bool:
    return isinstance(operation, Map) and operation.entry == "pass"


def _is_of_many(operation: Operation) -> bool:
    """Tell whether a stage's function takes many items: a list, or a stream of them."""
    return isinstance(operation, Batch | TumblingWindow | SlidingWindow | UserStream)


def _element(its: Type) -> Type:
    """Give the type of what is in a collection, or comes out of a stream."""
    its = bare(its)
    if is_union(its):
        elements = [_element(each) for each in members_of(its) if each is not type(None)]
        return UNKNOWN if UNKNOWN in elements else union_of(tuple(elements))
    origin = origin_of(its)
    if not isinstance(origin, type) or issubclass(origin, Mapping):
        return UNKNOWN
    if not issubclass(origin, Iterable | AsyncIterable):
        return UNKNOWN
    return next(iter(typing.get_args(its)), UNKNOWN)
