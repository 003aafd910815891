"""What a line holds: its text, its bytes, or a value in JSON; and what becomes of one that fails.

One rule for every command that reads lines. Where the first stage takes `str`, a line is text;
where it takes `bytes`, the line as it is; else a line is JSON, from which pydantic makes what the
stage takes. Where it takes text and other things, or nobody has said what it takes, the name of the
file tells.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Literal

from pydantic_core import ValidationError, from_json

from rivusio.io.lines import Lines
from rivusio.items import Item
from rivusio.safe_repr import str_of, summarize_error

Kind = Literal["text", "bytes", "json"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TURN_EVERY = 1024  # lines of a file between two turns of the event loop
REMEMBERED = 10_000  # lines that can be shown beside what has failed


class LineError(ValueError):
    """A line of the input that cannot be made into an item.

    Attributes:
        line: the line as it came, without its end.
        number: its number in the input, from 1.
    """

    def __init__(self, message: str, line: bytes = b"", number: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.number = number


@dataclass(frozen=True, slots=True)
class Reading:
    """How lines become items.

    Attributes:
        kind: what a line holds.
        make: makes an item of the text, or of the bytes; of JSON, too, it is given the bytes.
            Without it the text, the bytes or the JSON value is the item.
        hint: what to do where a line is none of this.
    """

    kind: Kind
    make: Callable[[Any], Item] | None = None
    hint: str = ""


def kind_by_name(name: str) -> Kind:
    """Tell by its name what an input holds."""
    return "json" if name.lower().endswith((".jsonl", ".json", ".ndjson")) else "text"


# Called for each line that fails; what it gives is awaited if it can be. It may raise.
OnBadLine = Callable[[LineError, int], object]


class LineItems:
    """The items of an input.

    Args:
        lines: its lines.
        reading: how they become items. Empty lines of JSON hold nothing.
        on_bad_line: is given what is wrong with a line, and the number that its item would have
            had, from 0. Without it, that is raised.
        remembers: whether `line_of` will be asked.

    Attributes:
        count: the items that were given.
        failed: the lines that failed.
    """

    def __init__(
        self,
        lines: Lines,
        reading: Reading,
        on_bad_line: OnBadLine | None = None,
        *,
        remembers: bool = False,
    ) -> None:
        self.lines = lines
        self._reading = reading
        self._on_bad_line = on_bad_line
        self.count = 0
        self.failed = 0
        self._came: deque[tuple[int, int, bytes]] = deque(maxlen=REMEMBERED if remembers else 0)

    def __iter__(self) -> Iterator[Item]:
        for line in self.lines:
            try:
                found = self._items_of(line)
            except LineError as error:
                self._failed(error)
                continue
            yield from found

    async def live(self) -> AsyncIterator[Item]:
        """Give the items in an event loop, where a line may be waited for."""
        async for line in self._live_lines():
            try:
                found = self._items_of(line)
            except LineError as error:
                if isawaitable(answer := self._failed(error)):
                    await answer
                continue
            for item in found:
                yield item

    async def _live_lines(self) -> AsyncIterator[bytes]:
        if self.lines.may_wait:
            async for line in self.lines.live():
                yield line
            return
        for line in self.lines:
            if self.lines.number % TURN_EVERY == 0:
                await asyncio.sleep(0)  # a file never waits, and the loop has other tasks
            yield line

    def line_of(self, index: int | None) -> tuple[int, bytes] | None:
        """Give number and text of the line that an item was made of, if that is still known."""
        came = reversed(self._came)  # it is nearly always the last one
        return next(((number, line) for at, number, line in came if at == index), None)

    def _failed(self, error: LineError) -> object:
        self.failed += 1
        if self._on_bad_line is None:
            raise error
        return self._on_bad_line(error, self.count)

    def _items_of(self, line: bytes) -> tuple[Item, ...]:
        """Give the one item of a line, or none for an empty line of JSON."""
        number = self.lines.number
        came = line
        if number == 1 and self._reading.kind != "bytes":
            line = line.removeprefix(BYTE_ORDER_MARK)
        if self._reading.kind == "json" and not line.strip():
            return ()
        try:
            item = _read(line, self._reading)
        except Exception as error:
            where = f'line {number} of "{self.lines.name}"'
            message = f"{where} {_explain_failure(line, error, self._reading)}"
            raise LineError(message, came, number) from error
        self._came.append((self.count, number, came))
        self.count += 1
        return (item,)


def _read(line: bytes, reading: Reading) -> Item:
    make = reading.make
    match reading.kind:
        case "text":
            text = line.decode()
            return text if make is None else make(text)
        case "bytes":
            return line if make is None else make(line)
        case "json":
            return from_json(line) if make is None else make(line)


def _explain_failure(line: bytes, error: Exception, reading: Reading) -> str:
    """Say why a line could not be read: what was found, and what to do."""
    if reading.kind != "bytes":
        try:
            line.decode()
        except UnicodeDecodeError as undecodable:
            found = f"byte {line[undecodable.start]:#04x} at column {undecodable.start + 1}"
            return f"is not UTF-8: {found}; convert the file to UTF-8"
    if isinstance(error, ValidationError):
        said = error.errors(include_url=False)[0]
        if said["type"] != "json_invalid":
            what = ".".join(map(str, said["loc"])) or "the item"
            return f"does not fit the first stage: {what}: {said['msg']}{reading.hint}"
        reason = str(said["ctx"]["error"])
    elif reading.kind == "json" and reading.make is None:
        reason = str_of(error)
    else:
        return f"does not fit the first stage: {summarize_error(error)}"
    reason = reason.replace("at line 1 column", "at column")
    if reason.startswith("recursion limit"):
        return "is nested too deep to be read as JSON"
    return f"is no JSON: {reason}; put one JSON value on each line{reading.hint}"
