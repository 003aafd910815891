"""Compiles files of chains, and runs each case in both modes."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from rivusio import NotCompiledError
from rivusio.artifacts.mode import Mode
from rivusio.compiler.driver import Options, compile_files
from rivusio.compiler.ir import fusion
from rivusio.compiler.passes.inline import REFUSED_BY_MYPY
from rivusio.graph.operations import time_matters, traits_of
from rivusio.pipes.base import BasePipe
from rivusio.testing import ConsumerScript, Event, SourceScript, difference, record
from tests.equivalence import ends
from tests.equivalence.chains import Case, Chain, Ends, name_of, text_of
from tests.equivalence.strands import difference_of_strands

CHAINS_A_FILE = 4
MOST_CANCELS = 12


@dataclass(frozen=True, slots=True)
class Run:
    """One run that was made in both modes.

    Attributes:
        case: its case.
        ends: the run of the case that it belongs to.
        source: what its source did.
        consumer: what its consumer did.
        events: how many could be seen.
        found: how the modes differ, if they do.
    """

    case: Case
    ends: Ends
    source: SourceScript
    consumer: ConsumerScript
    events: int
    found: str | None


class Refused(Exception):
    """Files that do not compile: what the compiler says."""


def write(folder: Path, chains: Sequence[Chain]) -> list[tuple[Path, str]]:
    """Write the chains to files of a few each; give the file and the name of each chain."""
    places = []
    for start in range(0, len(chains), CHAINS_A_FILE):
        some = chains[start : start + CHAINS_A_FILE]
        path = folder / f"random_{start // CHAINS_A_FILE}.py"
        path.write_text(text_of(some), encoding="utf-8")
        places += [(path, name_of(index)) for index in range(len(some))]
    return places


@contextmanager
def loops_of_one_stage() -> Iterator[None]:
    """Let the compiler cut chains behind every stage, as it does with those that are very long."""
    most, fusion.MOST_LINES = fusion.MOST_LINES, 1
    try:
        yield
    finally:
        fusion.MOST_LINES = most


def compiled(folder: Path, paths: Sequence[Path]) -> None:
    """Compile files, with mypy's verdict on all that is generated.

    Raises:
        Refused: when the compiler has anything against them, or leaves a chain out.
    """
    done = compile_files([str(path) for path in paths], Options(timeout=900))
    said = [
        f"{each.path}:{each.line}: {each.message}"
        for each in done.diagnostics
        if each.code != "var-annotated"  # mypy wants a type where it has inferred none itself
    ]
    # Of a lambda mypy knows by its place what it does not know in the loop.
    said += [
        f"{chain.path}:{chain.line}: {stage.name}: {REFUSED_BY_MYPY}"
        for chain in done.chains
        for stage in chain.stages
        if stage.why == REFUSED_BY_MYPY and stage.name != "<lambda>"
    ]
    if said or done.without_chains:
        raise Refused("\n".join([*said, *done.without_chains]))


_codes: dict[Path, CodeType] = {}


def imported(path: Path, name: str) -> BasePipe[Any, Any]:
    """Import a file afresh, and give a chain of it: state on `self` is as at the beginning."""
    if path not in _codes:
        _codes[path] = compile(
            path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True
        )
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    exec(_codes[path], module.__dict__)  # noqa: S102  just written
    found = getattr(module, name)
    assert isinstance(found, BasePipe)
    return found


def recorded(
    path: Path,
    name: str,
    source: SourceScript,
    consumer: ConsumerScript,
    mode: Mode,
    *,
    monitor: bool,
) -> list[Event]:
    """Record one run of a chain of a file."""
    chain = imported(path, name)
    try:
        return record(chain, source, consumer, mode=mode, monitor=monitor)
    except NotCompiledError as error:
        return [Event(0.0, "not compiled", str(error))]


def differs_elsewhere(
    path: Path, name: str, source: SourceScript, consumer: ConsumerScript, *, monitor: bool
) -> str | None:
    """Say how a chain of the same stages differs that another expression of the file makes.

    It may run on what was compiled, where that is surely its own, or interpreted.
    """
    first = recorded(path, name, source, consumer, "interpreted", monitor=monitor)
    chain = imported(path, name)
    made = compile("type(chain)._of(chain.stages)", str(path), "eval")
    again = eval(made, {"chain": chain})  # noqa: S307  so that it is made in that file
    second = record(again, source, consumer, mode="auto", monitor=monitor)
    if _has_several_tasks(path, name):
        return difference_of_strands(first, second, with_take=_has_take(path, name))
    return difference(first, second)


def compared(
    path: Path,
    name: str,
    source: SourceScript,
    consumer: ConsumerScript,
    *,
    monitor: bool,
) -> tuple[list[Event], str | None]:
    """Run a chain in both modes; give what was seen of the first, and how the second differs."""
    first = recorded(path, name, source, consumer, "interpreted", monitor=monitor)
    second = recorded(path, name, source, consumer, "compiled", monitor=monitor)
    if _has_several_tasks(path, name):
        return first, difference_of_strands(first, second, with_take=_has_take(path, name))
    return first, difference(first, second)


@cache
def _has_several_tasks(path: Path, name: str) -> bool:
    """Tell whether a run has more tasks than one beside the consumer's."""
    stages = imported(path, name)._rivusio_stages()
    buffers = sum(stage.settings.backpressure is not None for stage in stages)
    timers = sum(time_matters(stage.operation) for stage in stages)
    return buffers + timers + sum(stage.concurrency is not None for stage in stages) > 1


@cache
def _has_take(path: Path, name: str) -> bool:
    stages = imported(path, name)._rivusio_stages()
    return any(traits_of(stage.operation).ends_early for stage in stages)


def carried_out(path: Path, name: str, case: Case) -> Iterator[Run]:
    """Make every run of a case in both modes."""
    gc.freeze()  # each recording looks for garbage: not among all that is there now
    for each in case.runs:
        chosen = random.Random(each.seed)  # noqa: S311  to be the same again
        source = ends.source(chosen, each.source, case.chain.stages[0].takes)
        if each.consumer != "cancelled at each await":
            consumer = ends.consumer(chosen, each.consumer)
            events, found = compared(path, name, source, consumer, monitor=each.monitor)
            yield Run(case, each, source, consumer, len(events), found)
            continue
        for at in range(1, MOST_CANCELS + 1):
            consumer = ends.consumer(chosen, each.consumer, at)
            events, found = compared(path, name, source, consumer, monitor=each.monitor)
            yield Run(case, each, source, consumer, len(events), found)
            if not any(event.kind == "cancelled here" for event in events):
                break
