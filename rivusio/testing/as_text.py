"""Values and errors as text that is the same in every run and every process."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType

from rivusio.errors import PipeError
from rivusio.safe_repr import notes_of, repr_of, str_of, type_name

# That of an object without a repr of its own, and that of a mock.
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+| id='\d{6,}'")
DEEPEST = 50  # levels of values, and of causes of errors
LONGEST = 20_000  # characters of one value
BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}
# Frames of ours, of what was generated and of the event loop are not the user's.
_OURS = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120  as code objects have it
_LOOP = os.path.dirname(asyncio.__file__)  # noqa: PTH120
_GENERATED = "__rivusio__"


def text_of(value: object) -> str:
    """Give the `repr` of a value without addresses, and sets in order.

    What is in itself, or further in than 50 levels, is an ellipsis; of a text of more than 20,000
    characters the beginning is given, its length, and a hash of all of it.

    >>> text_of([1, True, {"b", "a"}])
    "[1, True, {'a', 'b'}]"
    """
    said = _text(value, ())
    if len(said) <= LONGEST:
        return said
    whole = hashlib.sha256(said.encode(errors="backslashreplace")).hexdigest()[:16]
    return f"{said[:LONGEST]}… ({len(said):,} characters, {whole})"


def _text(value: object, above: tuple[object, ...]) -> str:
    if len(above) == DEEPEST or any(value is each for each in above):
        return "…"
    within = (*above, value)
    kind = type(value)
    around = next((both for known, both in BRACKETS.items() if known is kind), None)
    if around is not None and isinstance(value, (list, tuple, set, frozenset)):
        items = [_text(each, within) for each in value]
        if isinstance(value, (set, frozenset)):
            items.sort()
        comma = "," if kind is tuple and len(items) == 1 else ""
        return f"{around[0]}{', '.join(items)}{comma}{around[1]}"
    if kind is dict and isinstance(value, dict):
        pairs = (f"{_text(key, within)}: {_text(each, within)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    said = repr_of(value)
    with suppress(Exception):  # one that has no attributes, or lies about them
        if kind.__repr__ is object.__repr__:
            said = f"{said} with {_text(dict(vars(value)), within)}"
    return ADDRESS.sub("", said)


def text_of_error(error: BaseException) -> str:
    """Give an error with its fields, its notes, where it passed, and what it came of.

    One line for each, those of a cause or context further in.
    """
    return "\n".join(_lines(error, []))


def _lines(error: BaseException, above: list[BaseException]) -> Iterator[str]:
    if any(error is each for each in above):
        yield f"{type_name(error)} from above"
        return
    if len(above) == DEEPEST:
        yield "…"
        return
    above = [*above, error]
    yield f"{type_name(error)}: {ADDRESS.sub('', str_of(error))}"
    if isinstance(error, PipeError):
        yield f"  pipe={error.pipe!r} stage={error.stage} item_index={error.item_index}"
        yield f"  item={text_of(error.item)}"
        yield f"  pending={text_of(error.pending)}"
        yield f"  error is the cause: {error.error is error.__cause__}"
    else:
        yield f"  args={text_of(BaseException.args.__get__(error))}"  # type: ignore[attr-defined]
    for each in notes_of(error):
        yield f"  note {each}"
    for place in _places(error.__traceback__):
        yield f"  at {place}"
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _nested_lines("with", member, above)
    if error.__cause__ is not None:
        yield from _nested_lines("caused by", error.__cause__, above)
    # What a PipeError was raised beside is nobody's story: its cause is.
    hidden = isinstance(error, PipeError) and error.__cause__ is not None
    context = error.__context__
    if context is not None and context is not error.__cause__ and not hidden:
        word = "instead of" if error.__suppress_context__ else "while handling"
        yield from _nested_lines(word, context, above)


def _nested_lines(word: str, error: BaseException, above: list[BaseException]) -> Iterator[str]:
    lines = _lines(error, above)
    yield f"  {word} {next(lines)}"
    for line in lines:
        yield f"  {line}"


def _places(traceback: TracebackType | None) -> Iterator[str]:
    """Give where the user's code was passed, as a traceback shows it."""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not (file.startswith((_OURS, _LOOP, "<")) or _GENERATED in file):
            yield f"{os.path.basename(file)}:{traceback.tb_lineno}"  # noqa: PTH119
        traceback = traceback.tb_next
