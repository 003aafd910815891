"""A chain runs on what was compiled of it, and on nothing that was compiled of another."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

import rivusio
from rivusio import NotCompiledError, NotCompiledWarning, PipeError
from rivusio.cli import main

NAME = "whose"
HEAD = """from __future__ import annotations
import json
from functools import partial, reduce
from typing import Any
from rivusio import FilterPipe, StreamConfig, SyncBasePipe, SyncPipeline, filter, flat_map, map

async def ask(text: str) -> str:
    return text

def shout(text: str) -> str:
    return text.upper()

def hush(text: str) -> str:
    return text.lower()

class Asks:
    def __call__(self, text: str) -> Any:
        return ask(text)

class Asking(SyncBasePipe[Any, Any]):
    def process(self, data: Any) -> Any:
        return ask(data)

def nested(by: str) -> Any:
    def inner(text: str) -> str:
        return text + by
    def other(text: str) -> Any:
        return ask(text)
    return [inner, other]

TABLE: dict[str, Any] = {
    "lambda": lambda text: ask(text), "same line": lambda text: text, "object": Asks(),
    "partial": partial(lambda extra, text: ask(text), 1), "function": hush, "builtin": str.title,
    "nested": nested("!")[1], "pipe": Asking(), "class": Asks,
}
"""


def compiled(folder: Path, text: str) -> ModuleType:
    """Compile a file of chains in a folder, and import it."""
    name = f"{NAME}_{folder.name}"
    path = folder / f"{name}.py"
    path.write_text(HEAD + text, encoding="utf-8")
    done = CliRunner().invoke(main, ["compile", str(path)])
    assert done.exit_code == 0, done.output
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def nothing_imported() -> Iterator[None]:
    yield
    for name in [each for each in sys.modules if each.startswith(NAME)]:
        del sys.modules[name]


def is_compiled(chain: Any) -> bool:
    """Tell what carries out a run that starts now; nothing may be warned of."""
    return bool(chain.iterate([]).__name__.startswith("results"))


def outcome(chain: Any, items: list[Any]) -> object:
    """Give what comes of a run: its outputs, or what its error says."""
    try:
        return list(chain.iterate(items))
    except PipeError as error:
        return str(error)


def same_in_both_modes(make: Callable[[], Any], items: list[Any]) -> object:
    with rivusio.mode("interpreted"):
        expected = outcome(make(), items)
    assert outcome(make(), items) == expected
    return expected


# What is compiled, what another chain of such stages is made of, and its unknown functions.
STOLEN = {
    "map(str.strip) >> len": (
        "map(str.strip) >> TABLE[name]",
        ("lambda", "object", "partial", "nested", "pipe", "class"),
    ),
    "map(str.strip) >> shout": ("map(str.strip) >> TABLE[name]", ("lambda", "function")),
    "map(json.dumps) >> str.strip": ("TABLE[name] >> map(str.strip)", ("lambda", "builtin")),
    "map(len)": ("map(TABLE[name])", ("lambda", "builtin", "object")),
    "map(str.strip) >> filter(str.isdigit)": ("map(str.strip) >> filter(TABLE[name])", ("lambda",)),
    "map(str.strip) >> flat_map(str.split)": (
        "map(str.strip) >> flat_map(TABLE[name])",
        ("object", "builtin"),
    ),
    "SyncPipeline([str.strip, len])": ("SyncPipeline([str.strip, TABLE[name]])", ("lambda",)),
    "map(str.strip).then(len)": ("map(str.strip).then(TABLE[name])", ("lambda", "partial")),
}


@pytest.fixture(scope="module")
def stolen(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    text = "".join(
        f"first_{index}: Any = {first}\ndef build_{index}(name: str) -> Any:\n    return {second}\n"
        for index, (first, (second, _)) in enumerate(STOLEN.items())
    )
    return compiled(tmp_path_factory.mktemp("stolen"), text)


@pytest.mark.parametrize(
    ("index", "name"),
    [(index, name) for index, (_, names) in enumerate(STOLEN.values()) for name in names],
)
def test_a_chain_of_unknown_functions_has_no_part_in_another(
    stolen: ModuleType, index: int, name: str
) -> None:
    first, build = getattr(stolen, f"first_{index}"), getattr(stolen, f"build_{index}")
    with rivusio.mode("compiled"):
        assert is_compiled(first)
    assert not is_compiled(build(name))
    same_in_both_modes(lambda: build(name), ["1 2 "])
    with rivusio.mode("compiled"), pytest.raises(NotCompiledError, match="it was not compiled"):
        build(name).iterate([])


def test_known_functions_are_enough_wherever_a_chain_is_made(tmp_path: Path) -> None:
    flow = compiled(
        tmp_path,
        "first = map(shout) >> hush\nNESTED = nested('?')[0]\n"
        "def build(*pipes: Any) -> Any:\n    return reduce(lambda one, two: one >> two, pipes)\n",
    )
    again = flow.build(flow.map(flow.shout), flow.hush)
    with rivusio.mode("compiled"):
        assert is_compiled(again)
        assert list(again.iterate(["aB"])) == ["ab"]
    assert not is_compiled(flow.build(flow.map(flow.hush), flow.shout))
    assert not is_compiled(flow.build(flow.map(flow.shout), flow.TABLE["builtin"]))


def test_two_lambdas_of_one_line_are_not_one_another(tmp_path: Path) -> None:
    flow = compiled(
        tmp_path,
        "def end(text: str) -> Any:\n    return text\n"
        "chain = map(lambda n: end(n + '1')) >> (lambda n: end(n + '2'))\n"
        "def swapped() -> Any:\n    return chain.pipes[1] >> chain.pipes[0]\n"
        "def again() -> Any:\n    return chain.pipes[0] >> chain.pipes[1]\n",
    )
    with rivusio.mode("compiled"):
        assert list(flow.chain.iterate(["x"])) == ["x12"]
        assert is_compiled(flow.again())
    assert same_in_both_modes(flow.swapped, ["x"]) == ["x21"]
    assert not is_compiled(flow.swapped())


async def test_what_only_the_types_of_a_place_tell_holds_of_no_other(tmp_path: Path) -> None:
    flow = compiled(
        tmp_path,
        "from typing import TypeVar\nfrom rivusio import AsyncBasePipe\nT = TypeVar('T')\n"
        "class Same(SyncBasePipe[T, T]):\n    def process(self, data: T) -> T:\n"
        "        return data\n"
        "class Later(AsyncBasePipe[T, T]):\n    async def process(self, data: T) -> T:\n"
        "        return data\n"
        "same = Same[int]() >> Same[int]()\nboth = Later[int]() >> Same[int]()\n"
        "guessed = map(str.upper) >> (lambda text: text)\n"
        "def build(chain: Any) -> Any:\n    return chain.pipes[0] >> chain.pipes[1]\n",
    )
    for chain in (flow.same, flow.both, flow.guessed):
        again = flow.build(chain)
        for each in (chain, again):
            with rivusio.mode("compiled" if each is chain else "auto"):
                run = each.stream([]).__aiter__()
                assert run.__name__.startswith("results") == (each is chain)
        if chain is not flow.guessed:
            with pytest.raises(PipeError, match="is sync, but gave an awaitable"):
                [each async for each in again.stream([flow.ask("1")])]


PLACES = """
plain = map(str.strip) >> len
lines = (
    map(str.strip)
    .then(len)
    .then(abs)
)
grown = map(str.strip) >> str.upper
grown >>= len
listed = SyncPipeline([map(str.strip), len])
alias = SyncPipeline[str, int]([map(str.strip), len])
settled = (map(str.strip) >> len).with_config(StreamConfig(on_error="skip"))
watched = (map(str.strip) >> len).set_monitor(None)
lone = map(len)
wrapped = map(len).with_config(StreamConfig(on_error="skip"))
inside = [map(str.strip) >> len for _ in range(2)]
both = (ä := map(str.strip) >> len)
class Held:
    chain = map(str.strip) >> len
def local() -> SyncPipeline[str, int]:
    return map(str.strip) >> len
two = [map(str.strip) >> len, map(str.strip) >> TABLE["lambda"]]
def default(chain: SyncPipeline[str, int] = map(str.strip) >> len) -> SyncPipeline[str, int]:
    return chain
"""


WHERE: dict[str, Callable[[Any], Any]] = {
    "plain": lambda flow: flow.plain,
    "in several lines": lambda flow: flow.lines,
    "grown": lambda flow: flow.grown,
    "listed": lambda flow: flow.listed,
    "through an alias": lambda flow: flow.alias,
    "with settings": lambda flow: flow.settled,
    "with a monitor": lambda flow: flow.watched,
    "a lone pipe": lambda flow: flow.lone,
    "a lone pipe with settings": lambda flow: flow.wrapped,
    "in a comprehension": lambda flow: flow.inside[1],
    "behind an umlaut": lambda flow: flow.both,
    "in a class": lambda flow: flow.Held.chain,
    "in a function": lambda flow: flow.local(),
    "pickled": lambda flow: pickle.loads(pickle.dumps(flow.plain)),
    "copied": lambda flow: copy.deepcopy(flow.plain),
    "a copy that is pickled": lambda flow: pickle.loads(pickle.dumps(copy.copy(flow.lone))),
}


def test_a_chain_is_known_by_its_place_however_it_is_made(tmp_path: Path) -> None:
    places = compiled(tmp_path, PLACES)
    with rivusio.mode("compiled"):
        for title, chain in WHERE.items():
            assert list(chain(places).iterate([" ab"])) in ([2], [3]), title
        assert is_compiled(places.two[0])
    assert "awaitable" in str(same_in_both_modes(lambda: places.two[1], [" ab"]))


def test_the_place_of_a_pipe_is_outside_of_its_own_constructors(tmp_path: Path) -> None:
    """Of a method that nobody can read, the place of the pipe tells whose it is."""
    flow = compiled(
        tmp_path,
        "class Length(SyncBasePipe[str, int]):\n    process = staticmethod(len)\n"
        "    def __init__(self) -> None:\n        super().__init__()\n"
        "class Longer(Length):\n    def __init__(self) -> None:\n        super().__init__()\n"
        "class App:\n    def __init__(self) -> None:\n        self.pipe = map(len)\n"
        "lone = Longer()\napp = App()\n",
    )
    with rivusio.mode("compiled"):
        assert list(flow.lone.iterate(["ab"])) == [2]
        assert list(flow.app.pipe.iterate(["ab"])) == [2]
    assert not is_compiled(flow.Longer())


def test_without_columns_a_chain_of_unknown_functions_runs_interpreted(tmp_path: Path) -> None:
    path = tmp_path / "flow.py"
    path.write_text(
        HEAD + "chain = map(str.strip) >> len\nknown = map(shout) >> hush\n"
        "if __name__ == '__main__':\n"
        "    for each in (chain, known):\n"
        "        print(each.iterate([]).__name__.partition('_')[0], *each.iterate([' aB']))\n",
        encoding="utf-8",
    )
    assert CliRunner().invoke(main, ["compile", str(path)]).exit_code == 0
    for flag, first in (([], "results"), (["-X", "no_debug_ranges"], "")):
        done = subprocess.run(
            [sys.executable, *flag, str(path)], capture_output=True, text=True, check=False
        )
        assert done.stdout == f"{first} 2\nresults  ab\n", done.stderr


# What the text does not tell of a pipe's methods


METHODS = """
class Parse(SyncBasePipe[str, int]):
    def process(self, data: str) -> int:
        return int(data)
    def octal(self, data: str) -> int:
        return int(data, 8)
class Set(Parse):
    def __init__(self) -> None:
        super().__init__()
        self.process = self.octal  # type: ignore[method-assign]
class SetAttribute(Parse):
    def __init__(self) -> None:
        super().__init__()
        setattr(self, "process", self.octal)
class InDict(Parse):
    def __init__(self) -> None:
        super().__init__()
        self.__dict__["process"] = self.octal
class Handler(Parse):
    def __init__(self, handler: Any) -> None:
        super().__init__()
        self.handle_error = handler
class Passes(Parse):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner
    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.inner, name)
class Always(Parse):
    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__("octal" if name == "process" else name)
class Client:
    def handle_error(self, error: Exception, data: str) -> int:
        return -1
class Other:
    def __init__(self) -> None:
        self.process = 1  # of another class
class Patched(Parse):
    pass
def octal(self: Any, data: str) -> int:
    return int(data, 8)
Patched.process = octal  # type: ignore[method-assign]
by_hand = Parse()
by_hand.process = by_hand.octal  # type: ignore[method-assign]
"""
MADE = {
    "assigned in the constructor": "Set()",
    "by setattr": 'SetAttribute()',
    "in its dict": "InDict()",
    "a handler in the constructor": "Handler(lambda error, data: -1)",
    "a handler through __getattr__": "Passes(Client())",
    "nothing through __getattr__": "Passes(None)",
    "all through __getattribute__": "Always()",
    "a class that is patched": "Patched()",
    "an object that is patched": "by_hand",
}  # fmt: skip


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    chains = "".join(
        f"chain_{index} = map(str.strip) >> {made}\nlone_{index} = {made}\n"
        for index, made in enumerate(MADE.values())
    )
    return compiled(tmp_path_factory.mktemp("dynamic"), METHODS + chains)


@pytest.mark.parametrize("index", range(len(MADE)), ids=MADE)
def test_methods_that_are_made_while_it_runs_are_compiled_as_they_are(
    dynamic: ModuleType, index: int
) -> None:
    names = [f"chain_{index}", f"lone_{index}"]
    if MADE[list(MADE)[index]] == "by_hand":
        names.pop()  # the chain has it
    for chain in (getattr(dynamic, name) for name in names):
        with rivusio.mode("compiled"):
            assert is_compiled(chain)
        with rivusio.mode("interpreted"):
            expected = outcome(chain, ["10", "9x"])
        assert outcome(chain, ["10", "9x"]) == expected


def test_the_same_in_a_function_is_told_at_compile_time(tmp_path: Path) -> None:
    builders = "".join(
        f"def build_{index}() -> Any:\n    return map(str.strip) >> {made}\n"
        for index, made in enumerate(MADE.values())
    )
    path = tmp_path / "flow.py"
    path.write_text(HEAD + METHODS + builders, encoding="utf-8")
    done = CliRunner().invoke(main, ["compile", str(path)])
    assert done.exit_code == 0
    assert done.output.count("importing the file does not make this chain") == len(MADE)


def test_an_attribute_of_another_class_or_object_says_nothing(tmp_path: Path) -> None:
    flow = compiled(
        tmp_path,
        f"{METHODS}def build() -> SyncPipeline[str, int]:\n    return map(str.strip) >> Parse()\n",
    )
    with rivusio.mode("compiled"):
        assert is_compiled(flow.build())


def test_what_is_known_of_one_lambda_of_a_line_is_not_said_of_the_other(tmp_path: Path) -> None:
    """The file is imported: then a live lambda has only its name and its line."""
    flow = compiled(
        tmp_path,
        "unsure, sure = map(lambda text: ask(text)), map(lambda text: len(text))\n"
        "pipes: list[Any] = [sure, unsure]\n"
        "chain = reduce(lambda one, two: one >> two, [map(str.strip), *pipes[1:]])\n"
        "first = map(str.strip) >> sure\n",
    )
    with rivusio.mode("compiled"):
        assert is_compiled(flow.chain)
        assert list(flow.first.iterate([" a"])) == [1]
    assert "awaitable" in str(same_in_both_modes(lambda: flow.chain, [" a"]))


def test_a_place_is_not_enough_where_a_known_function_is_another(tmp_path: Path) -> None:
    """`counted` looks at its own frame, and so it is called, without a look at what it gives."""
    flow = compiled(
        tmp_path,
        "def counted(text: str) -> int:\n    return len(locals())\n"
        "def asked(text: str) -> Any:\n    return ask(text)\n"
        "def join(last: Any) -> Any:\n    return map(str.strip) >> last\n"
        "chain = join(counted)\n",
    )
    with rivusio.mode("compiled"):
        assert is_compiled(flow.chain)
        assert is_compiled(flow.join(flow.counted))
    with rivusio.mode("interpreted"):
        expected = outcome(flow.join(flow.asked), [" a"])
    with pytest.warns(NotCompiledWarning, match="stage 2 'asked' calls another function"):
        assert outcome(flow.join(flow.asked), [" a"]) == expected
    assert "awaitable" in str(expected)
