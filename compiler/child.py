"""Runs a module of the compiler's in a child process: one request, one answer, both JSON.

A child, because a crash, a hang or the memory of what runs there shall not be the compiler's;
and because mypy runs the plugins that the user's settings name, which may do anything.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

TIMEOUT = 120.0  # seconds: a large project, on a cold cache
SAID = 3  # lines of what a dying child has said that are shown

Answer = TypeVar("Answer")


class OracleError(Exception):
    """mypy gave no answer; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child has ended: its exit code, negative for a signal, and what it has written."""

    code: int
    stdout: bytes
    stderr: bytes


def run(worker: str, request: bytes, timeout: float) -> Ended:
    """Run a module until it ends; at the timeout it is killed with all that it has started.

    Raises:
        TimeoutError: when it takes longer.
        OSError: when it cannot be started.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603  ourselves
        [sys.executable, "-m", worker], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as child:
        try:
            stdout, stderr = child.communicate(request, timeout)
        except subprocess.TimeoutExpired as error:
            _kill(child)
            raise TimeoutError from error
        except BaseException:  # an interrupt must not leave it behind
            _kill(child)
            raise
    return Ended(child.returncode, stdout, stderr)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and what it has started: that would keep its output open."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def ask(worker: str, request: bytes, answer: TypeAdapter[Answer], timeout: float) -> Answer:
    """Let mypy answer one request.

    Args:
        worker: the full name of the module.
        request: what goes to its standard input.
        answer: what comes back from its standard output.
        timeout: how long it may take, in seconds.

    Raises:
        OracleError: when mypy crashes, hangs, or refuses its settings.
    """
    try:
        ended = run(worker, request, timeout)
    except TimeoutError as error:
        message = f"mypy has not answered within {timeout:g} s; try --timeout {2 * timeout:g}"
        raise OracleError(message) from error
    except OSError as error:
        message = f"cannot start mypy: {error.strerror}"
        raise OracleError(message) from error
    try:
        return answer.validate_json(ended.stdout)
    except ValidationError as error:
        raise OracleError(_why(ended)) from error


def _why(ended: Ended) -> str:
    """Say in one line why mypy gave no answer."""
    if ended.code < 0:
        signaled = f"mypy was ended by signal {-ended.code}"
        return f"{signaled}; a very long chain does that: give parts names"
    return f"mypy failed: {said(ended)}"


def said(ended: Ended) -> str:
    """Give in one line what a child has said last."""
    text = ended.stderr.decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = 1 if any(line.startswith("Traceback") for line in lines) else SAID
    return "; ".join(lines[-shown:]) or f"exit code {ended.code}"
