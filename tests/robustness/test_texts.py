"""Files that are broken, odd or deep, and texts that nobody wrote."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.source import Source, Unreadable, parse, read
from tests.robustness import texts
from tests.robustness.mutation import SOURCES, broken_source
from tests.robustness.support import CHAIN, COMMANDS, artifacts_of, is_well, told, written

FEW = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Words of which texts are made that come far: chains, scopes, strings that do not end.
WORDS = (
    "map(int)", ">>", ">>=", "chain", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "then",
    "with_config", "SyncPipeline", "def f():", "class A:", "if x:", "else:", "lambda:", "await",
    "async", "return", "yield", ":=", "for x in", "match x:", "case _:", "import rivusio", "*",
    "from rivusio import map", "\n", "\n    ", "\n\t", "\r", "\f", "\\\n", "'", '"', '"""', "#",
    "f'{", "b'\\xff'", "\0", "\ufeff", "\u2028", "é", "\ud800", "0x", "1e999", "None", "self", "@",
)  # fmt: skip


def named(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.py": content for name, content in files.items()}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_broken_file_is_told_with_its_place(here: Path, command: tuple[str, ...]) -> None:
    paths = written(here, named(texts.BROKEN))
    done = is_well(told(*command, *(path.name for path in paths)), *paths)
    assert done.code == 1
    said = done.stdout if command != ("explain",) else done.stderr
    for path in paths:
        [line] = [each for each in said.split("\n") if each.startswith(f"{path.name}:")]
        assert ": error: " in line
        assert artifacts_of(path) == []


def test_an_odd_file_is_compiled(here: Path) -> None:
    paths = written(here, named(texts.ODD))
    done = is_well(told("compile", *(path.name for path in paths)), *paths)
    assert done.code == 0
    for path in paths:
        assert artifacts_of(path), path.name


def test_a_file_without_a_chain_is_told(here: Path) -> None:
    paths = written(here, named(texts.EMPTY))
    done = is_well(told("compile", *(path.name for path in paths)), *paths)
    assert done.code == 0
    assert done.stderr.count("no chain found") == len(paths)


def test_a_broken_file_among_others_stops_nobody(here: Path) -> None:
    [wrong, right] = written(here, {"wrong.py": b"x = (", "right.py": CHAIN.encode()})
    done = is_well(told("compile", "wrong.py", "right.py"), wrong, right)
    assert (done.code, artifacts_of(wrong)) == (1, [])
    assert artifacts_of(right)


def test_a_chain_that_doubles_with_every_name_is_checked(here: Path) -> None:
    """Its last name stands for more stages than there is room for."""
    doubled = "".join(f"c{n + 1} = c{n} >> c{n}\n" for n in range(50))
    [path] = written(
        here, {"doubles.py": f"from rivusio import map\nc0 = map(int)\n{doubled}".encode()}
    )
    assert is_well(told("check", path.name), path).code == 0


def test_a_chain_that_is_too_long_for_one_loop_is_compiled(here: Path) -> None:
    long = "long = (map(int)" + "\n >> map(int)" * 500 + ")\n"
    [path] = written(here, {"both.py": (CHAIN + long).encode()})
    done = is_well(told("compile", path.name), path)
    assert (done.code, done.text.count("warning")) == (0, 0)
    names = sorted(each.name for each in artifacts_of(path) if each.suffix == ".py")
    assert names == ["both__chain.py", "both__long.py"]


def test_a_function_with_a_very_deep_expression_is_called(here: Path) -> None:
    deep = "def more(x: int) -> int:\n    return x" + " + 1" * 900 + "\nmore_of_it = map(more)\n"
    [path] = written(here, {"deep.py": (CHAIN + deep).encode()})
    done = is_well(told("compile", path.name), path)
    assert (done.code, done.text.count("warning")) == (0, 0)
    assert "it is deep: 903 parts in each other" in told("explain", path.name).stdout


# Texts that nobody wrote


@FEW
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    is_read_or_refused(lambda: parse("any.py", text))


@FEW
@given(st.sampled_from(SOURCES), st.integers(0, 10**9))
def test_any_mutated_source_is_read_or_refused(source: Path, seed: int) -> None:
    text = broken_source(source, random.Random(seed)).decode(errors="replace")  # noqa: S311  no secret
    is_read_or_refused(lambda: parse("any.py", text))


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(here: Path, content: bytes) -> None:
    path = here / "any.py"
    path.write_bytes(content)
    is_read_or_refused(lambda: read(str(path)))


def is_read_or_refused(reads: Callable[[], Source]) -> None:
    """Warnings are errors here, so a codec's or the parser's own would be seen."""
    refused: Unreadable | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            source = reads()
        except Unreadable as error:
            refused = error
        else:
            for chain in finder.chains(source, single_stage=True):
                assert source.segment(chain.span)
    assert refused is None or (refused.diagnostic.message and refused.diagnostic.line >= 1)


def test_mutated_sources_are_checked_and_compiled_or_refused(here: Path) -> None:
    chosen = random.Random(5)  # noqa: S311  no secret
    files = {
        f"mutated_{number}.py": broken_source(source, chosen)
        for number, source in enumerate(SOURCES * 4)
    }
    paths = written(here, files)
    is_well(told("compile", "--no-import", *(path.name for path in paths)), *paths)
