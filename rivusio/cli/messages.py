"""What leaves a command: a message in lines, and an exit code; never a traceback of ours."""

from __future__ import annotations

import io
import os
import select
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from rivusio.cli.signals import Ended, end_by
from rivusio.cli.terminal import say
from rivusio.errors import StreamError
from rivusio.io.line_items import LineError
from rivusio.safe_repr import notes_of, repr_of
from rivusio.user_code.describe import describe_error, escape_unprintable, locate_error
from rivusio.user_code.refusal import Refusal

FAILED = 1
INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C has ended
LONGEST = 200  # characters of an item in a message


@contextmanager
def report_failures(instead: str = "") -> Iterator[None]:
    """Turn what leaves a command into a message and an exit code.

    Args:
        instead: what to do where the results cannot be written, if the command has an option.
    """
    try:
        for name in ("stdin", "stdout"):
            if getattr(sys, name) is None:
                _leave(FAILED, [f"error: {name} is closed; open it, or give it /dev/null"])
        _escape_unencodable()
        yield
        sys.stdout.flush()
    except Ended as error:
        _leave(end_by(error.signum), _notes(error))
    except KeyboardInterrupt as error:
        _leave(INTERRUPTED, _notes(error))
    except Refusal as refusal:
        _leave(FAILED, [f"error: {refusal}", *_notes(refusal)])
    except StreamError as error:
        if isinstance(error.error, BrokenPipeError) and _nobody_reads():
            _leave_quietly()  # a stage that prints has noticed it first
        _leave(FAILED, _describe_failure(error) + _notes(error))
    except BrokenPipeError:
        _leave_quietly()
    except OSError as error:  # ours: what fails in the user's code is a StreamError
        hint = f"; {instead}" if instead else ""
        _leave(FAILED, [f"error: cannot write the results: {error.strerror}{hint}"])
    except Exception as error:  # noqa: BLE001  a bug: it deserves a report, not a traceback
        frame = traceback.extract_tb(error.__traceback__)[-1]
        at = f"{frame.filename}:{frame.lineno}"
        reason = f"error: rivusio itself failed at {at}: {describe_error(error)}; please report it"
        _leave(FAILED, [reason, *_notes(error)])
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  the user's own: all else that is none was met above
        place = locate_error(error)
        where = f"{place[0]}: " if place else ""
        _leave(FAILED, [f"{where}error: {describe_error(error)}", *_notes(error)])


def _escape_unencodable() -> None:
    """Let no character be an error: what the encoding does not have is written with backslashes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave_failed() -> NoReturn:
    """End a command that has said what is wrong."""
    sys.stdout.flush()
    sys.exit(FAILED)


def _leave(code: int, message: list[str]) -> NoReturn:
    with suppress(OSError, AttributeError):  # what is written so far; a closed stdout is None
        sys.stdout.flush()
    for line in message:
        say(line, err=True)
    sys.exit(code)


def _notes(error: BaseException) -> list[str]:
    return [f"    {note}" for note in notes_of(error)]


def _nobody_reads() -> bool:
    """Tell whether stdout is a pipe whose reader has gone."""
    if sys.platform == "win32":  # select() there knows sockets only
        return False
    poll = select.poll()
    poll.register(sys.stdout, select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _leave_quietly() -> NoReturn:
    """Exit well: the reader, such as `head`, has all it wants."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _describe_failure(error: StreamError) -> list[str]:
    """Tell which stage failed, on what, and where in the user's code."""
    cause = error.error
    assert cause is not None  # noqa: S101  a StreamError of a run has its cause
    if isinstance(cause, LineError):
        return [f"error: {cause}"]
    place = locate_error(cause)
    where = f"{place[0]}: " if place else ""
    stage = (
        "the source"
        if error.stage is None
        else f'stage {error.stage + 1} "{escape_unprintable(str(error.pipe))}"'
    )
    item = "" if error.item_index is None else f" at item {error.item_index}"
    lines = [f"{where}error: {stage} failed{item}: {describe_error(cause)}"]
    if place:
        lines.append(f"    {place[1]}")
    if error.stage is not None:
        lines.append(f"    its input was {_shorten(error.item)}")
    if error.pending:
        lines.append(f"    pending items: {len(error.pending)}")
    return lines + _notes(cause)


def _shorten(item: object) -> str:
    shown = escape_unprintable(repr_of(item))
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
