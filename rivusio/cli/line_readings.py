"""How the lines of an input become items of a type."""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from rivusio.cli.annotations import Type, is_anything, members_of, origin_of, strip_aliases
from rivusio.io.line_items import Kind, Reading, kind_by_name

ItemsOption = Literal["text", "json"]

READ_ONCE = (Iterable, Iterator, Generator)
BYTES = (bytes, bytearray, memoryview)
BUFFER = getattr(collections.abc, "Buffer", bytes)  # from Python 3.12 on
SAY_TEXT = ", or say --items text"


def reading_of(its: Type, name: str, said: ItemsOption | None = None) -> Reading:
    """Say how the lines of an input become items of a type.

    Args:
        its: the type, or `UNKNOWN`.
        name: the input's name, which decides where the type does not.
        said: what the user has said that a line holds.
    """
    held = contents_for(its)
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
    plain = strip_aliases(its)
    if (kind == "text" and its is str) or (kind == "bytes" and its is bytes):
        return None
    if kind == "bytes" and isinstance(plain, type) and issubclass(plain, BYTES):
        return plain if plain is not bytes else _make_validator(its, kind)
    if _has_iterable(its):
        return None
    made = _make_validator(its, kind)
    if made is None and kind == "text" and isinstance(plain, type) and issubclass(plain, str):
        return plain
    return made


def _make_validator(its: Type, kind: Kind) -> Callable[[Any], Any] | None:
    try:
        adapter = TypeAdapter(its)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return None
    return adapter.validate_json if kind == "json" else adapter.validate_python


def contents_for(its: Type) -> set[str]:
    """Tell what a line may hold for a type: text, bytes, JSON, or anything."""
    return {held for each in members_of(its) for held in _contents_for_one(each)}


def _contents_for_one(its: Type) -> set[str]:
    if is_anything(its):
        return {"anything"}
    if origin_of(its) is Literal:
        return {held for each in typing.get_args(its) for held in _contents_for_one(type(each))}
    if its is typing.LiteralString:
        return {"text"}
    if its is BUFFER or (isinstance(its, type) and issubclass(its, BYTES)):
        return {"bytes"}
    return {"text"} if isinstance(its, type) and issubclass(its, str) else {"json"}


def _has_iterable(its: Type) -> bool:
    """Tell whether a type is, or has in it, what pydantic would make to be read only once."""
    its = strip_aliases(its)
    if (origin_of(its) or its) in READ_ONCE:
        return True
    return any(map(_has_iterable, typing.get_args(its)))
