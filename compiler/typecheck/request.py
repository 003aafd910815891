"""Types the chains of files: mypy is the oracle, asked in a child process."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.frontend.syntax import ChainSyntax, Span
from rivusio.compiler.mypy_server import client
from rivusio.compiler.mypy_server.client import OracleError
from rivusio.compiler.mypy_server.subprocesses import TIMEOUT
from rivusio.compiler.typecheck.facts import KnownFunction, KnownModule
from rivusio.compiler.typecheck.typed import Typed

__all__ = [
    "ANSWER",
    "REQUEST",
    "TIMEOUT",
    "Answer",
    "AskedFile",
    "OracleError",
    "Request",
    "TypedFile",
    "ask",
    "works",
]


@dataclass(frozen=True, slots=True)
class AskedFile:
    """A file whose chains shall be typed: its path, its text, and what was found in it."""

    path: str
    text: str
    chains: tuple[ChainSyntax, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked."""

    files: tuple[AskedFile, ...]


@dataclass(frozen=True, slots=True)
class TypedFile:
    """What the oracle knows of a file.

    Attributes:
        path: the file, as the user gave it.
        module: what mypy calls its module.
        chains: those that were found and are chains, with their types.
        unasked: functions that mypy would not have looked into by itself.
        dynamic: names at its top level that hold a pipeline which the text does not make.
        functions: what mypy knows of every function that is written in it.
        modules: the modules of the functions of its stages, with the names that they have.
        imports: the project's own files that it imports, and those that these import.
    """

    path: str
    module: str
    chains: tuple[Typed, ...]
    unasked: tuple[Span, ...]
    dynamic: tuple[str, ...] = ()
    functions: tuple[KnownFunction, ...] = ()
    modules: tuple[KnownModule, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child answers: the files, in order, and what else mypy has said of anything."""

    files: tuple[TypedFile, ...]
    complaints: tuple[Complaint, ...]


REQUEST, ANSWER = TypeAdapter(Request), TypeAdapter(Answer)


def ask(request: Request, timeout: float = TIMEOUT) -> Answer:
    """Type the chains of files, under the mypy settings that mypy finds from here.

    Raises:
        OracleError: when mypy crashes, hangs, or refuses its settings.
    """
    return client.ask("oracle", REQUEST.dump_json(request), ANSWER, timeout)


def works(timeout: float = TIMEOUT) -> bool:
    """Tell whether mypy works at all: under these settings, without any file."""
    try:
        return not any(each.stops for each in ask(Request(()), timeout).complaints)
    except OracleError:
        return False
