"""Asks a child process what the chains of a file are once it is imported.

The file may do anything: print, leave, hang, crash. Whatever it does, the answer is the chains
that were made, or one line that says why there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from rivusio.compiler.frontend.functions import FunctionRef
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.known_names import LIVE_WORKER
from rivusio.compiler.mypy_server import subprocesses
from rivusio.compiler.mypy_server.subprocesses import TIMEOUT
from rivusio.graph.signature import Shape


class LiveError(Exception):
    """The file cannot be imported; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class LiveStage:
    """A stage as it is when a run would start.

    Attributes:
        name: what it is called.
        shape: what decides how its code looks.
        function: where the function is written that it calls.
        no_function: why that is not known, or of no use; empty if it is.
        called: where it is written, whatever that is good for.
    """

    name: str
    shape: Shape
    function: FunctionRef | None
    no_function: str
    called: FunctionRef | None = None


@dataclass(frozen=True, slots=True)
class LiveChain:
    """A chain that was made while the file was imported, or a pipe that it gives a name.

    Attributes:
        name: its qualified name at the top level or in a class; None if it has none.
        file: the file with the expression that made it; None for a single-stage chain.
        span: that expression; None for a single-stage chain.
        stages: its flat stages.
        made_by: what Python notes of the expression that made it.
    """

    name: str | None
    file: str | None
    span: Span | None
    stages: tuple[LiveStage, ...]
    made_by: Span | None = None


@dataclass(frozen=True, slots=True)
class LiveModule:
    """A module as Python calls it, its file, and the names that it has."""

    name: str
    file: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Live:
    """What the file is when it is imported.

    Attributes:
        chains: the chains, in the order in which they were made, then the single-stage chains.
        modules: the modules of the functions of their stages.
        refused: why it cannot be imported; empty if it was.
    """

    chains: tuple[LiveChain, ...]
    modules: tuple[LiveModule, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked: the path of a file."""

    path: str


REQUEST, ANSWER = TypeAdapter(Request), TypeAdapter(Live)


def look(path: str, timeout: float = TIMEOUT) -> Live:
    """Import a file in a child process, and say what its chains are.

    Args:
        path: the file.
        timeout: how long that may take, in seconds.

    Raises:
        LiveError: when it cannot be imported, leaves, hangs or crashes.
    """
    try:
        ended = subprocesses.run(LIVE_WORKER, REQUEST.dump_json(Request(path)), timeout)
    except TimeoutError as error:
        message = (
            f'importing "{path}" has not ended within {timeout:g} s; put what runs it under '
            f'if __name__ == "__main__":, or try --timeout {2 * timeout:g}'
        )
        raise LiveError(message) from error
    except OSError as error:
        message = f'cannot start Python to import "{path}": {error.strerror}'
        raise LiveError(message) from error
    try:
        live = ANSWER.validate_json(ended.stdout)
    except ValidationError as error:
        raise LiveError(f'importing "{path}" failed: {_why(ended)}') from error
    if live.refused:
        raise LiveError(live.refused)
    return live


def _why(ended: subprocesses.Ended) -> str:
    """Say in one line why there is no answer."""
    if ended.code < 0:
        return f"Python was ended by signal {-ended.code}"
    if ended.code == 0 or not ended.stderr.strip():
        return f"it ended Python with exit code {ended.code}"
    return f"{subprocesses.quote_end(ended)} (exit code {ended.code})"
