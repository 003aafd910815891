"""A child process of ours that runs the user's code: one request on stdin, one answer on stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def serve_once() -> Iterator[tuple[bytes, BinaryIO]]:
    """Give the request on stdin, and where the answer goes.

    Whatever the user's file prints meanwhile goes to stderr.
    """
    request = sys.stdin.buffer.read()
    sys.path.append("")  # as if Python had been started here, but behind our own
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)  # `input()` finds the end, and not what is left of the request
        yield request, replies
