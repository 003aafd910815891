"""What the text says of stages, against what the same stages are when the file is imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rivusio.artifacts.guards import function_of
from rivusio.compiler.analysis import handler
from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.source import parse
from rivusio.compiler.typecheck.facts import Facts
from rivusio.compiler.typecheck.request import AskedFile, Request, TypedFile
from rivusio.compiler.typecheck.typed import Chain
from rivusio.graph.signature import shape_of
from tests.places import ROOT

GOLDEN = Path(__file__).with_name("facts.test")
SIBLING, PROGRAM = GOLDEN.read_text("utf-8").partition("[sibling]\n")[2].split("[program]\n")


CHAINS = [
    line.partition(" = ")[0]
    for line in PROGRAM.partition("# The chains that are compared")[2].split("\n")
    if line[:1].isalpha() and " = " in line and not line.startswith("made")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("facts")
    (folder / "facts_sibling.py").write_text(SIBLING, encoding="utf-8")
    (folder / "facts_program.py").write_text(PROGRAM, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        yield folder


@pytest.fixture(scope="module")
def file(folder: Path) -> TypedFile:
    """The one run of mypy for all tests here."""
    source = parse("facts_program.py", PROGRAM)
    asked = AskedFile(source.path, source.text, finder.chains(source))
    [typed] = handler.answer(Request((asked,))).files
    return typed


@pytest.fixture(scope="module")
def chains(file: TypedFile) -> dict[str, Chain]:
    assert [each.chain.name for each in file.chains if each.mismatches] == []
    return {each.chain.name: each.chain for each in file.chains}


@pytest.fixture(scope="module")
def live(file: TypedFile, folder: Path) -> Iterator[Any]:
    # After mypy, which keeps quiet of what is found along Python's own path.
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module(file.module)
    for name in ("facts_program", "facts_sibling"):
        sys.modules.pop(name, None)


def by_name(chain: Chain) -> dict[str, Facts]:
    return {each.name: each.facts for each in chain.stages}


@pytest.mark.parametrize("name", CHAINS)
def test_shapes_are_those_of_the_live_stages(
    name: str, chains: dict[str, Chain], live: Any
) -> None:
    pairs = list(zip(chains[name].stages, getattr(live, name).stages, strict=True))
    sure = [(stage, there) for stage, there in pairs if stage.facts.undetermined is None]
    static = [(stage.name, stage.facts.shape) for stage, _ in sure]
    assert static == [(stage.name, shape_of(there)) for stage, there in sure]


@pytest.mark.parametrize("name", CHAINS)
def test_functions_are_those_that_the_live_stages_call(
    name: str, chains: dict[str, Chain], live: Any
) -> None:
    for stage, there in zip(chains[name].stages, getattr(live, name).stages, strict=True):
        if (ref := stage.facts.function) is not None:
            function = function_of(there)
            assert function is not None
            code = function.__code__
            assert (ref.qualname, ref.line) == (code.co_qualname, code.co_firstlineno)
            assert ref.module == function.__module__
            assert Path(ref.file).samefile(code.co_filename)


UNSURE = {
    ("more_inits", "Patient"): "its linger is set in the constructor of Patient",
    ("more_inits", "Configured"): "its config is set in the constructor of Configured",
    ("more_inits", "Careful"): "its config is set in the constructor of Careful",
    ("names", "branch"): "what pipe it is, is not written here",
    ("rebound", "Double"): "its settings are not written here",
    ("imported", "Shout"): "what pipe it is, is not written here",
    ("unknown_settings", "Parse"): "its settings are not written here",
    ("unknown_settings", "Ask"): "its retry_attempts is not written here",
}


def test_what_the_text_does_not_tell(chains: dict[str, Chain]) -> None:
    unsure = {
        (chain.name, stage.name): stage.facts.undetermined
        for chain in chains.values()
        for stage in chain.stages
        if stage.facts.undetermined
    }
    assert unsure == UNSURE


def test_every_chain_is_looked_at(chains: dict[str, Chain]) -> None:
    others = {"Nested.chain", "make.<locals>.made"}
    assert chains.keys() == {*CHAINS, *others}


NO_FUNCTION = {
    ("streams", "StreamPipe"): "it runs no code of yours",
    ("operators", "take"): "it runs no code of yours",
    ("more_functions", "loads"): "it is not the project's own code",
    ("more_functions", "str"): "it is a class",
    ("more_functions", "cached"): "it is decorated",
    ("methods", "bound"): "it is a method of another object",
    ("methods", "static"): "it is a method of another object",
    ("methods", "Nested"): "it is no function that is written here",
    ("classes", "Decorated"): "it is decorated",
    ("sources", "partial"): "it is no function that is written here",
    ("sources", "UsesSuper"): "it uses super() or __class__",
    ("make.<locals>.made", "closure"): "it uses names of the function around it",
}


@pytest.mark.parametrize(("at", "reason"), NO_FUNCTION.items())
def test_why_there_is_no_function(
    at: tuple[str, str], reason: str, chains: dict[str, Chain]
) -> None:
    facts = by_name(chains[at[0]])[at[1]]
    assert (facts.function, facts.no_function) == (None, reason)


TYPED = {
    ("kinds", "Parse"): True,
    ("kinds", "Digits"): True,
    ("functions", "<lambda>"): True,
    ("functions", "halve"): True,
    ("imported", "Shout"): True,
    ("imported", "Fetch"): True,
    ("classes", "Box"): True,
    ("classes", "Untyped"): False,
    ("classes", "Excused"): False,
    ("classes", "Wrong"): False,
    ("classes", "CallsUntyped"): False,
    ("sources", "GivesAny"): True,
    ("sources", "Loose"): True,
    ("make.<locals>.made", "local"): True,
}


@pytest.mark.parametrize(("at", "is_typed"), TYPED.items())
def test_which_functions_are_typed(
    at: tuple[str, str], is_typed: bool, chains: dict[str, Chain]
) -> None:
    assert by_name(chains[at[0]])[at[1]].is_typed is is_typed


AWAITABLE = {
    ("kinds", "Parse"): False,
    ("kinds", "Ask"): False,
    ("kinds", "Even"): False,
    ("kinds", "AskPlainly"): True,
    ("streams", "PlainItem"): False,
    ("streams", "EitherItem"): True,
    ("classes", "Box"): False,
    ("classes", "Untyped"): True,
    ("classes", "Excused"): True,
    ("sources", "GivesAny"): True,
    ("sources", "Loose"): True,
    ("imported", "Fetch"): False,
    ("more_functions", "loads"): True,
    ("more_functions", "len"): False,
    ("methods", "bound"): False,
    ("async_operators", "coroutine"): True,
    ("operators", "filter"): False,
}


@pytest.mark.parametrize(("at", "may_be"), AWAITABLE.items())
def test_what_may_give_an_awaitable(
    at: tuple[str, str], may_be: bool, chains: dict[str, Chain]
) -> None:
    assert by_name(chains[at[0]])[at[1]].may_give_awaitable is may_be


def test_mypy_out_of_its_cache_gives_the_same(file: TypedFile, folder: Path) -> None:
    source = parse("facts_program.py", PROGRAM)
    asked = AskedFile(source.path, source.text, finder.chains(source))
    assert handler.answer(Request((asked,))).files == (file,)


def test_the_names_of_modules_are_known(file: TypedFile) -> None:
    names = {each.name: each.names for each in file.modules}
    assert names.keys() == {"facts_program", "facts_sibling"}
    assert {"Parse", "DAY", "sibling", "batch"} <= set(names["facts_program"])
    assert {"Shout", "json"} <= set(names["facts_sibling"])


def test_what_mypy_says_for_our_sake_only_is_not_passed_on(folder: Path) -> None:
    text = (
        "import json\nfrom rivusio import map\n"
        "def parse(data: str) -> int:\n    return json.loads(data)\n"
        "chain = map(parse) >> map(str)\n"
    )
    source = parse("any_returned.py", text)
    answer = handler.answer(Request((AskedFile(source.path, text, finder.chains(source)),)))
    assert answer.complaints == ()
