"""The lines of an input, as bytes: read as they come, also from one that is idle for hours."""

from __future__ import annotations

import asyncio
import os
import select
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import BinaryIO

CHUNK = 1 << 16  # bytes to read at once


class Lines:
    """The lines of an input, without their ends.

    Args:
        file: the input, open for reading bytes.
        name: what messages call it.

    Attributes:
        number: that of the last line that was given, from 1.
        ended: whether the input has come to its end.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self.number = 0
        self.ended = False
        self._stopped = False
        self._wake: int | None = None  # the end of a pipe to write to, where somebody waits

    @property
    def may_wait(self) -> bool:
        """Whether the next line may be long in coming: from a pipe, a socket or a terminal."""
        if sys.platform == "win32":  # nothing there can tell when such an input is ready
            return False
        try:
            mode = os.fstat(self._file.fileno()).st_mode
        except OSError:  # a file in memory
            return False
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or self._file.isatty()

    def stop(self) -> None:
        """Give no further line, also where one is being waited for; from a signal handler, too."""
        self._stopped = True
        if self._wake is not None:
            os.write(self._wake, b"\0")

    def __iter__(self) -> Iterator[bytes]:
        lines = self._wait_for_lines() if self.may_wait else iter(self._file)
        for line in lines:
            if self._stopped:
                return
            yield self._next(line)
        self.ended = self.ended or not self._stopped

    async def live(self) -> AsyncIterator[bytes]:
        """Give the lines of an input that may wait without holding the event loop up."""
        splitting = _Splitting()
        while True:
            chunk = await self._read_in_loop()
            self.ended = not chunk
            for line in splitting.lines(chunk):
                if self._stopped:
                    return
                yield self._next(line)
            if self.ended:
                return

    def _is_stopped(self) -> bool:  # a signal handler may say so at any time
        return self._stopped

    def _next(self, line: bytes) -> bytes:
        self.number += 1
        return line.removesuffix(b"\n").removesuffix(b"\r")

    def _wait_for_lines(self) -> Iterator[bytes]:
        splitting = _Splitting()
        number = self._file.fileno()
        with self._wake_on_stop() as woken:
            while not self._is_stopped():
                ready, _, _ = select.select([number, woken], [], [])
                if woken in ready:
                    return
                chunk = os.read(number, CHUNK)
                self.ended = not chunk
                yield from splitting.lines(chunk)
                if self.ended:
                    return

    @contextmanager
    def _wake_on_stop(self) -> Iterator[int]:
        """Give what becomes ready to be read when `stop` is called.

        A signal handler alone does not end a wait: Python goes on with it (PEP 475).
        """
        woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        try:
            yield woken
        finally:
            wake, self._wake = self._wake, None
            os.close(wake)
            os.close(woken)

    async def _read_in_loop(self) -> bytes:
        loop = asyncio.get_running_loop()
        number = self._file.fileno()
        readable = asyncio.Event()
        loop.add_reader(number, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(number)
        return os.read(number, CHUNK)


class _Splitting:
    """Cuts what was read into lines; a line may come in any number of pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def lines(self, chunk: bytes) -> list[bytes]:
        """Give the lines that a chunk ends; the empty chunk is the end of the input."""
        if not chunk:
            rest = b"".join(self._pieces)
            self._pieces = []
            return [rest] if rest else []
        first, *others = chunk.split(b"\n")
        self._pieces.append(first)
        if not others:
            return []
        *whole, rest = others
        ended = b"".join(self._pieces)
        self._pieces = [rest]
        return [ended, *whole]
