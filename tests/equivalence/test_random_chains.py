"""Random chains: whatever they do, compiled they do the same."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rivusio.testing import ConsumerScript, SourceScript
from tests.equivalence import ends
from tests.equivalence.batches import chosen_cases
from tests.equivalence.chains import Case
from tests.equivalence.running import (
    carried_out,
    compared,
    compiled,
    differs_elsewhere,
    loops_of_one_stage,
    write,
)
from tests.equivalence.table import Table

SEED = "1"  # with it everything that can meet does, two by two
CHAINS = 112
RUNS_EACH = 8
CUT_SHORT = 5  # files whose chains have a loop for each stage

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.case"))


@dataclass(frozen=True)
class Compiled:
    """All cases, compiled at once: one run of the compiler costs some seconds."""

    cases: list[Case]
    places: list[tuple[Path, str]]
    regressions: dict[str, Path]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compiled]:
    folder = tmp_path_factory.mktemp("equivalence")
    cases = chosen_cases(SEED, CHAINS, RUNS_EACH)
    places = write(folder, [case.chain for case in cases])
    regressions = {}
    for case in REGRESSIONS:
        path = folder / f"regression_{case.stem}.py"
        path.write_text(case.read_text(encoding="utf-8"), encoding="utf-8")
        regressions[case.stem] = path
    paths = list(dict.fromkeys(path for path, _ in places))
    compiled(folder, [*paths[CUT_SHORT:], *regressions.values()])
    with loops_of_one_stage():
        compiled(folder, paths[:CUT_SHORT])
    yield Compiled(cases, places, regressions)
    gc.unfreeze()
    for path in {*(path for path, _ in places), *regressions.values()}:
        sys.modules.pop(path.stem, None)


def test_random_chains_do_the_same_in_both_modes(
    everything: Compiled, capsys: pytest.CaptureFixture[str]
) -> None:
    table, runs, found = Table(), 0, []
    for case, (path, name) in zip(everything.cases, everything.places, strict=True):
        for run in carried_out(path, name, case):
            runs += 1
            table.add(case.chain, run.ends.source, run.ends.consumer)
            if run.found is not None:
                found.append(f"{path.name} {name}\n{run.source}\n{run.consumer}\n{run.found}")
    with capsys.disabled():
        print(f"\n{CHAINS} random chains, {runs} runs in both modes\n{table}")
    assert not found, f"{len(found)} of {runs} runs differ; the first: {found[0]}"
    assert runs >= CHAINS * RUNS_EACH
    assert not table.empty_pairs()


def test_a_chain_of_the_same_stages_does_the_same_wherever_it_is_made(
    everything: Compiled,
) -> None:
    found, runs = [], 0
    for case, (path, name) in zip(everything.cases, everything.places, strict=True):
        if len(case.chain.stages) < 2:
            continue  # a lone pipe
        chosen, each = random.Random(name), case.runs[0]  # noqa: S311  to be the same again
        source = ends.source(chosen, each.source, case.chain.stages[0].takes)
        if each.consumer == "cancelled at each await":
            continue
        consumer = ends.consumer(chosen, each.consumer)
        runs += 1
        if said := differs_elsewhere(path, name, source, consumer, monitor=each.monitor):
            found.append(f"{path.name} {name}\n{said}")
    assert not found, f"{len(found)} of {runs} runs differ; the first: {found[0]}"
    assert runs > CHAINS // 2


@pytest.mark.parametrize("case", [case.stem for case in REGRESSIONS])
def test_what_once_differed_does_the_same_now(everything: Compiled, case: str) -> None:
    path = everything.regressions[case]
    namespace: dict[str, object] = {}
    text = path.read_text(encoding="utf-8")
    exec(compile(text, str(path), "exec", dont_inherit=True), namespace)  # noqa: S102  our own file
    match namespace["RUN"]:
        case SourceScript() as source, ConsumerScript() as consumer, bool(monitor):
            events, found = compared(path, "chain_0", source, consumer, monitor=monitor)
        case other:
            pytest.fail(f"RUN is {other!r}")
    assert events
    assert found is None, found
