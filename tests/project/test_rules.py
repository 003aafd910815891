"""Every numbered rule has a test, and the table that says so is complete."""

from __future__ import annotations

import pytest

from tests.rules import TABLE, held, page, rules


@pytest.mark.parametrize("number", rules())
def test_every_rule_has_a_test(number: str) -> None:
    assert held().get(number), f"no test carries @pytest.mark.rule({number!r})"


def test_no_test_names_a_rule_that_is_not_there() -> None:
    assert set(held()) <= set(rules())


def test_the_table_is_complete() -> None:
    assert TABLE.read_text(encoding="utf-8") == page(), "write it anew: make rules"
