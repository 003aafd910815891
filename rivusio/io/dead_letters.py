"""A file of dead letters: one JSON object a line, appended, and never held back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, BinaryIO

from rivusio.errors import DeadLetter
from rivusio.graph.stage import Stage
from rivusio.io.line_items import LineError, LineItems
from rivusio.io.results import letter_value
from rivusio.safe_repr import summarize_error


class DeadLetters:
    """Writes down what failed in a run, so that it can be looked at and tried again.

    Each letter has `file` and `line`, where the item came from, and the line as it came in `text`
    (in `base64`, where it is not UTF-8); `stage`, from 1, and `pipe`, its name; `item`, the
    stage's input; `error`; and `tries`. Where the line of an item is not known, as at the end of a
    batch that a timer has closed, `line` and `text` are null.

    Args:
        path: the file, which is appended to.
        source: the name of the input.

    Attributes:
        count: the letters that were written.
        items: those of the run, which know the line that an item came from.

    Raises:
        OSError: when the file cannot be written.
    """

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        self._source = source
        self._file: BinaryIO = path.open("ab", buffering=0)  # one write for each letter
        self.count = 0
        self.items: LineItems | None = None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def write(self, letter: DeadLetter, stage: Stage) -> None:
        """Write one letter.

        Raises:
            OSError: when it cannot be written.
        """
        retry = stage.settings.retry
        item = letter.item
        if isinstance(letter.error, LineError):
            line: tuple[int, bytes] | None = letter.error.number, letter.error.line
            tries, item = 1, None  # it has not become an item
        else:
            line = None if self.items is None else self.items.line_of(letter.item_index)
            tries = 1 if retry is None else retry.attempts
        record = {
            "file": self._source,
            **_line_fields(line),
            "stage": letter.stage + 1,
            "pipe": letter.pipe,
            "item": letter_value(item),
            "error": summarize_error(letter.error),
            "tries": tries,
        }
        whole = json.dumps(record, ensure_ascii=True).encode() + b"\n"
        try:
            while whole:
                whole = whole[self._file.write(whole) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        self.count += 1


def _line_fields(line: tuple[int, bytes] | None) -> dict[str, Any]:
    if line is None:
        return {"line": None, "text": None}
    number, text = line
    try:
        return {"line": number, "text": text.decode()}
    except UnicodeDecodeError:
        return {"line": number, "base64": base64.b64encode(text).decode()}
