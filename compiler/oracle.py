"""Types the chains of files: mypy is the oracle, asked in a child process.

A child, because a crash, a hang or the memory of mypy shall not be the compiler's; and because
mypy runs the plugins that the user's settings name, which may do anything.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec

from pydantic import TypeAdapter, ValidationError

from rivusio.compiler.ir import Complaint, Found, Span, Typed

TIMEOUT = 120.0  # seconds: a large project, on a cold cache
SAID = 3  # lines of what a dying child has said that are shown


class OracleError(Exception):
    """mypy gave no answer; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class AskedFile:
    """A file whose chains shall be typed: its path, its text, and what was found in it."""

    path: str
    text: str
    chains: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked."""

    files: tuple[AskedFile, ...]


@dataclass(frozen=True, slots=True)
class TypedFile:
    """What the oracle knows of a file.

    Attributes:
        path: the file, as the user gave it.
        chains: those that were found and are chains, with their types.
        unasked: functions that mypy would not have looked into by itself.
    """

    path: str
    chains: tuple[Typed, ...]
    unasked: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child answers: the files, in order, and what else mypy has said of anything."""

    files: tuple[TypedFile, ...]
    complaints: tuple[Complaint, ...]


REQUEST, ANSWER = TypeAdapter(Request), TypeAdapter(Answer)


def is_there() -> bool:
    """Tell whether mypy is installed."""
    return find_spec("mypy") is not None


def ask(request: Request, timeout: float = TIMEOUT) -> Answer:
    """Type the chains of files, under the mypy settings that mypy finds from here.

    Raises:
        OracleError: when mypy crashes, hangs, or refuses its settings.
    """
    command = [sys.executable, "-m", "rivusio.compiler.oracle_worker"]
    try:
        ended = subprocess.run(  # noqa: S603  ourselves
            command,
            input=REQUEST.dump_json(request),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"mypy has not answered within {timeout:g} s; try --timeout {2 * timeout:g}"
        raise OracleError(message) from error
    except OSError as error:
        message = f"cannot start mypy: {error.strerror}"
        raise OracleError(message) from error
    try:
        return ANSWER.validate_json(ended.stdout)
    except ValidationError as error:
        raise OracleError(_why(ended.returncode, ended.stderr)) from error


def _why(code: int, stderr: bytes) -> str:
    """Say in one line why the child gave no answer."""
    if code < 0:
        return f"mypy was ended by signal {-code}; a very long chain does that: give parts names"
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    shown = 1 if any(line.startswith("Traceback") for line in lines) else SAID
    said = "; ".join(lines[-shown:]) or f"exit code {code}"
    return f"mypy failed: {said}"
