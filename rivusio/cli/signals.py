"""Signals: the first ends the source of a run, the second cancels it; then the process ends by it.

A shell or a supervisor sees of a process that it was ended by a signal, and which; an exit code
tells it something else. So once the run is over and everything is written, the default handler is
put back, and the process sends the signal to itself.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
STDERR = 2


class Ended(KeyboardInterrupt):
    """A signal ends the process: as `KeyboardInterrupt` does, and it knows which."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        self.signum = signum


class Stopping:
    """What signals do to a run.

    Attributes:
        last: the signal that came last, if one did.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self._count = 0
        self._stop: Callable[[], None] | None = None
        self._cancel: Callable[[], None] | None = None
        self._is_over = False

    @contextmanager
    def stop_run(
        self, stop: Callable[[], None], cancel: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Let signals end a run while the block goes on.

        Args:
            stop: ends the source.
            cancel: cancels the run; without it, `Ended` is raised in the middle of it.

        Raises:
            Ended: at the second signal, or the third, if the second can cancel.
        """
        self._stop, self._cancel = stop, cancel
        try:
            yield
        finally:
            self._is_over = True
            self._cancel = None

    def on_signal(self, signum: int, _frame: FrameType | None) -> None:
        """Called when a signal has come: a handler.

        Raises:
            Ended: where there is no run yet that could be stopped, or one that will not end.
        """
        self.last = signum
        self._count += 1
        if self._stop is None:
            raise Ended(signum)
        if self._count == 1:
            if not self._is_over:  # else all results are there, and are only to be put in place
                again = "Ctrl-C again" if signum == signal.SIGINT else "another signal"
                _say(f"stopping: what the stages hold is passed on; {again} cancels")
                self._stop()
        elif self._count == 2 and self._cancel is not None:
            self._cancel()
        else:
            raise Ended(signum)


@contextmanager
def catch_signals() -> Iterator[Stopping]:
    """Give what says which signals have come, as long as the block goes on.

    A signal that is ignored, as by `nohup`, stays so. In a thread nothing is caught.
    """
    stopping = Stopping()
    before = {}
    if threading.current_thread() is threading.main_thread():
        # Registered before the user's file is imported, it comes last: what that file has
        # registered is done by then.
        atexit.register(_end_by_signal)
        for signum in SIGNALS:
            if signal.getsignal(signum) not in (signal.SIG_IGN, None):
                before[signum] = signal.signal(signum, stopping.on_signal)
    try:
        yield stopping
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def end_by(signum: int) -> int:
    """Let the process end by a signal, once it exits; give the exit code, should it not."""
    _ends_by.append(signum)
    return 128 + signum  # as a shell tells it


_ends_by: list[int] = []


def _end_by_signal() -> None:
    if not _ends_by or os.name == "nt":  # there os.kill() would say nothing but an exit code
        return
    signal.signal(_ends_by[-1], signal.SIG_DFL)
    os.kill(os.getpid(), _ends_by[-1])


def _say(text: str) -> None:
    with suppress(OSError):  # its terminal may be what has gone
        os.write(STDERR, f"{text}\n".encode())  # a print could meet itself in a signal handler
