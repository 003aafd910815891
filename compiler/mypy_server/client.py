"""mypy in a child process: requests go in, answers come out, both JSON.

A child, because a crash, a hang or the memory of mypy shall not be the compiler's; and because
mypy runs the plugins that the user's settings name, which may do anything.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from rivusio.compiler.known_names import MYPY_WORKER
from rivusio.compiler.mypy_server import subprocesses
from rivusio.compiler.mypy_server.subprocesses import Ended

Answer = TypeVar("Answer")
Kind = Literal["oracle", "verify"]


class OracleError(Exception):
    """mypy gave no answer; the message says why, in one line."""


class OracleTimeoutError(OracleError):
    """mypy took longer than it may."""


class Mypy:
    """A child process that answers one request after another.

    Raises:
        OracleError: when it cannot be started.
    """

    def __init__(self) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the child lives
        try:
            self._child = subprocess.Popen(  # noqa: S603  ourselves
                [sys.executable, *subprocesses.SAFELY, "-m", MYPY_WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,
            )
        except OSError as error:
            self._said.close()
            message = f"cannot start mypy: {error.strerror}"
            raise OracleError(message) from error

    def ask(
        self, kind: Kind, request: bytes, answer: TypeAdapter[Answer], timeout: float
    ) -> Answer:
        """Let mypy answer one request.

        Args:
            kind: who shall answer it.
            request: what is asked.
            answer: what comes back.
            timeout: how long it may take, in seconds.

        Raises:
            OracleError: when mypy crashes, hangs, or refuses its settings.
        """
        replies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        # A thread, because nothing else reads a pipe with a timeout wherever Python runs.
        exchange = threading.Thread(
            target=lambda: replies.put(self._exchange(kind, request)), daemon=True
        )
        exchange.start()
        try:
            reply = replies.get(timeout=timeout)
        except queue.Empty:
            self._kill()
            message = f"mypy has not answered within {timeout:g} s; try --timeout {2 * timeout:g}"
            raise OracleTimeoutError(message) from None
        except BaseException:  # an interrupt must not leave it behind
            self._kill()
            raise
        finally:
            exchange.join(timeout)
        try:
            return answer.validate_json(reply)
        except ValidationError as error:
            raise OracleError(_why(self._wait_for_end())) from error

    def _exchange(self, kind: Kind, request: bytes) -> bytes:
        """Send a request and wait for the answer; empty if the child has ended instead."""
        pipes = self._child.stdin, self._child.stdout
        assert pipes[0] is not None  # noqa: S101  they were asked for
        assert pipes[1] is not None  # noqa: S101
        with contextlib.suppress(OSError):  # it has ended: so says its exit code
            pipes[0].write(f"{kind} {len(request)}\n".encode() + request)
            pipes[0].flush()
            return pipes[1].read(int(pipes[1].readline() or 0))
        return b""

    @property
    def has_ended(self) -> bool:
        """Tell whether it can answer no more."""
        return self._child.poll() is not None

    def _kill(self) -> None:
        subprocesses.kill(self._child)
        self._child.wait()

    def _wait_for_end(self) -> Ended:
        """Wait for the end of a child that has given no answer."""
        self._child.wait()
        self._said.seek(0)
        return Ended(self._child.returncode, b"", self._said.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child: it has nothing left to do, and would only take apart what it has built."""
        self._kill()
        for pipe in (self._child.stdin, self._child.stdout, self._said):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what is in the pipe has nobody to read it
                    pipe.close()


@dataclass
class _Kept:
    """A child that lives on, and another one where it has not lived long enough."""

    stack: contextlib.ExitStack
    mypy: Mypy

    def living(self) -> Mypy:
        if self.mypy.has_ended:
            self.mypy = self.stack.enter_context(Mypy())
        return self.mypy


_kept: ContextVar[_Kept | None] = ContextVar("_kept", default=None)


@contextlib.contextmanager
def keep_child() -> Iterator[None]:
    """Let one child answer all that is asked inside; it starts now, while the caller reads on.

    Raises:
        OracleError: when it cannot be started.
    """
    with contextlib.ExitStack() as stack:
        token = _kept.set(_Kept(stack, stack.enter_context(Mypy())))
        try:
            yield
        finally:
            _kept.reset(token)


def ask(kind: Kind, request: Any, answer: TypeAdapter[Answer], timeout: float) -> Answer:
    """Let the child answer that is kept, or one for this request alone; see `Mypy.ask`."""
    there = _kept.get()
    if there is not None:
        return there.living().ask(kind, request, answer, timeout)
    with Mypy() as mypy:
        return mypy.ask(kind, request, answer, timeout)


def _why(ended: Ended) -> str:
    """Say in one line why mypy gave no answer."""
    if ended.code < 0:
        signaled = f"mypy was ended by signal {-ended.code}"
        return f"{signaled}; a very long chain does that: give parts names"
    return f"mypy failed: {subprocesses.quote_end(ended)}"
