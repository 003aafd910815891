"""Locks that end with the process that has them, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def lock_now(path: Path) -> int | None:
    """Lock a file that stands for something; give what holds the lock, None if another has it.

    The file is made if it is not there. The lock is held until the number that is given is closed.

    Raises:
        OSError: when the file cannot be opened, or its file system has no locks.
    """
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if sys.platform == "win32":
            msvcrt.locking(held, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the latter on Windows
        os.close(held)
        return None
    except BaseException:
        os.close(held)
        raise
    return held


@contextlib.contextmanager
def one_writer(folder: Path) -> Iterator[bool]:
    """Wait until nobody else writes to a folder, and keep others waiting.

    Gives whether it is so. Where folders cannot be locked, as on Windows, nobody waits: what two
    writers leave of two states of a file has hashes that do not fit together.
    """
    if sys.platform == "win32":
        yield False
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        is_alone = False
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(held, fcntl.LOCK_EX)
            is_alone = True
        yield is_alone
    finally:
        os.close(held)
