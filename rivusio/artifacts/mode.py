"""Whether chains run interpreted or compiled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

from rivusio.safe_repr import repr_of

Mode = Literal["auto", "interpreted", "compiled"]

_chosen: ContextVar[Mode | None] = ContextVar("rivusio_mode", default=None)


class NotCompiledError(RuntimeError):
    """A chain was to run compiled, and there is nothing compiled to run."""


class NotCompiledWarning(UserWarning):
    """A chain was compiled, but what was compiled cannot be used: it runs interpreted."""


def mode(choice: Mode) -> AbstractContextManager[None]:
    """Choose how the runs that start inside the `with` block are carried out.

    `"auto"` takes what is compiled and interprets the rest, `"interpreted"` never looks for
    anything compiled, `"compiled"` refuses to interpret. Without a choice the environment
    variable `RIVUSIO_MODE` decides, and without that, `"auto"`.

    Raises:
        ValueError: for any other choice.
    """
    return _chosen_for_the_block(_checked(choice, "mode"))


@contextmanager
def _chosen_for_the_block(choice: Mode) -> Iterator[None]:
    token = _chosen.set(choice)
    try:
        yield
    finally:
        _chosen.reset(token)


def current_mode() -> Mode:
    """Give the mode for a run that starts now.

    Raises:
        ValueError: when `RIVUSIO_MODE` is no mode.
    """
    return _chosen.get() or _checked(os.environ.get("RIVUSIO_MODE") or "auto", "RIVUSIO_MODE")


def _checked(choice: str, name: str) -> Mode:
    for known in get_args(Mode):
        if choice == known:
            return known  # type: ignore[no-any-return]  # get_args() has no types to give
    message = f"{name} must be one of {', '.join(map(repr, get_args(Mode)))}, got {repr_of(choice)}"
    raise ValueError(message)
