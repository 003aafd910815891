"""A file that takes another's place once it is whole; until then it has a name of its own."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

LONGEST = 200  # bytes of a name that leave room for what tells unfinished files apart
CIRCLE = "its symbolic links lead to one another"


class Writable(Protocol):
    """What takes the bytes of results."""

    def write(self, data: bytes, /) -> object:
        """Take some."""

    def flush(self) -> None:
        """Let them be seen."""


@dataclass(slots=True)
class Output:
    """A file that is being written.

    Attributes:
        file: takes the bytes.
        unfinished: where they are until the file is whole; `None` where they go to their place at
            once, and where there are none.
    """

    file: Writable
    unfinished: Path | None = None


@contextmanager
def replace_when_whole(path: Path) -> Iterator[Output]:
    """Give a file beside `path` that takes its place once the block ends well.

    Otherwise `path` stays as it was, and what was written stays in the unfinished file, whose name
    no other run has. A device or a named pipe is written to directly.

    Raises:
        OSError: when it cannot be written.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as directly:
            yield Output(directly)
        return
    path = resolve_links(path)
    file, unfinished = _create_beside(path)
    output = Output(file, unfinished)
    try:
        with file:
            if path.exists():
                shutil.copymode(path, unfinished)
            yield output
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            if not unfinished.stat().st_size:
                unfinished.unlink()
                output.unfinished = None
        raise
    output.unfinished = None


def resolve_links(path: Path) -> Path:
    """Give what the links of a path lead to.

    Raises:
        OSError: when they lead to one another.
    """
    try:
        found = path.resolve()
    except RuntimeError as error:  # what Python before 3.13 says of such links
        raise OSError(0, CIRCLE) from error
    if found.is_symlink():  # from 3.13 on it gives a link of the circle
        raise OSError(0, CIRCLE)
    return found


def _create_beside(path: Path) -> tuple[BinaryIO, Path]:
    """Make a file whose name nobody has, with the mode that any new file has."""
    name = path.name
    while len(os.fsencode(name)) > LONGEST:
        name = name[:-1]
    while True:
        unfinished = path.with_name(f"{name}.{secrets.token_hex(4)}.partial")
        with suppress(FileExistsError):
            return unfinished.open("xb"), unfinished
