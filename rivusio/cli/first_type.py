"""What the first stage of a chain takes, by its annotations, and how JSON is made into it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import PydanticUndefined

from rivusio.stage import (
    Batch,
    DropNone,
    Operation,
    SlidingWindow,
    Stage,
    TumblingWindow,
    UserStream,
    call_of,
)

READ_ONCE = (Iterable, Iterator, Generator)
UNKNOWN = PydanticUndefined  # the type of what nobody has said


def type_of_items(stages: Sequence[Stage]) -> Any:
    """Give the type of the items that go into a chain, by its annotations; or `UNKNOWN`.

    It is that of the first stage that says one. Where a batch or window without a function
    stands before it, its lists are taken apart; where `drop_none()` does, an item may be `None`.
    """
    lists, may_be_none = 0, False
    for stage in stages:
        operation = stage.operation
        call = call_of(operation)
        if call is not None:
            its = _parameter(call)
            for _ in range(lists + _is_of_many(operation)):
                its = next(iter(typing.get_args(its)), UNKNOWN)
            if isinstance(its, typing.TypeVar):
                return UNKNOWN
            return its | None if may_be_none and may_be_made(its) else its
        may_be_none = may_be_none or (not lists and isinstance(operation, DropNone))
        lists += _is_of_many(operation)
    return UNKNOWN


def may_be_made(its: Any) -> bool:
    """Tell whether JSON is to be made into a type: nobody makes text, or what is not known."""
    return its is not UNKNOWN and its is not Any and its is not str


def maker_of(its: Any) -> Callable[[Any], Any] | None:
    """Give what makes a type's items of JSON values: pydantic, which refuses what does not fit.

    It is `None` where the values go in as they are: as text, for a type that is not known, for one
    that pydantic knows no way to make, such as a protocol, and for what has an `Iterable` in it,
    which it would make one that can be read only once.
    """
    if not may_be_made(its) or _has_iterable(its):
        return None
    try:
        return TypeAdapter(its).validate_python
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return None


def _has_iterable(its: Any) -> bool:
    """Tell whether a type is, or has in it, what pydantic would make to be read only once."""
    if (typing.get_origin(its) or its) in READ_ONCE:
        return True
    return any(map(_has_iterable, typing.get_args(its)))


def _is_of_many(operation: Operation) -> bool:
    """Tell whether a stage's function takes many items: a list, or a stream of them."""
    return isinstance(operation, Batch | TumblingWindow | SlidingWindow | UserStream)


def _parameter(function: Callable[..., Any]) -> Any:
    """Give the type that a function says of its first parameter: `str` for `str.upper`."""
    if isinstance(owner := getattr(function, "__objclass__", None), type):
        return owner
    try:
        first = next(iter(inspect.signature(function).parameters), "")
        hints = typing.get_type_hints(function)
    except Exception:  # noqa: BLE001  whatever comes of evaluating the user's annotations
        return UNKNOWN
    return hints.get(first, UNKNOWN)
