"""What goes into a pipeline that is put to the test: items of a file, or made by hypothesis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rivusio.cli.annotations import UNKNOWN
from rivusio.cli.line_readings import reading_of
from rivusio.io.line_items import LineError, LineItems
from rivusio.io.lines import Lines
from rivusio.user_code.refusal import Refusal

LONGEST = 12  # items of one list that hypothesis makes


def read_items(path: str, its: Any) -> list[Any]:
    """Read the items of a file, as `rivusio run` reads them.

    Args:
        path: the file.
        its: the type of the items, which says what a line holds.

    Raises:
        Refusal: when the file cannot be read, or a line does not hold such an item.
    """
    try:
        with Path(path).open("rb") as file:
            return list(LineItems(Lines(file, path), reading_of(its, path)))
    except LineError as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        reason = f'cannot read "{path}": {error.strerror}; give another file with --input'
        raise Refusal(reason) from error


def make_items(its: Any, lists: int, seed: int) -> list[list[Any]]:
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
    if its is UNKNOWN or its is Any:
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
