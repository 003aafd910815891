"""Chains of a file whose types mypy knows, run from their artifacts and as they stand.

What the types say decides how code looks, so some of it is only written for a file.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

import rivusio
from rivusio import NotCompiledError, PipeError
from rivusio.artifacts.mode import Mode
from rivusio.cli import main
from rivusio.compiler.jit import compile_stages
from tests.places import ROOT

NAME = "compiled_file"

TEXT = """
from collections.abc import Callable
from typing import Any

from rivusio import (
    AsyncBasePipe, BatchStreamPipe, FilterPipe, FlatMapPipe, StreamConfig, SyncBasePipe, map
)


class Undecided:
    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


def undecided(item: object) -> Any:
    return Undecided() if item == 2 else True


class Odd:
    def __eq__(self, other: object) -> bool:
        return undecided(other)


class Sure(FilterPipe[int]):
    def keep(self, item: int) -> bool:
        return undecided(item)


class Compared(FilterPipe[int]):
    def keep(self, item: int) -> bool:
        return Odd() == item


class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * 2


class Same(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        if data == 2:
            raise StopIteration("two")
        return data


class Total(BatchStreamPipe[int, int]):
    def process_batch(self, batch: list[int]) -> int:
        batch.reverse()
        if 2 in batch:
            raise ValueError(batch.pop())
        return sum(batch)


class Twice(FlatMapPipe[int, int]):
    def expand(self, item: int) -> list[int]:
        return [item, item]


class Grown(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        total = data + 1
        total *= 2
        return total


class Shifted(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        total = 100
        return data + total


class Loose(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data.none if data < 0 else data  # type: ignore[attr-defined]


class Adding(SyncBasePipe[int, int]):
    def __init__(self, by: int) -> None:
        super().__init__()
        self.by = by

    def process(self, data: int) -> int:
        return data + self.by


class Given(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data + 5


class Rated(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * RATE


async def later() -> int:
    return 1


def lie(_: object) -> Any:
    return later()


class Lying(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return lie(data)


class Many(FlatMapPipe[int, int]):
    def expand(self, item: int) -> list[int]:
        return 5  # type: ignore[return-value]


def scaling(RATE: int) -> Callable[[int], int]:
    def scaled(data: int) -> int:
        return data * RATE

    return scaled


def noted(item: int) -> None:
    SEEN.append(item)


async def noted_later(item: int) -> None:
    SEEN.append(item)


class Noting(BatchStreamPipe[int, None]):
    def process_batch(self, batch: list[int]) -> None:
        SEEN.append(batch)


def is_nothing(item: None) -> bool:
    return item is None and bool(SEEN)


SEEN: list[object] = []
RATE = 7
ODD = chr(34) * 3 + "); raise SystemExit #" + chr(92)

skipping = Sure().with_config(StreamConfig(on_error="skip")) >> Double()
comparing = Compared().with_config(StreamConfig(on_error="skip")) >> Double()
failing = Sure() >> Double()
stopping = Double() >> Same()
summing = Total(2) >> Double()
adding = Adding(1) >> Double() >> Adding(2)
given = Given() >> Double() >> Given()
rated = Rated() >> Double() >> Rated()
lying = Double() >> Lying("by its own name")
scattering = Many("by its own name") >> Double()
growing = Grown() >> Shifted() >> Grown()
loose = Loose() >> Double()
scaling_by_ten = map(scaling(10)) >> Double()
doubling = Twice() >> Double()
noting = map(noted) >> map(is_nothing)
noting_later = map(noted_later) >> map(is_nothing)
noting_lists = Noting(2) >> map(is_nothing)
noting_again = map(noted).with_config(StreamConfig(retry_attempts=2)) >> map(is_nothing)
named = map(int).with_config(StreamConfig(retry_attempts=2)) >> Double(ODD)
"""
UNTOUCHED = {"given", "rated"}  # some test is the first to run them
NAMES = re.findall(r"^([a-z_]+) = .* >> ", TEXT, re.MULTILINE)
CHAINS = [name for name in NAMES if name not in UNTOUCHED]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The file, compiled and imported."""
    folder = tmp_path_factory.mktemp("compiled")
    (folder / f"{NAME}.py").write_text(TEXT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        patch.syspath_prepend(folder)
        done = CliRunner().invoke(main, ["compile", f"{NAME}.py"])
        assert done.exit_code == 0, done.output
        yield importlib.import_module(NAME)
    sys.modules.pop(NAME, None)


def came_of(call: Callable[[], Any]) -> tuple[object, ...]:
    """Give what a call has given, or the fields of its error."""
    try:
        return ("gave", call())
    except PipeError as error:
        fields = error.pipe, error.stage, error.item, error.item_index, error.pending
        causes = [error.error, error.__cause__, error.error and error.error.__cause__]
        return type(error), fields, [repr(each) for each in causes]


def streamed(chain: Any) -> Any:
    async def all_of() -> list[Any]:
        return [each async for each in chain.stream([1, 2, 3, 4, 5])]

    return asyncio.run(all_of())


def ways(chain: Any) -> list[Callable[[], Any]]:
    """Give all ways to run a chain, over a source with an item that some stages fail on."""
    found: list[Callable[[], Any]] = [lambda: streamed(chain)]
    if not chain.is_async:
        found.append(lambda: list(chain.iterate([1, 2, 3, 4, 5])))
        found.append(lambda: list(chain.iterate([1, 3])))
        if all(stage.is_one_to_one for stage in chain.stages):
            found.append(lambda: chain(1))
    return found


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_does_the_same_in_both_modes(compiled: ModuleType, name: str) -> None:
    chain = getattr(compiled, name)
    modes: tuple[Mode, ...] = ("interpreted", "compiled")
    told = []
    for mode in modes:
        with rivusio.mode(mode):
            told.append([came_of(way) for way in ways(chain)])
    assert told[0] == told[1]


def test_a_body_that_mypy_is_against_is_called_for_that(compiled: ModuleType) -> None:
    folder = Path(str(compiled.__file__)).parent / "__rivusio__"
    manifest = json.loads((folder / f"{NAME}__loose.json").read_bytes())
    told = [(each["name"], each["how"], each["why"]) for each in manifest["report"]]
    against = "mypy has something against it, or cannot say its types"
    assert told == [("Loose", "called", against), ("Double", "inlined", "")]


# Guards


def other(_self: object, data: int) -> int:
    return data + 1000


def same_name(compiled: ModuleType, patch: pytest.MonkeyPatch) -> None:
    function = FunctionType(other.__code__, vars(compiled), "process")
    function.__qualname__ = "Adding.process"
    patch.setattr(compiled.Adding, "process", function)


def other_code(compiled: ModuleType, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(compiled.Adding.process, "__code__", other.__code__)


def defaults(compiled: ModuleType, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(compiled.Adding.process, "__defaults__", (1,))


def another_pipes_method(compiled: ModuleType, patch: pytest.MonkeyPatch) -> None:
    pipe = compiled.adding.stages[0].pipe
    patch.setattr(pipe, "process", compiled.Adding(1000).process, raising=False)


@pytest.mark.parametrize("change", [same_name, other_code, defaults, another_pipes_method])
def test_what_was_loaded_does_not_run_for_anything_else(
    compiled: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[ModuleType, pytest.MonkeyPatch], None],
) -> None:
    with rivusio.mode("compiled"):
        assert list(compiled.adding.iterate([1])) == [6]
        change(compiled, monkeypatch)
        with pytest.raises(NotCompiledError, match="Adding"):
            compiled.adding.iterate([1])
    monkeypatch.undo()
    with rivusio.mode("compiled"):
        assert list(compiled.adding.iterate([1])) == [6]


def test_a_function_that_was_given_defaults_is_not_loaded(
    compiled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled.Given.process, "__defaults__", (1,))
    with rivusio.mode("compiled"):
        with pytest.raises(NotCompiledError, match="the function of stage 1 'Given' was changed"):
            compiled.given.iterate([1])
        monkeypatch.undo()
        assert list(compiled.given.iterate([1])) == [17]


def test_names_are_read_from_the_module_of_the_function_and_no_other(
    compiled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = ModuleType(NAME)
    vars(twin).update(vars(compiled), RATE=1000)
    monkeypatch.setitem(sys.modules, NAME, twin)
    with rivusio.mode("compiled"):
        with pytest.raises(NotCompiledError, match="the module of stage . cannot be found"):
            compiled.rated.iterate([1])
        monkeypatch.undo()
        assert list(compiled.rated.iterate([1])) == [98]


def test_a_function_of_the_same_code_with_other_globals_is_another(
    compiled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = compiled.Rated.process.__code__
    function = FunctionType(code, {**vars(compiled), "RATE": 1000}, "process")
    function.__qualname__ = "Rated.process"
    with rivusio.mode("compiled"):
        assert list(compiled.rated.iterate([1])) == [98]
        monkeypatch.setattr(compiled.Rated, "process", function)
        with pytest.raises(NotCompiledError, match="the module of stage . cannot be found"):
            compiled.rated.iterate([1])


DOUBLE = """from rivusio import SyncBasePipe
class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * 2
"""


@pytest.fixture
def two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file whose chain is of pipes of another, compiled."""
    (tmp_path / "other_file.py").write_text(DOUBLE, encoding="utf-8")
    text = "from other_file import Double\nchain = Double() >> Double()\n"
    (tmp_path / "one_file.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
    monkeypatch.syspath_prepend(tmp_path)
    assert CliRunner().invoke(main, ["compile", "one_file.py"]).exit_code == 0
    yield tmp_path
    for name in ("one_file", "other_file"):
        sys.modules.pop(name, None)


def test_code_that_was_compiled_after_it_was_imported_is_not_what_runs(two_files: Path) -> None:
    text = DOUBLE + "chain = Double() >> Double()\n"
    (two_files / "one_file.py").write_text(text, encoding="utf-8")
    chain = importlib.import_module("one_file").chain
    (two_files / "one_file.py").write_text(text.replace("* 2", "* 3"), encoding="utf-8")
    assert CliRunner().invoke(main, ["compile", "one_file.py"]).exit_code == 0
    with rivusio.mode("compiled"), pytest.raises(NotCompiledError, match="is not what one_file"):
        chain.iterate([1])


def test_a_file_is_not_up_to_date_when_one_that_it_imports_has_changed(two_files: Path) -> None:
    assert CliRunner().invoke(main, ["compile", "--check", "one_file.py"]).exit_code == 0
    (two_files / "other_file.py").write_text(DOUBLE + "# new", encoding="utf-8")
    done = CliRunner().invoke(main, ["compile", "--check", "one_file.py"])
    assert (done.exit_code, "other_file.py changed" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("python", "3.0", "it was compiled for Python 3.0"),
        ("rivusio", "0.0.1", "it was compiled by rivusio 0.0.1"),
    ],
)
def test_what_another_version_has_compiled_is_not_up_to_date(
    two_files: Path, field: str, value: str, said: str
) -> None:
    index = two_files / "__rivusio__" / "one_file.index.json"
    changed = json.loads(index.read_bytes()) | {field: value}
    index.write_text(json.dumps(changed), encoding="utf-8")
    done = CliRunner().invoke(main, ["compile", "--check", "one_file.py"])
    assert (done.exit_code, said in done.stdout) == (1, True)


def test_chains_of_like_names_have_artifacts_of_their_own(two_files: Path) -> None:
    likes = ("chain", "Chain", "chain_2", "CHAIN", "_chain")
    text = "".join(f"{name} = Double() >> Double()\n" for name in (*likes, "chain"))
    (two_files / "like.py").write_text(DOUBLE + text, encoding="utf-8")
    assert CliRunner().invoke(main, ["compile", "like.py"]).exit_code == 0
    found = [path.stem.casefold() for path in (two_files / "__rivusio__").glob("like__*.py")]
    assert len(found) == len(set(found)) == len(likes) + 1


# Text


@pytest.mark.parametrize(
    "name", ["\nraise SystemExit #", "'''\"\"\"\\", "{{ m }}{% raw %}{# %s", "\u2028\x0c\r raise"]
)
def test_a_live_name_that_tries_to_break_out_is_only_text(compiled: ModuleType, name: str) -> None:
    def code_with(name: str) -> str:
        stages = (compiled.Adding(1) >> compiled.Double(name) >> compiled.Many(name)).stages
        tree = ast.parse(compile_stages(stages, None).program.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
                node.body = node.body[1:]  # its docstring
        return ast.unparse(tree)

    assert code_with(name) == code_with("1")
