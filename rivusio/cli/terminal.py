"""What the commands write for people: any text, and any table, whatever the terminal can show."""

from __future__ import annotations

import re
import sys
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDEST = 1000  # characters of a line of a table that goes to a file
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # all but the end of a line


def say(text: str, *, err: bool = False) -> None:
    """Write a line on stdout, or on stderr; what its encoding does not have, with backslashes."""
    stream = _stream(err=err)
    if stream is not None:
        click.echo(escape_unencodable(text, stream), file=stream)


def show(table: Table, *, err: bool = False) -> None:
    """Write a table, as wide as it must be where no terminal says how wide it may be.

    Names stand in it as they are: brackets and colons in them mean nothing.
    """
    stream = _stream(err=err)
    if stream is None:
        return
    console = _PlainConsole(file=stream, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        wide = console.options.update_width(WIDEST)
        console.width = max(console.width, console.measure(table, options=wide).maximum)
    console.print(table)


def escape_unencodable(text: str, stream: TextIO) -> str:
    """Give a text with backslashes for what the encoding of a stream does not have."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _stream(*, err: bool) -> TextIO | None:
    """Give stdout or stderr as it is now; None if it is closed."""
    return sys.stderr if err else sys.stdout


class _PlainConsole(Console):
    """A console that reckons with what it will really write."""

    def render_str(self, text: str, **options: Any) -> Text:  # those of rich
        """Called for every text of a table: its title, its heads and its cells."""
        text = CONTROL.sub(_escape, text)
        return super().render_str(escape_unencodable(text, self.file), **options)  # type: ignore[arg-type]


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
