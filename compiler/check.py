"""Checks the joins of files: what `rivusio check` says.

    flights.py:12:21: error: stage 2 "Clean" accepts "int" but stage 1 "Parse" produces "str"  \
[rivusio-chain]
    flights.py:12:21: note: put a stage between them that makes a "int"

Nothing is written, and no user code runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rivusio.compiler import apart
from rivusio.compiler.diagnostics import CHAIN, Complaint, Diagnostic, Severity
from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.source import Source, Unreadable, read
from rivusio.compiler.mypy_server import client
from rivusio.compiler.typecheck import request
from rivusio.compiler.typecheck.messages import message_and_note
from rivusio.compiler.typecheck.request import (
    TIMEOUT,
    Answer,
    AskedFile,
    OracleError,
    Request,
    TypedFile,
)
from rivusio.compiler.typecheck.typed import Chain, Typed

MYPY = "mypy"  # the code of what it says of no place
# mypy's words for what a chain's own diagnostic has said already.
ECHOES = {
    "operator",
    "arg-type",
    "misc",
    "call-overload",
    "assignment",
    "list-item",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What the check of some files has found.

    Attributes:
        diagnostics: errors and warnings, sorted by file, line and column.
        chains: the chains of each file that was checked, by the path that the user gave.
    """

    diagnostics: tuple[Diagnostic, ...]
    chains: dict[str, tuple[Chain, ...]]

    @property
    def failed(self) -> bool:
        """Tell whether there is an error among the diagnostics."""
        return any(each.severity == "error" for each in self.diagnostics)

    @property
    def summary(self) -> str:
        """Say how much was looked at, and which files hold no chain; a line each."""
        empty = [f"{path}: no chain found" for path, chains in self.chains.items() if not chains]
        chains = sum(map(len, self.chains.values()))
        count = f"checked {_count(chains, 'chain')} in {_count(len(self.chains), 'file')}"
        return "\n".join([*empty, count])


def check(paths: Sequence[str], timeout: float = TIMEOUT) -> Report:
    """Check every join of every chain in the files.

    Args:
        paths: Python files; the same file is checked once. What stops mypy at one is no reason
            not to check the others.
        timeout: how long mypy may take, in seconds.

    Raises:
        OracleError: when mypy gives no answer.
    """
    paths = list(dict.fromkeys(paths))  # each as it was given
    diagnostics: list[Diagnostic] = []
    chains: dict[str, tuple[Chain, ...]] = {}
    failures: list[OracleError | None] = []
    with client.keep_child():
        for group, seen in apart.each_apart(paths, partial(examine, timeout=timeout), timeout):
            if isinstance(seen, OracleError):
                failures.append(seen)
                diagnostics.extend(no_answer(path, seen) for path in group)
                continue
            failures.append(None)
            diagnostics.extend(seen.diagnostics)
            for file in seen.files:
                chains[file.path] = tuple(typed.chain for typed in file.chains)
    apart.raise_if_all_failed(failures)
    in_turn = {path: chains[path] for path in paths if path in chains}
    return Report(in_order(diagnostics, paths), in_turn)


def no_answer(path: str, error: OracleError) -> Diagnostic:
    """Say that there is no answer for a file."""
    return Diagnostic(path, 1, 1, "error", str(error), MYPY)


@dataclass(frozen=True, slots=True)
class Examined:
    """What the front end knows of some files.

    Attributes:
        sources: those that could be read, by the path that the user gave.
        files: those of which mypy has answered, with the types of their chains.
        diagnostics: errors and warnings, sorted by file, line and column.
        stopped: whether something stopped mypy: then it has answered of no file.
    """

    sources: dict[str, Source]
    files: tuple[TypedFile, ...]
    diagnostics: tuple[Diagnostic, ...]
    stopped: bool = False


def examine(
    paths: Sequence[str], timeout: float = TIMEOUT, *, single_stage: bool = False
) -> Examined:
    """Read files, type their chains and check every join.

    With `single_stage`, also the chains of one stage.

    Raises:
        OracleError: when mypy gives no answer.
    """
    sources: list[Source] = []
    asked: list[AskedFile] = []
    found: list[Diagnostic] = []
    for path in dict.fromkeys(paths):
        try:
            source = read(path)
            asked.append(
                AskedFile(path, source.text, finder.chains(source, single_stage=single_stage))
            )
            sources.append(source)
        except Unreadable as error:
            found.append(error.diagnostic)
    answer = _answer(asked, timeout)
    by_path = {source.path: source for source in sources}
    for file in answer.files:
        for typed in file.chains:
            found.extend(mismatches_of(typed, by_path[file.path]))
    found.extend(_of_mypy(answer, by_path))
    stopped = any(each.stops for each in answer.complaints)
    return Examined(by_path, answer.files, in_order(found, paths), stopped)


def in_order(found: Iterable[Diagnostic], paths: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Give diagnostics in the order of the files and of their places, each once."""
    order = {path: index for index, path in enumerate(dict.fromkeys(paths))}

    def place(each: Diagnostic) -> tuple[int, str, int, int]:
        return order.get(each.path, -1), each.path, each.line, each.column

    return tuple(dict.fromkeys(sorted(found, key=place)))


def _answer(files: list[AskedFile], timeout: float) -> Answer:
    return request.ask(Request(tuple(files)), timeout) if files else Answer((), ())


def _count(number: int, of: str) -> str:
    return f"{number} {of}" if number == 1 else f"{number} {of}s"


# Chains


def mismatches_of(typed: Typed, source: Source) -> Iterator[Diagnostic]:
    """Say which joins of a chain do not fit."""
    stages = typed.chain.stages
    names = [stage.name for stage in stages]
    sources = [stage.operand.source for stage in stages]
    for mismatch in typed.mismatches:
        message, note = message_and_note(mismatch.what, names, sources)
        place = mismatch.at.line, source.column(mismatch.at.line, mismatch.at.column)
        severity: Severity = "warning" if mismatch.excused else "error"
        yield Diagnostic(source.path, *place, severity, message, CHAIN, note)


# What else mypy says


def _of_mypy(answer: Answer, sources: dict[str, Source]) -> Iterator[Diagnostic]:
    """Give mypy's other errors in the files as warnings; what stopped it is an error."""
    files = {os.path.realpath(file.path): file for file in answer.files}
    given = {os.path.realpath(path): source for path, source in sources.items()}
    for said in answer.complaints:
        place = os.path.realpath(said.path)
        source, file = given.get(place), files.get(place)
        if said.stops:
            path = (said.path or next(iter(sources), "")) if source is None else source.path
            message = f"mypy cannot go on: {said.message}"
            column = said.column + 1 if source is None else source.column(said.line, said.column)
            yield Diagnostic(path, said.line, column, "error", message, said.code)
        elif source is not None and file is not None and not _is_said(said, file):
            column = source.column(said.line, said.column)
            yield Diagnostic(source.path, said.line, column, "warning", said.message, said.code)


def _is_said(said: Complaint, file: TypedFile) -> bool:
    """Tell whether a complaint is of a wrong join, or of what only we asked mypy to look at."""
    place = said.line, said.column
    wrong = [mismatch.whole for typed in file.chains for mismatch in typed.mismatches]
    if said.code == "var-annotated":  # a name for what comes out of a wrong join
        return any(span.line <= said.line <= span.end_line for span in wrong)
    return any(span.holds(*place) for span in file.unasked) or (
        said.code in ECHOES and any(span.holds(*place) for span in wrong)
    )
