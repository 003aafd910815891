"""Values and errors as text that is the same in every run and every process."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from types import TracebackType

from rivusio.errors import PipeError

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
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

    >>> text_of([1, True, {"b", "a"}])
    "[1, True, {'a', 'b'}]"
    """
    kind = type(value)
    if kind in BRACKETS and isinstance(value, (list, tuple, set, frozenset)):
        items = [text_of(each) for each in value]
        if isinstance(value, (set, frozenset)):
            items.sort()
        first, last = BRACKETS[kind]
        comma = "," if kind is tuple and len(items) == 1 else ""
        return f"{first}{', '.join(items)}{comma}{last}"
    if isinstance(value, dict) and kind is dict:
        pairs = (f"{text_of(key)}: {text_of(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    try:
        said = repr(value)
    except Exception as error:  # noqa: BLE001  a user's __repr__ may do anything
        return f"<{kind.__name__} whose repr raises {type(error).__name__}>"
    if kind.__repr__ is object.__repr__ and hasattr(value, "__dict__"):
        said = f"{said} with {text_of(vars(value))}"
    return ADDRESS.sub("", said)


def told(error: BaseException) -> str:
    """Give an error with its fields, its notes, where it passed, and what it came of.

    One line for each, those of a cause or context further in.
    """
    return "\n".join(_lines(error, []))


def _lines(error: BaseException, above: list[BaseException]) -> Iterator[str]:
    if any(error is each for each in above):
        yield f"{type(error).__name__} from above"
        return
    above = [*above, error]
    yield f"{type(error).__name__}: {_said(error)}"
    if isinstance(error, PipeError):
        yield f"  pipe={error.pipe!r} stage={error.stage} item_index={error.item_index}"
        yield f"  item={text_of(error.item)}"
        yield f"  pending={text_of(error.pending)}"
        yield f"  error is the cause: {error.error is error.__cause__}"
    else:
        yield f"  args={text_of(error.args)}"
    for each in getattr(error, "__notes__", ()):
        yield f"  note {each}"
    for place in _places(error.__traceback__):
        yield f"  at {place}"
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _further_in("with", member, above)
    if error.__cause__ is not None:
        yield from _further_in("caused by", error.__cause__, above)
    # What a PipeError was raised beside is nobody's story: its cause is.
    hidden = isinstance(error, PipeError) and error.__cause__ is not None
    context = error.__context__
    if context is not None and context is not error.__cause__ and not hidden:
        word = "instead of" if error.__suppress_context__ else "while handling"
        yield from _further_in(word, context, above)


def _further_in(word: str, error: BaseException, above: list[BaseException]) -> Iterator[str]:
    lines = _lines(error, above)
    yield f"  {word} {next(lines)}"
    for line in lines:
        yield f"  {line}"


def _said(error: BaseException) -> str:
    try:
        return ADDRESS.sub("", str(error))
    except Exception as other:  # noqa: BLE001  a user's __str__ may do anything
        return f"<its str raises {type(other).__name__}>"


def _places(traceback: TracebackType | None) -> Iterator[str]:
    """Give where the user's code was passed, as a traceback shows it."""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not (file.startswith((_OURS, _LOOP, "<")) or _GENERATED in file):
            yield f"{os.path.basename(file)}:{traceback.tb_lineno}"  # noqa: PTH119
        traceback = traceback.tb_next
