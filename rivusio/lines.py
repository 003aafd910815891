"""Lines of text or JSON in, one line for each result out."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

from pydantic_core import ValidationError, to_json

Kind = Literal["text", "json"]
Item = Any  # a line, or whatever JSON holds

CHUNK = 1 << 16  # bytes to read at once


class LineError(ValueError):
    """A line of the input that cannot be read."""


def kind_of(name: str) -> Kind:
    """Tell by its name what an input holds."""
    return "json" if name.endswith((".jsonl", ".json")) else "text"


class Lines:
    """The items of an input, one a line: its text, or the JSON value it holds.

    Args:
        file: the input, open for reading bytes.
        name: what messages call it.
        kind: what its lines hold. Empty lines of JSON hold nothing.
        make: makes each JSON value into what the first stage takes, if that is known.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        kind: Kind,
        make: Callable[[Item], Item] | None = None,
    ) -> None:
        self._file = file
        self._name = name
        self._kind = kind
        self._make = make
        self._number = 0

    @property
    def may_wait(self) -> bool:
        """Whether `live` can and should be used: the input is a pipe, a socket or a terminal."""
        if sys.platform == "win32":  # no event loop there can tell when such an input is ready
            return False
        try:
            mode = os.fstat(self._file.fileno()).st_mode
        except OSError:  # a file in memory
            return False
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or self._file.isatty()

    def __iter__(self) -> Iterator[Item]:
        for line in self._file:
            yield from self._items(line)

    async def live(self) -> AsyncIterator[Item]:
        """Give the items of an input that may wait without holding the event loop up."""
        rest = b""
        while chunk := await self._read():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                for item in self._items(line):
                    yield item
        if rest:
            for item in self._items(rest):
                yield item

    async def _read(self) -> bytes:
        loop = asyncio.get_running_loop()
        number = self._file.fileno()
        readable = asyncio.Event()
        loop.add_reader(number, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(number)
        return os.read(number, CHUNK)

    def _items(self, line: bytes) -> Iterator[Item]:
        """Give the one item of a line, or none for an empty line of JSON."""
        self._number += 1
        text = self._decoded(line).rstrip("\r\n")
        if self._kind == "text":
            yield text
        elif text.strip():
            value = self._loaded(text)
            yield value if self._make is None else self._made(value, self._make)

    def _decoded(self, line: bytes) -> str:
        try:
            return line.decode("utf-8-sig" if self._number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            found = f"byte {line[error.start]:#04x} at column {error.start + 1}"
            message = f"{self._where()} is not UTF-8: {found}; convert the file to UTF-8"
            raise LineError(message) from error

    def _loaded(self, text: str) -> Item:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            message = f"{self._where()} is no JSON: {error}; put one JSON value on each line"
            if self._make is None:
                message += ", or say --items text"
            raise LineError(message) from error

    def _made(self, value: Item, make: Callable[[Item], Item]) -> Item:
        try:
            return make(value)
        except ValidationError as error:
            said = error.errors()[0]
            what = ".".join(map(str, said["loc"])) or "the item"
            message = f"{self._where()} does not fit the first stage: {what}: {said['msg']}"
            raise LineError(message) from error

    def _where(self) -> str:
        return f'line {self._number} of "{self._name}"'


def as_line(result: object) -> str:
    """Give a result as a line: a string as it is, anything else as JSON, failing that its repr.

    >>> as_line("SFO"), as_line({"delay": 3}), as_line(1j)
    ('SFO', '{"delay":3}', '"1j"')
    """
    if isinstance(result, str):
        return result
    try:
        return to_json(result, fallback=repr).decode()
    except ValueError:  # a circle, or bytes that are no text
        return repr(result)


@contextmanager
def replaced(path: Path) -> Iterator[TextIO]:
    """Give a file beside `path` that takes its place once the block ends well.

    Otherwise `path` stays as it was, and what was written stays in `<path>.partial`. A device
    or a named pipe is written to directly.
    """
    if path.exists() and not path.is_file():
        with _opened(path) as file:
            yield file
        return
    path = path.resolve()
    partial = partial_of(path)
    try:
        with _opened(partial) as file:
            if path.exists():
                shutil.copymode(path, partial)
            yield file
    except BaseException:
        if partial.exists() and not partial.stat().st_size:
            partial.unlink()
        raise
    partial.replace(path)


def partial_of(path: Path) -> Path:
    """Give the file that holds what an unfinished run has written for `path`."""
    path = path.resolve()
    return path.with_name(path.name + ".partial")


def _opened(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")
