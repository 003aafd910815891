"""Lets mypy verify the generated modules, as strictly as it can: the compiler's own proof.

What it finds is a fault of the compiler's: the user's own files are judged by the user's settings,
and generated modules by `mypy --strict`, whatever those settings say.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.mypy_server import client
from rivusio.compiler.mypy_server.client import OracleError
from rivusio.compiler.mypy_server.subprocesses import TIMEOUT


@dataclass(frozen=True, slots=True)
class Generated:
    """A module that the compiler has written.

    Attributes:
        name: the full name of the module.
        path: the file to name in messages; it need not be there.
        text: what is in it.
    """

    name: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked: the generated modules, and the user's files with their texts."""

    modules: tuple[Generated, ...]
    user_files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child answers: all that mypy has said of anything."""

    complaints: tuple[Complaint, ...]


REQUEST, ANSWER = TypeAdapter(Request), TypeAdapter(Answer)


def strict(
    modules: Sequence[Generated],
    user_files: Sequence[tuple[str, str]],
    timeout: float = TIMEOUT,
) -> tuple[Complaint, ...]:
    """Say what `mypy --strict` has against generated modules: nothing, if all is well.

    Args:
        modules: the generated modules, verified in one run.
        user_files: the path and text of each file that they were made from. The modules import
            them by the names that the oracle gives them, wherever the files are; so let them be
            those that the oracle was asked for, in that order.
        timeout: how long mypy may take, in seconds.

    Raises:
        OracleError: when mypy gives no answer, or something else stops it.
    """
    if not modules:
        return ()
    request = REQUEST.dump_json(Request(tuple(modules), tuple(user_files)))
    answer = client.ask("verify", request, ANSWER, timeout)
    paths = {os.path.realpath(module.path): module.path for module in modules}
    ours = []
    for said in answer.complaints:
        path = paths.get(os.path.realpath(said.path))
        if path is not None:
            ours.append(replace(said, path=path))
        elif said.stops:
            place = f"{said.path}:{said.line}: " if said.path else ""
            raise OracleError(f"mypy cannot go on: {place}{said.message}")
    return tuple(ours)
