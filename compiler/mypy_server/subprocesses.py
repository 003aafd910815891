"""Runs a module of the compiler's in a child process: one request, one answer, both JSON.

A child, because a crash, a hang or the memory of what runs there shall not be the compiler's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

TIMEOUT = 120.0  # seconds: a large project, on a cold cache
SAFELY = ("-P",)  # a json.py that lies here is not what we import
SAID = 3  # lines of what a dying child has said that are shown


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
        [sys.executable, *SAFELY, "-m", worker],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,
    ) as child:
        try:
            stdout, stderr = child.communicate(request, timeout)
        except subprocess.TimeoutExpired as error:
            kill(child)
            raise TimeoutError from error
        except BaseException:  # an interrupt must not leave it behind
            kill(child)
            raise
    return Ended(child.returncode, stdout, stderr)


def kill(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and what it has started: that would keep its output open."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def quote_end(ended: Ended) -> str:
    """Give in one line what a child has said last."""
    text = ended.stderr.decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = 1 if any(line.startswith("Traceback") for line in lines) else SAID
    return "; ".join(lines[-shown:]) or f"exit code {ended.code}"
