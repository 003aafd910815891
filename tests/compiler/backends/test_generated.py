"""Generated modules: how they read, and what holds of all of them.

`pytest tests/compiler/backends/test_generated.py --snapshot-update` writes anew how they read.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it has no types
from syrupy.assertion import SnapshotAssertion

import rivusio
from rivusio.compiler import driver
from rivusio.compiler.backends.python.module import GeneratedModule, render_modules
from rivusio.compiler.ir.plan import make_plan
from rivusio.compiler.jit import compile_pipeline
from rivusio.compiler.passes import run_passes
from rivusio.compiler.resolve import live_stages
from rivusio.compiler.validate import request
from rivusio.pipes.base import BasePipe
from tests.compiler import kinds, typed
from tests.places import ROOT

FLIGHTS = ROOT / "examples" / "flights.py"
KINDS = Path(kinds.__file__)
# Bodies and types that generated code has to take as they are.
TYPED = Path(typed.__file__)
FILES = (FLIGHTS, KINDS, TYPED)
VERSION = "0"  # of rivusio, in the snapshots
CHAINS = {name: each for name, each in vars(kinds).items() if isinstance(each, BasePipe)}
LINES, DEPTH = 120, 5  # of one function of the demo


@pytest.fixture(autouse=True)
def one_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let mypy read rivusio itself once for all tests."""
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))


def emitted(name: str) -> str:
    """Give the module of a chain, made from the live objects."""
    plan = make_plan(name, live_stages.stages_of(CHAINS[name]._rivusio_stages()))
    [emitted] = render_modules([run_passes(plan)], VERSION)
    assert isinstance(emitted, GeneratedModule)
    return emitted.text


generated = cache(emitted)


@cache
def compiled() -> dict[str, str]:
    """Give the modules of all chains of the files, by the names of file and chain."""
    done = driver.explain([str(each) for each in FILES], driver.Options())
    assert not done.failed
    return {f"{Path(each.path).stem}__{each.name}": each.text for each in done.chains}


def all_modules() -> dict[str, str]:
    """Give the modules of all chains here, from live objects and from files."""
    return {f"live__{name}": generated(name) for name in CHAINS} | compiled()


def functions_of(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def shown(text: str) -> str:
    """Give what runs a chain over a plain iterable, uncounted, and what takes a single item."""
    functions = {each.name: each for each in functions_of(text)}
    used: list[str] = []
    for name in ("iterate", "stream_plain", "process"):
        if name in functions:
            used += [name, *_named_in(functions[name], functions)]
        if name == "iterate" and used:
            functions.pop("stream_plain")  # it reads the same
    kept = [ast.get_source_segment(text, functions[name]) for name in dict.fromkeys(used)]
    return "\n\n" + "\n\n\n".join(each for each in kept if each) + "\n"


def _named_in(
    function: ast.AST, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
) -> list[str]:
    names = [each.id for each in ast.walk(function) if isinstance(each, ast.Name)]
    return [name for name in names if name in functions]


# How they read


@pytest.mark.parametrize("name", CHAINS)
def test_how_a_chain_of_each_kind_reads(name: str, snapshot: SnapshotAssertion) -> None:
    assert shown(generated(name)) == snapshot


def test_how_the_module_of_the_demo_reads(snapshot: SnapshotAssertion) -> None:
    text = compiled()["flights__flights"]
    head, _, rest = text.partition("\n")
    assert head.startswith('"""flights, compiled by rivusio')
    assert rest == snapshot


def test_the_functions_of_the_demo_are_short_and_flat() -> None:
    text = compiled()["flights__flights"]
    for function in functions_of(text):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < LINES
        assert _depth(function.body) <= DEPTH, function.name


def _depth(body: list[ast.stmt]) -> int:
    """Count how deep statements stand in one another, those of `body` at 0."""
    depth = 0
    for statement in body:
        for holder in [statement, *getattr(statement, "handlers", [])]:
            for name in ("body", "orelse", "finalbody"):
                block = getattr(holder, name, None)
                if block:
                    depth = max(depth, 1 + _depth(block))
    return depth


def test_a_body_whose_names_clash_with_those_here_is_called() -> None:
    text = compiled()["typed__clash"]
    assert "clash(" in text  # its lambda's parameter is what the pipe is called here
    assert "pipe_1.sign" in text  # here it is not
    compile_pipeline(typed.clash)
    with rivusio.mode("compiled"):
        assert list(typed.clash.iterate([[1, 2]])) == [[2, 1, -1, -1]]


# What holds of all


def test_what_is_generated_does_not_change_from_one_time_to_the_next() -> None:
    for name in CHAINS:
        assert emitted(name) == generated(name)


def test_no_module_names_this_machine() -> None:
    for text in all_modules().values():
        assert str(ROOT) not in text
        assert "__main__" not in text


def test_mypy_has_nothing_against_any_module() -> None:
    modules = [
        request.Generated(f"rivusio_generated.{name}", f"{name}.py", text)
        for name, text in all_modules().items()
    ]
    files = [(str(path), path.read_text("utf-8")) for path in FILES]
    assert request.strict(modules, files) == ()


def test_ruff_has_nothing_against_any_module(tmp_path: Path) -> None:
    for name, text in all_modules().items():
        (tmp_path / f"{name.replace(' ', '_')}.py").write_text(text, "utf-8")
    rules = ["--select", "E,F,I,B", "--ignore", "B007,E501"]
    command = [find_ruff_bin(), "check", "--isolated", "--line-length=100", *rules, "."]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert ended.stdout == "All checks passed!\n"
