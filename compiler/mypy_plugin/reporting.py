"""How a finding reaches the user: as an error of mypy with a code of ours, and a note below it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mypy.errorcodes import ErrorCode
from mypy.nodes import Context, OpExpr
from mypy.plugin import CheckerPluginInterface

CATEGORY = "Rivusio"
CHAIN = ErrorCode("rivusio-chain", "Check the joins of chains", CATEGORY)
HANDLER = ErrorCode("rivusio-handler", "Check handle_error of pipes", CATEGORY)
CONFIG = ErrorCode("rivusio-config", "Check settings that are written as literals", CATEGORY)
ASYNC = ErrorCode("rivusio-async", "Check what is async and what blocks", CATEGORY)
PICKLE = ErrorCode("rivusio-pickle", "Check what has to travel to other processes", CATEGORY)

# How many times mypy sets errors aside while it tries the two methods of an operator.
OPERATOR_DEPTH = 2


def report(
    api: CheckerPluginInterface, where: Context, message: str, note: str, code: ErrorCode
) -> None:
    """Report an error and what to do about it; of the same ones mypy shows only the first."""
    error = api.fail(message, where, code=code)
    if error is not None:
        api.msg.note(note, where, code=code, parent_error=error)


@contextlib.contextmanager
def past_operator(api: CheckerPluginInterface, join: Context) -> Iterator[None]:
    """Report at once what mypy would set aside while it looks for the method of an operator.

    It would drop the type of the join together with what it has set aside, and with that type
    all that is wrong further to the right. Whatever else sets errors aside keeps doing so.
    """
    watchers = getattr(api.msg.errors, "_watchers", None)
    if not isinstance(join, OpExpr) or watchers is None or len(watchers) < OPERATOR_DEPTH:
        yield
        return
    inner = watchers[-OPERATOR_DEPTH:]
    del watchers[-OPERATOR_DEPTH:]
    try:
        yield
    finally:
        watchers.extend(inner)
