"""The command `rivusio`, as the tests call it: in this process, or as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from click.testing import CliRunner, Result

from rivusio.cli import main

Started = tuple["subprocess.Popen[str]", IO[str], IO[str], IO[str]]


def cli(*arguments: str, text: str | bytes = "") -> Result:
    """Call the command in this process."""
    return CliRunner().invoke(main, arguments, input=text, env={"COLUMNS": "200"})


@contextmanager
def started(*arguments: str) -> Iterator[Started]:
    """Start the command; give it with its stdin, stdout and stderr."""
    with subprocess.Popen(
        [sys.executable, "-m", "rivusio.cli", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        bufsize=1,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            yield process, process.stdin, process.stdout, process.stderr
        finally:
            process.kill()  # one that has ended is not touched; a test that failed leaves none


def write(name: str, text: str | bytes) -> str:
    """Write a file, and give its name."""
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name
