"""What is held still around a recording: threads, the collector of garbage, and warnings."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from rivusio.safe_repr import repr_of, str_of


@contextmanager
def threads_at_once() -> Iterator[None]:
    """Let pools of threads do what they are given at once, in this thread."""
    submit = ThreadPoolExecutor.submit
    ThreadPoolExecutor.submit = _submit_at_once  # type: ignore[method-assign,assignment]  # for a while
    try:
        yield
    finally:
        ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]  # as it was


def _submit_at_once(
    _: ThreadPoolExecutor,
    function: Callable[..., Any],
    /,
    *args: Any,
    **kwargs: Any,
) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001  it is the caller's, as from a thread
        future.set_exception(error)
    return future


@contextmanager
def garbage_in_order() -> Iterator[None]:
    """Let no collection of garbage come in between.

    Where a consumer leaves a run behind, the collector may find several generators at once, and it
    closes them in the order in which they were made only if it has not met them before.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def hear_warnings(note: Callable[[str, object], None]) -> Iterator[None]:
    """Tell of warnings, and of errors that leave where nobody can catch them."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda lost: note("unraisable", repr_of(lost.exc_value))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *_, **__: note("warning", str_of(message))
            yield
    finally:
        sys.unraisablehook = hook
