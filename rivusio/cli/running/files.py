"""The files of a run: its input, its output and its dead letters; opened, or refused."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from rivusio.cli.terminal import say
from rivusio.io.dead_letters import DeadLetters
from rivusio.io.output_files import Output, replace_when_whole, resolve_links
from rivusio.user_code.describe import path_from_here
from rivusio.user_code.refusal import Refusal


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """Open a file of lines, or stdin for `-`.

    Raises:
        Refusal: when it cannot be read.
    """
    if name == "-":
        if sys.stdin.isatty():
            say("reading lines from the terminal; end with Ctrl-D", err=True)
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  closed below
    except OSError as error:
        reason = f'cannot read "{name}": {error.strerror}; give another file with --input'
        raise Refusal(reason) from error
    with file:
        yield file


@contextmanager
def open_letters(name: str | None, source: str, output: str) -> Iterator[DeadLetters | None]:
    """Open the file of dead letters, if there is one; the other two must be other files.

    Args:
        name: what was given as `--dead-letters`.
        source: what was given as `--input`.
        output: what was given as `--output`.

    Raises:
        Refusal: when it cannot be written, or is one of the others.
    """
    if name is None:
        yield None
        return
    path = Path(name)
    for option, other in (("--input", source), ("--output", output)):
        if other != "-" and _is_same(path, Path(other)):
            reason = f'"{path}" is given as {option} and as --dead-letters; give two files'
            raise Refusal(reason)
    try:
        letters = DeadLetters(path, "stdin" if source == "-" else source)
    except OSError as error:
        reason = f'cannot write "{path}": {error.strerror}; give another file with --dead-letters'
        raise Refusal(reason) from error
    try:
        yield letters
    finally:
        letters.close()


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):  # one of them is not there yet, and may become the other
        return one.samefile(other)
    with suppress(OSError):  # links that lead to one another: opening it says so
        return resolve_links(one) == resolve_links(other)
    return False


@contextmanager
def open_output(name: str) -> Iterator[Output]:
    """Open what is to take the results: a file, which is in its place once all is well, or stdout.

    Raises:
        Refusal: when it cannot be written, saying where the results so far are.
    """
    if name == "-":
        yield Output(_Stdout())
        return
    unfinished = None
    try:
        with replace_when_whole(Path(name)) as output:
            try:
                yield output
            finally:
                unfinished = output
    except BrokenPipeError:
        raise
    except OSError as error:  # ours: what fails in the user's code is a StreamError
        reason = f'cannot write "{name}": {error.strerror}; give another file with --output'
        refusal = Refusal(reason)
        _tell_where_results_are(refusal, name, unfinished)
        raise refusal from error
    except BaseException as error:
        _tell_where_results_are(error, name, unfinished)
        raise


def _tell_where_results_are(error: BaseException, name: str, output: Output | None) -> None:
    if output is not None and output.unfinished is not None:
        where = path_from_here(output.unfinished)
        error.add_note(f'"{name}" is as it was; the results so far are in "{where}"')


class _Stdout:
    """Stdout for bytes in UTF-8; what a stage prints stays in its place between the results."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")

    def write(self, data: bytes) -> None:
        """Write text in UTF-8."""
        sys.stdout.write(data.decode())

    def flush(self) -> None:
        """Let it be seen."""
        sys.stdout.flush()
