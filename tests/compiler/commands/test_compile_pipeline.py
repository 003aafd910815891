"""What `compile_pipeline` says where it cannot compile."""

from __future__ import annotations

import re
from importlib import util
from importlib.machinery import ModuleSpec
from typing import Any

import pytest

from rivusio import SyncBasePipe, batch, compiler
from rivusio.compiler import compile_pipeline


class Parse(SyncBasePipe[str, int]):
    def process(self, data: str) -> int:
        return int(data)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "5 of type int is no pipeline; give a chain, or one pipe"),
        ([Parse], " of type list is no pipeline; give a chain, or one pipe"),
        (len, "<built-in function len> of type builtin_function_or_method is no pipeline; give"),
        (int, "<class 'int'> of type type is no pipeline; give a chain, or one pipe"),
        (Parse, "Parse is a class, and no pipe; did you mean Parse()?"),
        (batch, "batch is the function itself, and no pipe; did you mean batch(...)?"),
    ],
)
def test_what_is_no_pipeline_is_named(given: Any, said: str) -> None:
    with pytest.raises(TypeError, match=re.escape(said)):
        compile_pipeline(given)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = util.find_spec

    def without_ruff(name: str) -> ModuleSpec | None:
        return None if name == "ruff" else find(name)

    monkeypatch.setattr("rivusio.compiler.find_spec", without_ruff)
    message = 'compile_pipeline needs ruff: pip install "rivusio[compiler]"'
    with pytest.raises(ModuleNotFoundError, match=re.escape(message)):
        getattr(compiler, "compile_pipeline")  # noqa: B009  a bare name would look like a mistake
