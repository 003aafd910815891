"""The list of mutants fits the project: `make mutants` can make each of them."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from tests.mutation.compiler import COMPILER_MUTANTS, PROMISES
from tests.mutation.mutants import ALL, mutated
from tests.mutation.runtime import MUTANTS, Mutant
from tests.places import ROOT
from tests.rules import rules


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: f"{mutant.rule} {mutant.what}")
def test_a_mutant_can_be_made(mutant: Mutant) -> None:
    original = (ROOT / mutant.file).read_text(encoding="utf-8")
    broken = mutated(mutant, original)
    assert broken != original
    if mutant.file.endswith(".jinja"):
        Environment(autoescape=True).parse(broken)
    else:
        compile(broken, mutant.file, "exec")


@pytest.mark.parametrize("rule", rules())
def test_every_rule_has_a_mutant(rule: str) -> None:
    assert any(mutant.rule == rule for mutant in MUTANTS)


def test_no_mutant_names_a_rule_that_is_not_there() -> None:
    assert {mutant.rule for mutant in MUTANTS} <= set(rules())
    assert {mutant.rule for mutant in COMPILER_MUTANTS} <= {*rules(), *PROMISES}


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_a_mutant(promise: str) -> None:
    assert any(mutant.rule == promise for mutant in COMPILER_MUTANTS)


@pytest.mark.parametrize("mutant", COMPILER_MUTANTS, ids=lambda mutant: mutant.what)
def test_the_tests_that_a_mutant_names_are_there(mutant: Mutant) -> None:
    for path in mutant.tests:
        assert "/" not in path or (ROOT / path).exists(), path


def test_no_mutant_is_listed_twice() -> None:
    made = [(mutant.rule, mutant.file, mutant.old, mutant.new) for mutant in ALL]
    assert len(set(made)) == len(made)
