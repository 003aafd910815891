"""The list of mutants fits the project: `make mutants` can make each of them."""

from __future__ import annotations

import pytest

from tests.mutant_list import MUTANTS, Mutant
from tests.mutants import ROOT, mutated
from tests.rules import rules


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.rule} {mutant.what}")
def test_a_mutant_can_be_made(mutant: Mutant) -> None:
    original = (ROOT / mutant.file).read_text(encoding="utf-8")
    broken = mutated(mutant, original)
    assert broken != original
    compile(broken, mutant.file, "exec")


@pytest.mark.parametrize("rule", rules())
def test_every_rule_has_a_mutant(rule: str) -> None:
    assert any(mutant.rule == rule for mutant in MUTANTS)


def test_no_mutant_names_a_rule_that_is_not_there() -> None:
    assert {mutant.rule for mutant in MUTANTS} <= set(rules())


def test_no_mutant_is_listed_twice() -> None:
    made = [(mutant.rule, mutant.file, mutant.old, mutant.new) for mutant in MUTANTS]
    assert len(set(made)) == len(made)
