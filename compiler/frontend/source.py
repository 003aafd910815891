"""A user's file, read and parsed as Python reads it; or the one reason why it cannot be."""

from __future__ import annotations

import ast
import stat
import tokenize
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from rivusio.compiler.diagnostics import Diagnostic
from rivusio.compiler.frontend.syntax import Span


class Unreadable(Exception):  # noqa: N818  it is an answer, shown as one line
    """The file cannot be compiled; `.diagnostic` says where and why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(str(diagnostic))
        self.diagnostic = diagnostic


@dataclass(frozen=True)
class Source:
    r"""The text of a file, and its syntax tree.

    Attributes:
        path: the file, as the user gave it.
        text: what is in it, with line ends as `\n`.
        tree: the same, parsed.
    """

    path: str
    text: str
    tree: ast.Module = field(repr=False)
    _lines: list[bytes] = field(repr=False)

    def column(self, line: int, offset: int) -> int:
        """Give a byte offset in a line as the column that people count: from 1, in characters."""
        if not 1 <= line <= len(self._lines):
            return offset + 1
        return len(self._lines[line - 1][:offset].decode(errors="replace")) + 1

    def segment(self, span: Span) -> str:
        """Give the text of a stretch."""
        lines = self._lines[span.line - 1 : span.end_line]
        lines[-1] = lines[-1][: span.end_column]
        lines[0] = lines[0][span.column :]
        return b"\n".join(lines).decode(errors="replace")


def read(path: str) -> Source:
    """Read and parse a file.

    Raises:
        Unreadable: for a file that is not there, not text, or no Python.
    """
    return parse(path, _text_of(path))


def parse(path: str, text: str) -> Source:
    """Parse the text of a file.

    Raises:
        Unreadable: for text that is no Python, or too deep for Python's parser.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `"\d"` is the user's, and no error
            tree = ast.parse(text, path)
            compile(tree, path, "exec", dont_inherit=True)  # refuses a `return` outside, say
    except SyntaxError as error:
        raise _syntax_error(path, error) from error
    except (RecursionError, MemoryError) as error:
        raise too_deep(path) from error
    except ValueError as error:  # a null byte, in some versions of Python
        raise _unreadable(path, str(error)) from error
    return Source(path, text, tree, [line.encode(errors="replace") for line in text.split("\n")])


def too_deep(path: str) -> Unreadable:
    """Give the reason why a file cannot be read: what Python's parser takes is not all we do."""
    message = "an expression or a block is nested too deep; give parts of it names"
    return _unreadable(path, message)


def _text_of(path: str) -> str:
    try:
        if not stat.S_ISREG(mode := Path(path).stat().st_mode) and not stat.S_ISDIR(mode):
            message = "it is a pipe or a device, which may never end; save it as a file"
            raise _unreadable(path, message)
        with tokenize.open(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a codec: the user's, and no error
            return file.read()
    except IsADirectoryError as error:
        raise _unreadable(path, "it is a folder; give the path of a Python file") from error
    except OSError as error:
        raise _unreadable(path, f"cannot read it: {error.strerror}") from error
    except SyntaxError as error:  # an encoding that Python does not know, or not UTF-8
        raise _unreadable(path, f"{error.msg}; save it as UTF-8") from error
    except LookupError as error:  # it names a codec that makes no text, such as rot13
        message = "its coding line names no encoding of text; save it as UTF-8"
        raise _unreadable(path, message) from error
    except UnicodeDecodeError as error:
        raise _no_text(path, error) from error
    except ValueError as error:  # a null byte in the path
        raise _unreadable(path, f"cannot read it: {error}") from error


def _syntax_error(path: str, error: SyntaxError) -> Unreadable:
    place = max(error.lineno or 1, 1), max(error.offset or 1, 1)
    return Unreadable(Diagnostic(path, *place, "error", f"{error.msg}", "syntax"))


def _no_text(path: str, error: UnicodeDecodeError) -> Unreadable:
    """Refuse a file at the byte that is no text; the error itself has its place in a part only."""
    with Path(path).open("rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
        file.seek(0)
        content = file.read()
    line = column = 1
    try:
        content.decode(encoding)
    except UnicodeDecodeError as found:
        before = found.object[: found.start].decode(encoding, errors="replace")
        lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        line, column = len(lines), len(lines[-1]) + 1
        error = found
    message = f"it is no {error.encoding} text: {error.reason}; save it as UTF-8"
    return Unreadable(Diagnostic(path, line, column, "error", message, "file"))


def _unreadable(path: str, message: str) -> Unreadable:
    return Unreadable(Diagnostic(path, 1, 1, "error", message, "file"))
