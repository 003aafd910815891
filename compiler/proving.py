"""Proves generated modules: mypy must have nothing against them.

Now and then mypy does not take a body where it stands in a loop: of a lambda, say, whose type it
has inferred from where the lambda was written. Then the stage is called instead, the module is
written anew, and proved again. What remains is a fault of the compiler's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import rivusio
from rivusio.compiler import artifact, verify
from rivusio.compiler.artifact import Written
from rivusio.compiler.emit import Emitted, Refused, emit
from rivusio.compiler.ir import COMPILE, Complaint, Diagnostic, Span
from rivusio.compiler.passes.inline import UNPROVEN, as_written, called_instead
from rivusio.compiler.plan import Plan
from rivusio.compiler.report import report_of
from rivusio.compiler.resolve import ResolvedChain

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


def made_of(path: str, chain: ResolvedChain, name: str, plan: Plan, emitted: Emitted) -> Made:
    """Lay a module that was written for a chain of a file beside its manifest."""
    plan = as_written(plan, emitted.inlined)
    manifest = artifact.manifest_of(Path(path), chain, emitted, report_of(plan))
    return Made(path, chain, Written(name, emitted.text, manifest), plan)


def proved(
    made: Sequence[Made], texts: Sequence[tuple[str, str]], timeout: float, *, keeps: bool = True
) -> tuple[list[Made], list[Diagnostic]]:
    """Give the modules as they passed, and what mypy has against the others.

    Args:
        made: the modules.
        texts: the path and text of each file that they were made from.
        timeout: how long mypy may take each time, in seconds.
        keeps: whether a module that mypy refuses is kept in a file, for a report.

    Raises:
        OracleError: when mypy gives no answer.
    """
    finished = {each.written.name: each for each in made}
    diagnostics: list[Diagnostic] = []
    waiting = list(finished)
    for turn in range(ROUNDS):
        said = _said([finished[name] for name in waiting], texts, timeout)
        waiting = []
        for name, complaints in said.items():
            again = None if turn == ROUNDS - 1 else _with_calls(finished[name], complaints)
            if again is None:
                diagnostics.extend(_bugs(finished[name], complaints, keeps=keeps))
            else:
                finished[name] = again
                waiting.append(name)
        if not waiting:
            break
    return list(finished.values()), diagnostics


def _said(
    made: Sequence[Made], texts: Sequence[tuple[str, str]], timeout: float
) -> dict[str, list[Complaint]]:
    """Give what mypy has against modules, by their names."""
    modules = [
        verify.Generated(  # the name of a file may have what the name of a module may not
            f"rivusio_generated.module_{number}", f"{each.written.name}.py", each.written.text
        )
        for number, each in enumerate(made)
    ]
    said: dict[str, list[Complaint]] = defaultdict(list)
    for complaint in verify.strict(modules, texts, timeout):
        said[Path(complaint.path).stem].append(complaint)
    return said


def _with_calls(made: Made, complaints: Sequence[Complaint]) -> Made | None:
    """Write a module anew that calls the stages of which mypy complains; None if it does so."""
    manifest = made.written.manifest
    places = {line: place.stage for line, place in manifest.places.items()}
    stages = {places.get(each.line) for each in complaints} & set(manifest.inlined)
    if not stages:
        return None
    plan = called_instead(made.plan, {each for each in stages if each is not None}, UNPROVEN)
    [emitted] = emit([plan], rivusio.__version__)
    if isinstance(emitted, Refused):
        return None
    return made_of(made.path, made.chain, made.written.name, plan, emitted)


def _bugs(made: Made, complaints: Sequence[Complaint], *, keeps: bool) -> Iterator[Diagnostic]:
    kept = Path(made.path).parent / f"{made.written.name}.failed.py"
    note = "please report it with the module, which `rivusio compile` keeps"
    if keeps:
        kept.write_text(made.written.text, encoding="utf-8")
        note = f'please report it with the module, kept in "{kept.name}"; nothing was written'
    for said in complaints:
        message = (
            f'the module of "{made.written.manifest.chain}" does not pass mypy, which is a bug of '
            f"rivusio's: line {said.line}: {said.message}"
        )
        place = made.span.line, made.span.column + 1
        yield Diagnostic(made.path, *place, "error", message, COMPILE, note)
