"""The strategy of random chains: each is a program, and compiled in this process does the same."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from rivusio.artifacts import loader
from rivusio.compiler.jit import compile_stages
from rivusio.testing import ConsumerScript, SourceScript
from tests.equivalence.batches import HangError, bounded
from tests.equivalence.chains import Case, cases, name_of, text_of
from tests.equivalence.running import carried_out, compared, imported
from tests.equivalence.shrinking import Failure, shrunk
from tests.equivalence.strategy import cases as strategy

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def compiled_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loader, "compile_on_demand", compile_stages)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@given(strategy())
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    # The folder is the same for all examples, and each has a file of its own in it.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_chain_does_the_same_in_both_modes(tmp_path: Path, case: Case) -> None:
    path = tmp_path / f"drawn_{next(_numbers)}.py"
    path.write_text(text_of([case.chain]), encoding="utf-8")
    for run in carried_out(path, name_of(0), case):
        assert run.events
        assert run.found is None, run.found


def chosen(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311  to be the same again


def test_the_same_seed_gives_the_same_cases() -> None:
    first, second, other = (list(cases(chosen(seed), 20, 3)) for seed in ("1", "1", "2"))
    assert first == second
    assert first != other
    texts = [text_of([case.chain]) for case in first]
    assert texts == [text_of([case.chain]) for case in second]


def test_a_case_that_differs_is_made_small() -> None:
    """Here all chains differ that have a filter: one stage of it is left, and no source item."""
    made = next(
        case
        for case in cases(chosen("shrink"), 200, 1)
        if len(case.chain.stages) > 3 and any(each.op == "filter" for each in case.chain.stages)
    )
    (source, consumer) = _ends()
    failure = Failure(made.chain, source, consumer, monitor=True, found="differs")

    def differs(failures: object) -> Iterator[str | None]:
        assert isinstance(failures, list)
        for each in failures:
            yield "so" if any(stage.op == "filter" for stage in each.chain.stages) else None

    small = shrunk(failure, differs, rounds=200)
    assert [stage.op for stage in small.chain.stages] == ["filter"]
    assert small.chain.stages[0].body == ()
    assert (small.source.steps, small.monitor) == ((), False)


def test_a_chain_that_is_compiled_wrongly_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is run compiled here was compiled of another chain of the same shape."""
    path = tmp_path / "two_chains.py"
    text = "from rivusio import map\nchain_0 = map(lambda x: x + 1)\nother = map(lambda x: x + 2)\n"
    path.write_text(text, encoding="utf-8")
    wrong = compile_stages(imported(path, "other")._rivusio_stages(), None)
    monkeypatch.setattr(
        loader, "compile_on_demand", lambda *_: loader.Compiled(wrong.program, inlined=())
    )
    source, consumer = _ends()
    _, found = compared(path, name_of(0), source, consumer, monitor=False)
    assert found is not None
    assert "-      0 s  output  1\n" in found
    assert "+      0 s  output  2\n" in found


def test_a_case_that_hangs_is_ended() -> None:
    with pytest.raises(HangError), bounded(0.01):
        while True:
            pass


def _ends() -> tuple[SourceScript, ConsumerScript]:
    return SourceScript.of(range(9)), ConsumerScript(slow=1.0)
