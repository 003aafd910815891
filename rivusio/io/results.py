"""A result as a line: a string as it is, anything else as JSON; never something that is neither."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import PydanticSerializationError, PydanticUndefined, from_json, to_json

from rivusio.safe_repr import repr_of, str_of

LONGEST = 200  # characters of a result in a message

Encode = Callable[[Any], bytes]  # whatever the last stage gives


class ResultError(ValueError):
    """A result that cannot be written: it is no text in UTF-8, and no JSON."""


def as_line(result: object, encode: Encode | None = None) -> bytes:
    r"""Give a result as a line, in UTF-8.

    Args:
        result: a string is written as it is, also where it holds the ends of lines.
        encode: makes JSON of it, if its type says how: see `encoder_of`.

    >>> as_line("SFO"), as_line({"delay": 3})
    (b'SFO\n', b'{"delay":3}\n')

    Raises:
        ResultError: saying why it cannot be written.
    """
    try:
        line = result.encode() if isinstance(result, str) else _encode_json(result, encode)
    except Exception as error:
        raise ResultError(_explain_failure(result, error)) from error
    return line + b"\n"


def encoder_of(its: Any) -> Encode | None:
    """Give what makes JSON of the results of a type, where the type says how that is done.

    Nearly all values say that themselves, and a subclass of the type says more than the type; so
    this is for what only the annotation knows, such as `Annotated[int, PlainSerializer(hex)]`.
    """
    if its is PydanticUndefined:
        return None
    try:
        adapter = _adapter(its)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return None
    if not _has_serializer(adapter.core_schema):
        return None
    return lambda result: adapter.dump_json(result, warnings="error")


def letter_value(item: object) -> Any:
    """Give an item as what JSON can hold, failing that its `repr`: for a record of what failed."""
    with suppress(Exception):  # what is no JSON, and whatever the user's own code raises
        return from_json(_encode_json(item, None))
    return shorten_repr(item)


def shorten_repr(value: object) -> str:
    """Give the `repr` of a value for a message, which is not endless."""
    told = repr_of(value)
    told = told if len(told) <= LONGEST else f"{told[:LONGEST]}…"
    return told.encode("utf-8", "backslashreplace").decode()


def _adapter(its: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(its, config=ConfigDict(ser_json_inf_nan="constants"))
    except PydanticUserError:  # a model has a configuration of its own
        return TypeAdapter(its)


def _has_serializer(schema: Any) -> bool:
    """Tell whether a type, apart from the models in it, has a way of its own to become JSON."""
    if isinstance(schema, dict):
        if schema.get("type") in ("model", "dataclass"):
            return False  # their values know
        return "serialization" in schema or any(map(_has_serializer, schema.values()))
    return isinstance(schema, list | tuple) and any(map(_has_serializer, schema))


def _encode_json(result: object, encode: Encode | None) -> bytes:
    line = None
    if encode is not None:
        with suppress(Exception):  # it is none of the type
            line = encode(result)
    if line is None:
        line = to_json(result, inf_nan_mode="constants", fallback=_convert_by_class)
    if b"NaN" in line or b"Infinity" in line:
        from_json(line, allow_inf_nan=False)
    return line


def _convert_by_class(value: object) -> Any:
    """Give what JSON can hold for a value whose class pydantic knows, such as an IP address."""
    its: Any = type(value)  # mypy holds that a class cannot be hashed
    try:
        adapter = _adapter_of_class(its)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        what = f"Unable to serialize unknown type: {repr_of(its)}"
        raise PydanticSerializationError(what) from None
    return adapter.dump_python(value, mode="json")


@lru_cache(maxsize=64)
def _adapter_of_class(its: type) -> TypeAdapter[Any]:
    return _adapter(its)


def _explain_failure(result: object, error: Exception) -> str:
    said = str_of(error).removeprefix("Error serializing to JSON: ")
    said = said.removeprefix("PydanticSerializationError: ")  # of a value that is part of another
    if isinstance(error, UnicodeEncodeError) or "surrogates not allowed" in said:
        why = "it has half of a surrogate pair in it, which UTF-8 cannot hold"
    elif "id repeated" in said:
        why = "it holds itself"
    elif "depth" in said:
        why = "it is nested too deep"
    elif isinstance(error, ValueError) and error.__class__ is ValueError:
        why = "it has a number in it that is not finite"
    elif "utf-8" in said:
        why = "it has bytes in it that are not UTF-8"
    else:
        why = said
    return f"{why}: {shorten_repr(result)}"
