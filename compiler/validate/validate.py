"""Validates generated modules: mypy must find no error in them.

Now and then mypy does not take a body where it stands in a loop: of a lambda, say, whose type it
has inferred from where the lambda was written. Then the stage is called instead, the module is
written anew, and validated again. What remains is a fault of the compiler's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rivusio
from rivusio.compiler.artifacts import write
from rivusio.compiler.artifacts.write import Written
from rivusio.compiler.backends.python.format import FormatError
from rivusio.compiler.backends.python.module import GeneratedModule, Refused, render_modules
from rivusio.compiler.diagnostics import COMPILE, Complaint, Diagnostic
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.ir.explain import explain
from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.mypy_server.client import OracleError, OracleTimeoutError
from rivusio.compiler.passes.inline import REFUSED_BY_MYPY, call_instead, match_module
from rivusio.compiler.resolve.resolve import ResolvedChain
from rivusio.compiler.validate import request

NOWHERE = ""  # the path of a complaint that is of no module
ROUNDS = 4  # a stage that is called may move what mypy says to the next


@dataclass(frozen=True, slots=True)
class Made:
    """A chain on its way: what it is to become, and where it comes from."""

    path: str
    chain: ResolvedChain
    written: Written
    plan: Plan

    @property
    def span(self) -> Span:
        """Where the chain is made."""
        return self.chain.chain.span


def add_manifest(
    path: str, chain: ResolvedChain, name: str, plan: Plan, generated: GeneratedModule
) -> Made:
    """Lay a module that was written for a chain of a file beside its manifest."""
    plan = match_module(plan, generated.inlined)
    manifest = write.make_manifest(Path(path), chain, generated, explain(plan))
    return Made(path, chain, Written(name, generated.text, manifest), plan)


@dataclass(frozen=True, slots=True)
class Invalid:
    """A chain whose module mypy does not take, and what is to be said of it."""

    made: Made
    diagnostics: tuple[Diagnostic, ...]


def validate(
    made: Sequence[Made], texts: Sequence[tuple[str, str]], timeout: float, *, keeps: bool = True
) -> tuple[list[Made], list[Invalid]]:
    """Give the modules as they passed, and those that did not.

    Args:
        made: the modules.
        texts: the path and text of each file that they were made from.
        timeout: how long mypy may take each time, in seconds.
        keeps: whether a module that mypy refuses is kept in a file, for a report.

    Raises:
        OracleTimeoutError: when mypy takes longer.
    """
    finished = dict(enumerate(made))
    invalid: dict[int, Invalid] = {}
    waiting = list(finished)
    for turn in range(ROUNDS):
        said = _ask_mypy({index: finished[index] for index in waiting}, texts, timeout)
        waiting = []
        for index, complaints in said.items():
            each = finished[index]
            again = None if turn == ROUNDS - 1 else _write_with_calls(each, complaints)
            if again is None:
                invalid[index] = Invalid(each, tuple(_diagnose(each, complaints, keeps=keeps)))
            else:
                finished[index] = again
                waiting.append(index)
        if not waiting:
            break
    passed = [each for index, each in finished.items() if index not in invalid]
    return passed, list(invalid.values())


def _ask_mypy(
    made: Mapping[int, Made], texts: Sequence[tuple[str, str]], timeout: float
) -> dict[int, list[Complaint]]:
    """Give what mypy has against modules; where it stops at one, the others are asked alone."""
    try:
        return _ask_together(made, texts, timeout)
    except OracleTimeoutError:
        raise
    except OracleError as error:
        if len(made) == 1:
            return {index: [Complaint(NOWHERE, 1, 0, str(error), None)] for index in made}
    said: dict[int, list[Complaint]] = {}
    for index, each in made.items():
        said |= _ask_mypy({index: each}, texts, timeout)
    return said


def _ask_together(
    made: Mapping[int, Made], texts: Sequence[tuple[str, str]], timeout: float
) -> dict[int, list[Complaint]]:
    paths: dict[str, int] = {}
    for index, each in made.items():
        name = each.written.name  # that of two files in two folders may be the same
        paths[f"{name}.py" if f"{name}.py" not in paths else f"{name}.{index}.py"] = index
    modules = [
        request.Generated(  # the name of a file may have what the name of a module may not
            f"rivusio_generated.module_{number}", path, made[index].written.text
        )
        for number, (path, index) in enumerate(paths.items())
    ]
    said: dict[int, list[Complaint]] = defaultdict(list)
    for complaint in request.strict(modules, texts, timeout):
        said[paths[complaint.path]].append(complaint)
    return said


def _write_with_calls(made: Made, complaints: Sequence[Complaint]) -> Made | None:
    """Write a module anew that calls the stages of which mypy complains; None if it does so."""
    manifest = made.written.manifest
    places = {line: place.stage for line, place in manifest.places.items()}
    stages = {places.get(each.line) for each in complaints} & set(manifest.inlined)
    if not stages:
        return None
    plan = call_instead(made.plan, {each for each in stages if each is not None}, REFUSED_BY_MYPY)
    try:
        [generated] = render_modules([plan], rivusio.__version__)
    except FormatError:
        return None
    if isinstance(generated, Refused):
        return None
    return add_manifest(made.path, made.chain, made.written.name, plan, generated)


def _diagnose(made: Made, complaints: Sequence[Complaint], *, keeps: bool) -> Iterator[Diagnostic]:
    """Say why a chain has no module: mypy has something against it, or could not look at it."""
    place = made.path, made.span.line, made.span.column + 1
    chain = made.written.manifest.chain
    if (nowhere := next((each for each in complaints if each.path == NOWHERE), None)) is not None:
        message = f'chain "{chain}" is not compiled: {nowhere.message}'
        yield Diagnostic(*place, "error", message, COMPILE, "it runs interpreted")
        return
    note = (
        _keep_for_report(made)
        if keeps
        else "please report it with the module, which `compile` keeps"
    )
    for said in complaints:
        message = (
            f'the module of "{chain}" does not pass mypy, which is a bug of '
            f"rivusio's: line {said.line}: {said.message}"
        )
        yield Diagnostic(*place, "error", message, COMPILE, note)


def _keep_for_report(made: Made) -> str:
    """Keep a module for a report, and say where."""
    kept = Path(made.path).parent / f"{made.written.name}.failed.py"
    try:
        kept.write_text(made.written.text, encoding="utf-8")
    except OSError:  # what is wrong with the chain is told in any case
        return "please report it; the chain runs interpreted"
    return f'please report it with the module, kept in "{kept.name}"; the chain runs interpreted'
