"""What a command writes for editors and CI, also where it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rivusio.cli.terminal import say
from rivusio.user_code.describe import describe_error
from rivusio.user_code.refusal import Refusal


@contextmanager
def report_failures_as_json(
    form: str, whole: Callable[[list[dict[str, Any]]], object]
) -> Iterator[None]:
    """Write JSON where it was asked for, whatever leaves a command before it has written any.

    Args:
        form: what was asked for.
        whole: makes of what went wrong what the command writes.
    """
    try:
        yield
    except Exception as error:
        is_refusal = isinstance(error, Refusal)
        message = str(error) if is_refusal else f"rivusio failed: {describe_error(error)}"
        place = {"path": "", "line": 1, "column": 1}
        wrong = place | {"severity": "error", "message": message, "code": None, "note": None}
        if form == "json":
            with suppress(OSError):  # nobody reads it, or nothing can be written
                say(json.dumps(whole([wrong]), indent=2))
        raise
