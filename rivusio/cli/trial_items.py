"""What goes into a pipeline that is put to the test: items of a file, or made by hypothesis."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined

from rivusio.lines import Kind, Lines, kind_of
from rivusio.stage import (
    Batch,
    Operation,
    SlidingWindow,
    Stage,
    TumblingWindow,
    UserStream,
    call_of,
)
from rivusio.user_file import Refusal

LONGEST = 12  # items of one list that hypothesis makes
UNKNOWN = PydanticUndefined  # the type of what nobody has said


def type_of_items(stages: Sequence[Stage]) -> Any:
    """Give the type of the items that go into a chain, by its annotations; or `UNKNOWN`.

    It is that of the first stage that says one. Where a batch or window without a function
    stands before it, its lists are taken apart.
    """
    lists = 0
    for stage in stages:
        operation = stage.operation
        call = call_of(operation)
        if call is not None:
            its = _parameter(call)
            for _ in range(lists + _is_of_many(operation)):
                its = next(iter(typing.get_args(its)), UNKNOWN)
            return UNKNOWN if isinstance(its, typing.TypeVar) else its
        lists += _is_of_many(operation)
    return UNKNOWN


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
    except (TypeError, ValueError, NameError, AttributeError):
        return UNKNOWN
    return hints.get(first, UNKNOWN)


def items_of(path: str, its: Any) -> list[Any]:
    """Read the items of a file: lines if they are strings, else a JSON value on each line.

    Args:
        path: the file.
        its: the type of the items; what is of a class is made by pydantic. Where nobody has said
            one, the name of the file tells whether it holds JSON.

    Raises:
        Refusal: when the file cannot be read, or a line does not hold such an item.
    """
    kind: Kind = "text" if its is str else "json"
    if its is UNKNOWN or its is typing.Any:
        kind, its = kind_of(path), typing.Any
    adapter = TypeAdapter(its)
    try:
        with Path(path).open("rb") as file:
            return list(_validated(Lines(file, path, kind), adapter, path))
    except OSError as error:
        reason = f'cannot read "{path}": {error.strerror}; give another file with --input'
        raise Refusal(reason) from error


def _validated(lines: Lines, adapter: TypeAdapter[Any], path: str) -> Iterator[Any]:
    for number, item in enumerate(lines, 1):
        try:
            yield adapter.validate_python(item)
        except ValidationError as error:
            said = error.errors()[0]
            where = ".".join(map(str, said["loc"])) or "the item"
            reason = (
                f'item {number} of "{path}" does not fit the first stage: {where}: {said["msg"]}'
            )
            raise Refusal(reason) from error


def made_items(its: Any, lists: int, seed: int) -> list[list[Any]]:
    """Make lists of items of a type: the same ones for the same seed.

    Raises:
        Refusal: when there is no hypothesis, no type, or no way to make values of it.
    """
    try:
        import hypothesis  # only those who ask for values need it
        from hypothesis import strategies
    except ImportError:
        reason = 'making values needs hypothesis: pip install "rivusio[verify]", or give --input'
        raise Refusal(reason) from None
    if its is UNKNOWN or its is typing.Any:
        raise Refusal("the first stage does not say what it takes; give items with --input FILE")
    made: list[list[Any]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=lists,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.lists(strategies.from_type(its), max_size=LONGEST))
    def make(items: list[Any]) -> None:
        made.append(items)

    try:
        make()
    except Exception as error:  # whatever the user's own classes raise when they are made
        reason = f"cannot make values of {its!r}: {error}; give items with --input FILE"
        raise Refusal(reason) from error
    return made
