"""Which stages come of a file's chains, and what is said where nobody can tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rivusio.compiler.analysis import handler
from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.source import parse
from rivusio.compiler.ir.stage_info import StageInfo, Type
from rivusio.compiler.resolve import probe, resolve
from rivusio.compiler.resolve.probe import Live
from rivusio.compiler.resolve.resolve import Resolution, ResolvedChain
from rivusio.compiler.typecheck.request import AskedFile, Request
from tests.places import ROOT

HEAD = """\
import functools, operator, os
from collections.abc import Callable, Coroutine
from typing import Any
from rivusio import AsyncBasePipe, BasePipe, StreamConfig, SyncBasePipe, SyncPipeline
from rivusio import batch, filter, map
from sibling import Shout, shout

MANY = int(os.environ.get("NO_SUCH_NAME", "3"))

class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return 2 * data

class Loose(SyncBasePipe[int, int]):
    def process(self, data):  # type: ignore[no-untyped-def]
        return data

class Ask(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        return data

"""
LINES = HEAD.count("\n")
SIBLING = """
from rivusio import SyncBasePipe
GREETING = "HELLO"
class Shout(SyncBasePipe[str, str]):
    def process(self, data: str) -> str:
        return GREETING + data.upper()
shout = Shout()
"""
TRIED = "StreamConfig(retry_attempts=MANY)"
UNSURE = f"Double().with_config({TRIED})"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
    (tmp_path / "sibling.py").write_text(SIBLING, encoding="utf-8")
    return tmp_path


def resolved(
    text: str, *, may_import: bool = True, timeout: float = 60, single_stage: bool = False
) -> Resolution:
    source = parse("case.py", HEAD + text)
    Path("case.py").write_text(source.text, encoding="utf-8")
    asked = AskedFile(source.path, source.text, finder.chains(source, single_stage=single_stage))
    [typed] = handler.answer(Request((asked,))).files
    return resolve.resolved(source, typed, may_import=may_import, timeout=timeout)


def shown(chains: Sequence[ResolvedChain]) -> list[str]:
    return [f"{each.chain.name}: {' | '.join(map(_shown, each.stages))}" for each in chains]


def _shown(stage: StageInfo) -> str:
    function = "" if stage.function is None else f" {stage.function.qualname}"
    treated = " treated" if stage.shape.treated else ""
    return f"{stage.name} {stage.shape.kind} {stage.shape.entry}{treated}{function}"


def said(resolution: Resolution) -> list[str]:
    return [str(each) for each in resolution.diagnostics]


@pytest.fixture
def no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(path: str, timeout: float) -> Live:
        pytest.fail("it was imported")

    monkeypatch.setattr(probe, "look", look)


@pytest.mark.usefixtures("no_import")
def test_what_the_text_tells_needs_no_import() -> None:
    done = resolved("chain = map(int) >> Double()\nlonger = chain >> Ask() >> batch(2)\n")
    assert said(done) == []
    assert shown(done.chains) == [
        "chain: int map call | Double map call Double.process",
        (
            "longer: int map call | Double map call Double.process | Ask map await Ask.process"
            " | batch batch pass"
        ),
    ]


@pytest.mark.usefixtures("no_import")
def test_a_stage_has_its_place_its_types_and_its_function() -> None:
    [chain] = resolved("chain = (\n    Shout()\n    >> Shout()\n)\n").chains
    first, stage = chain.stages
    assert (first.where, stage.where) == (f"case.py:{LINES + 2}", f"case.py:{LINES + 3}")
    assert (stage.index, stage.takes, stage.gives) == (1, Type("str"), Type("str"))
    assert not stage.may_be_awaitable
    function = stage.function
    assert function is not None
    assert (function.module, function.class_name) == ("sibling", "Shout")
    assert Path(function.file).samefile("sibling.py")
    assert {"GREETING", "Shout", "SyncBasePipe"} <= function.module_names
    assert "map" not in function.module_names
    assert (function.first_line, function.node.lineno, function.is_typed) == (5, 5, True)


@pytest.mark.usefixtures("no_import")
def test_a_type_comes_with_the_modules_that_it_needs() -> None:
    text = (
        "class Row: ...\n"
        "class Make(SyncBasePipe[int, Row]):\n    def process(self, data: int) -> Row: ...\n"
        "chain = Double() >> Make()\n"
    )
    [chain] = resolved(text).chains
    assert chain.stages[1].gives == Type("m_case.Row", (("case", "m_case"),))


@pytest.mark.usefixtures("no_import")
def test_a_function_without_types_is_not_typed() -> None:
    [chain] = resolved("chain = Double() >> Loose() >> (lambda number: number)\n").chains
    typed = [stage.function and stage.function.is_typed for stage in chain.stages]
    assert typed == [True, False, True]


@pytest.mark.usefixtures("no_import")
def test_a_chain_that_does_not_fit_is_left_out() -> None:
    done = resolved("wrong = Double() >> Shout()\nright = Double() >> map(str)\n")
    assert [each.chain.name for each in done.chains] == ["right"]
    assert said(done) == []


@pytest.mark.usefixtures("no_import")
def test_a_chain_whose_misfit_is_excused_is_left_out_with_a_warning() -> None:
    done = resolved("chain = Double() >> Shout()  # type: ignore[operator]\n")
    assert shown(done.chains) == []
    assert said(done) == [
        (
            f'case.py:{LINES + 1}:9: warning: chain "chain" is not compiled: a "type: ignore" '
            "hides that it does not fit  [rivusio-compile]"
        )
    ]


# Without importing


@pytest.mark.usefixtures("no_import")
def test_what_is_unsure_is_an_error_if_nothing_may_be_imported() -> None:
    done = resolved(f"sure = map(int) >> Double()\nchain = sure >> {UNSURE}\n", may_import=False)
    assert shown(done.chains) == ["sure: int map call | Double map call Double.process"]
    assert said(done) == [
        (
            f'case.py:{LINES + 2}:17: error: stage 3 "Double": its retry_attempts is not written '
            f"here  [rivusio-compile]\n"
            f"case.py:{LINES + 2}:17: note: leave --no-import out, or write in the chain what it is"
        )
    ]


@pytest.mark.usefixtures("no_import")
def test_a_name_whose_chain_is_not_in_the_text_is_a_warning_if_nothing_may_be_imported() -> None:
    text = "sure = map(int) >> Double()\none = Double().with_config(StreamConfig())\n"
    assert said(resolved(text, may_import=False)) == [
        (
            'case.py:1:1: warning: "one" is not compiled: only running the file tells what it is'
            "  [rivusio-compile]\n"
            "case.py:1:1: note: leave --no-import out"
        )
    ]


# With the file imported


def test_the_environment_decides() -> None:
    done = resolved(f"chain = map(int) >> {UNSURE}\n")
    assert said(done) == []
    assert shown(done.chains) == ["chain: int map call | Double map call treated Double.process"]
    [_, stage] = done.chains[0].stages
    assert stage.function is not None
    assert (stage.function.is_typed, stage.function.file) == (True, "case.py")
    assert (stage.takes, stage.may_be_awaitable) == (Type("int"), False)
    assert stage.where == f"case.py:{LINES + 1}"


def test_an_imported_pipe() -> None:
    done = resolved("chain = shout >> Shout() >> map(len)\n")
    assert said(done) == []
    first, second, _ = done.chains[0].stages
    assert first.function is not None
    assert second.function is not None
    assert (first.function.module, first.function.is_typed) == ("sibling", True)
    assert first.function.node.lineno == second.function.node.lineno
    assert {"GREETING", "Shout"} <= first.function.module_names


def test_branches() -> None:
    done = resolved(
        "if MANY > 2:\n    pipe = Double()\nelse:\n    pipe = Double().with_config(StreamConfig())"
        "  # type: ignore[assignment]\n"
        "chain = map(int) >> pipe\n"
    )
    assert said(done) == []
    assert shown(done.chains) == ["chain: int map call | Double map call Double.process"]


def test_a_branch_that_was_not_run_is_what_the_text_says() -> None:
    done = resolved(
        f"unsure = map(int) >> {UNSURE}\n"
        "if MANY > 2:\n    chain = map(int) >> Double()\nelse:\n    chain = map(int) >> Loose()\n"
    )
    assert said(done) == []
    assert shown(done.chains)[1:] == [
        "chain: int map call | Double map call Double.process",
        "chain: int map call | Loose map call Loose.process",
    ]


def test_reduce() -> None:
    done = resolved(
        "def both(left: Any, right: Any) -> Any:\n    return left >> right\n"
        f"base = map(int) >> {UNSURE}\n"
        "pipes = [Double() for _ in range(MANY)]\n"
        "folded: Any = functools.reduce(operator.rshift, pipes)\n"
        "chain: Any = functools.reduce(lambda left, right: left >> right, pipes, base)\n"
    )
    assert said(done) == []
    double = "Double map call Double.process"
    base = "base: int map call | Double map call treated Double.process"
    assert shown(done.chains) == [
        base,
        f"{base.replace('base', 'chain')} | {double} | {double} | {double}",
        f"folded: {double} | {double} | {double}",
    ]


def test_one_expression_that_made_several_chains() -> None:
    done = resolved(
        "def make(pipe: SyncBasePipe[int, int]) -> SyncPipeline[str, int]:\n"
        "    return map(int) >> pipe\n"
        "one, two = make(Double()), make(Loose())\n"
    )
    assert said(done) == []
    assert shown(done.chains) == [
        "one: int map call | Double map call Double.process",
        "two: int map call | Loose map call Loose.process",
    ]


def test_a_function_that_was_not_called_is_an_error_if_its_chain_is_unsure() -> None:
    done = resolved(
        f"def sure() -> Any:\n    return map(int) >> Double()\n"
        f"def unsure() -> Any:\n    return map(int) >> {UNSURE}\n"
    )
    assert shown(done.chains) == ["sure: int map call | Double map call Double.process"]
    place = f"case.py:{LINES + 4}:24"
    assert said(done) == [
        (
            f'{place}: warning: stage 2 "Double": its retry_attempts is not written here, and '
            f"importing the file does not make this chain  [rivusio-compile]\n"
            f"{place}: note: write in the chain what it is, or make the chain at the top level of "
            f"the file"
        )
    ]


def test_a_chain_in_a_class() -> None:
    done = resolved(f"class Holder:\n    chain = map(int) >> {UNSURE}\n")
    assert said(done) == []
    assert shown(done.chains) == [
        "Holder.chain: int map call | Double map call treated Double.process"
    ]


DECORATED = (
    "def loose(function: Any) -> Any:\n    return function\n"
    "@loose\nasync def wait(data: int) -> int:\n    return data\n"
    "def strict(function: Callable[[int], Coroutine[Any, Any, int]]) "
    "-> Callable[[int], Coroutine[Any, Any, int]]:\n    return function\n"
    "@strict\nasync def ask(data: int) -> int:\n    return data\n"
)


@pytest.mark.parametrize("name", ["wait", "ask"])
@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("one = map({0})", "one: {0} map await {0}"),
        ("one = map({0}).with_config(StreamConfig(timeout=1))", "one: {0} map await treated {0}"),
        ("class Holder:\n    one = map({0})", "Holder.one: {0} map await {0}"),
        ("one = map({0}) >> map({0})", "one: {0} map await {0} | {0} map await {0}"),
    ],
)
def test_a_function_that_only_running_the_file_tells_of(name: str, text: str, stages: str) -> None:
    done = resolved(DECORATED + text.format(name), single_stage=True)
    assert said(done) == []
    assert shown(done.chains) == [stages.format(name)]
    place = LINES + DECORATED.count("\n") + text.count("\n") + 1
    assert done.chains[0].stages[0].where == f"case.py:{place}"
    refused = resolved(DECORATED + text.format(name), may_import=False, single_stage=True)
    assert shown(refused.chains) == []
    assert said(refused) != []
    assert all("leave --no-import out" in each for each in said(refused))


@pytest.mark.usefixtures("no_import")
def test_a_pipe_that_has_no_name_is_no_reason_to_import() -> None:
    done = resolved(DECORATED + "for each in (map(wait), map(ask)):\n    pass\n", single_stage=True)
    assert (said(done), shown(done.chains)) == ([], [])


@pytest.mark.usefixtures("no_import")
def test_what_rivusio_makes_is_a_pipe_though_mypy_takes_it_for_anything() -> None:
    done = resolved(
        "from rivusio import pipe\n"
        "@pipe\ndef anything(item: int) -> Any: return item\n"
        "@pipe\ndef more(item: int) -> Any: return item\n"
        "twice = anything >> anything\n",
        single_stage=True,
    )
    assert said(done) == []
    assert shown(done.chains) == [
        "more: more map call more",
        "twice: anything map call anything | anything map call anything",
    ]


@pytest.mark.usefixtures("no_import")
def test_what_another_decorator_makes_is_none_if_mypy_takes_it_for_anything() -> None:
    done = resolved(
        "def decorated(function: Any) -> Any: return function\n"
        "@decorated\ndef anything(item: int) -> Any: return item\n"
        "both = anything >> anything\n",
        single_stage=True,
    )
    assert (said(done), shown(done.chains)) == ([], [])


@pytest.mark.usefixtures("no_import")
def test_a_partial_of_a_function_is_what_the_function_is() -> None:
    done = resolved(
        "async def add(extra: int, data: int) -> int:\n    return data + extra\n"
        "def plus(extra: int, data: int) -> int:\n    return data + extra\n"
        "one = map(functools.partial(add, 2))\n"
        "two = map(functools.partial(plus, 2)) >> filter(functools.partial(add, 2))\n",
        single_stage=True,
    )
    assert said(done) == []
    assert shown(done.chains) == [
        "one: partial map either",
        "two: partial map call | filter filter either",
    ]


def test_a_pipeline_with_settings_that_only_its_name_tells_of() -> None:
    done = resolved(
        "chain = map(int) >> Double()\n"
        "careful = chain.with_config(StreamConfig(retry_attempts=2))\n"
    )
    assert said(done) == []
    assert shown(done.chains) == [
        "chain: int map call | Double map call Double.process",
        "careful: int map call treated | Double map call treated Double.process",
    ]


def test_what_is_imported_wins_over_the_text() -> None:
    done = resolved(
        f"unsure = map(int) >> {UNSURE}\n"
        "pipe = Double()\n"
        "pipe._rivusio_given_config = StreamConfig(on_error='skip')\n"
        "chain = map(int) >> pipe\n"
        "pipe.__class__ = Loose  # type: ignore[assignment]\n"
    )
    [_, chain] = done.chains
    assert shown([chain]) == ["chain: int map call | Loose map call treated Loose.process"]
    assert said(done) == [
        (
            f'case.py:{LINES + 4}:21: warning: stage 2 "Double" is another when the file is '
            f"imported than the text says; what is imported counts  [rivusio-compile]"
        )
    ]


def test_a_file_that_cannot_be_imported_keeps_what_the_text_tells() -> None:
    done = resolved(f"sure = map(int) >> Double()\nchain = map(int) >> {UNSURE}\n1 / 0\n")
    assert shown(done.chains) == ["sure: int map call | Double map call Double.process"]
    place = f"case.py:{LINES + 2}:9"
    assert said(done) == [
        (
            f'{place}: error: cannot import "case.py": ZeroDivisionError: division by zero at '
            f"case.py:{LINES + 3}: 1 / 0; mend it until `python case.py` runs  [rivusio-compile]\n"
            f"{place}: note: or write in the chain what its stages are"
        )
    ]


def test_a_file_that_hangs() -> None:
    done = resolved(f"chain = map(int) >> {UNSURE}\nimport time; time.sleep(60)\n", timeout=1)
    assert done.chains == ()
    [message] = said(done)
    assert 'importing "case.py" has not ended within 1 s' in message
