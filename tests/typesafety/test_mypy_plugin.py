"""How the mypy plugin behaves in a run of mypy; what it says is in typesafety/*.yml."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from mypy import api
from mypy.options import Options
from mypy.plugin import Plugin

import rivusio
from rivusio import mypy_plugin
from rivusio.cli import main
from rivusio.compiler.analysis import handler
from rivusio.compiler.mypy_plugin import argument_rules, reporting
from rivusio.compiler.mypy_plugin.hooks import Table
from rivusio.compiler.mypy_plugin.joins import Chains
from rivusio.compiler.typecheck import request as type_request
from tests.places import ROOT

# Not as long as the one below: mypy looks at the size of a file, too.
RIGHT = "from rivusio import map\nchain = map(str.upper) >> map(str.strip) >> map(str.lower)\n"
WRONG = "from rivusio import map\nchain = map(str.split) >> map(str.upper)\n"
SAID = (
    'wrong.py:2: error: stage 2 "upper" accepts "str" but stage 1 "split" produces "list[str]"'
    "  [rivusio-chain]\n"
    "wrong.py:2: note: put flat_map(list) between them\n"
)
MYPYS_OWN = "[operator]"

Mypy = Callable[..., str]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all runs: mypy reads rivusio itself once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def mypy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> Mypy:
    """Run mypy with the plugin, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    Path("mypy.ini").write_text("[mypy]\nplugins = rivusio.mypy_plugin\n", encoding="utf-8")

    def run(*options: str) -> str:
        report, trouble, _ = api.run([f"--cache-dir={cache}", "--no-error-summary", *options])
        assert not trouble
        return report

    return run


def write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_a_second_run_says_the_same_out_of_the_cache(mypy: Mypy) -> None:
    assert mypy(write("wrong.py", WRONG)) == SAID
    assert mypy("wrong.py") == SAID


def test_a_file_that_changes_is_looked_at_anew(mypy: Mypy) -> None:
    assert mypy(write("wrong.py", RIGHT)) == ""
    assert mypy(write("wrong.py", WRONG)) == SAID


def test_a_pipe_that_changes_in_another_file_is_noticed(mypy: Mypy) -> None:
    write("pipes.py", RIGHT)
    write("uses.py", "from pipes import chain\nchain >> str.upper\n")
    assert mypy("uses.py") == ""
    write("pipes.py", "from rivusio import map\nchain = map(str.upper) >> map(len)\n")
    said = 'uses.py:2: error: stage 2 "upper" accepts "str" but stage 1 "chain" produces "int"'
    assert mypy("uses.py").startswith(said)


def test_a_code_can_be_disabled(mypy: Mypy) -> None:
    with Path("mypy.ini").open("a", encoding="utf-8") as settings:
        settings.write("[mypy-wrong]\ndisable_error_code = rivusio-chain\n")
    assert mypy(write("wrong.py", WRONG)) == ""


def test_a_code_can_be_disabled_in_a_file(mypy: Mypy) -> None:
    """No type case: a mypy without the plugin crashes over a code that it does not know."""
    assert mypy(write("wrong.py", "# mypy: disable-error-code=rivusio-chain\n" + WRONG)) == ""


def test_a_file_may_be_reached_by_any_path(mypy: Mypy) -> None:
    write("wrong.py", WRONG)
    assert mypy(str(Path.cwd() / "wrong.py")) == SAID


def test_a_text_that_stands_in_no_file_gets_mypys_own_words(mypy: Mypy) -> None:
    assert MYPYS_OWN in mypy("-c", WRONG)


def test_two_files_that_import_each_other(mypy: Mypy) -> None:
    write("one.py", WRONG + "import two\ndef later() -> None:\n    two.chain >> len >> chain\n")
    write("two.py", WRONG + "import one\ndef later() -> None:\n    one.chain >> len >> chain\n")
    said = mypy("one.py", "two.py")
    for name in ("one", "two"):
        places = re.findall(
            rf"^{name}.py:(\d+): error: (.*)  \[rivusio-chain\]", said, re.MULTILINE
        )
        assert [line for line, _ in places] == ["2", "5"]
    assert MYPYS_OWN not in said


def test_a_long_chain_of_wrong_joints_takes_no_time(mypy: Mypy) -> None:
    joints = " >> str.split" * 100
    said = mypy(write("long.py", f"from rivusio import map\nchain = map(str.split){joints}\n"))
    assert said.count("[rivusio-chain]") == 100


def test_a_class_that_is_met_again_in_a_function_that_is_put_off(mypy: Mypy) -> None:
    text = (
        "from rivusio import SyncBasePipe\n"
        "def build() -> object:\n"
        "    later = Flow().value\n"
        "    class Safe(SyncBasePipe[str, int]):\n"
        "        def process(self, data: str) -> int: return later\n"
        "        def handle_error(self, error: Exception) -> int: return 0\n"
        "    return Safe\n"
        "class Flow:\n"
        "    def __init__(self) -> None:\n"
        "        self.value = 1\n"
    )
    assert mypy(write("deferred.py", text)).count("[rivusio-handler]") == 1


def test_requests_block_and_a_lambda_for_a_thread_does_not(mypy: Mypy) -> None:
    write("requests.py", "def get(url: str) -> str: return url\n")
    text = (
        "import asyncio, requests\n"
        "from rivusio import AsyncBasePipe\n"
        "class Ask(AsyncBasePipe[str, str]):\n"
        "    async def process(self, data: str) -> str:\n"
        "        await asyncio.to_thread(lambda: requests.get(data))\n"
        "        return requests.get(data)\n"
    )
    message = '"requests.get" blocks the event loop: nothing else runs meanwhile'
    assert mypy(write("asks.py", text)) == (
        f"asks.py:6: error: {message}  [rivusio-async]\n"
        "asks.py:6: note: say await asyncio.to_thread(requests.get, ...)\n"
    )


# The daemon, and several workers


@pytest.mark.usefixtures("mypy")
def test_the_daemon() -> None:
    write("wrong.py", WRONG)
    write("other.py", "x = 1\n")

    def dmypy(*arguments: str) -> str:
        command = [sys.executable, "-m", "mypy.dmypy", "--status-file=status", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout

    try:
        first = dmypy("run", "--", "wrong.py", "other.py")
        write("wrong.py", RIGHT)
        second = dmypy("check", "wrong.py", "other.py")
        write("wrong.py", WRONG)
        third = dmypy("check", "wrong.py", "other.py")
    finally:
        dmypy("kill")
    assert SAID in first
    assert "rivusio" not in second
    assert SAID in third


@pytest.mark.skipif(not hasattr(Options(), "num_workers"), reason="this mypy has no workers")
@pytest.mark.usefixtures("mypy")
def test_several_workers(cache: Path) -> None:
    for number in range(4):
        write(f"wrong_{number}.py", WRONG)
    names = [f"wrong_{number}.py" for number in range(4)]
    command = [sys.executable, "-m", "mypy", "--num-workers=2", f"--cache-dir={cache}", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for name in names:
        assert SAID.replace("wrong.py", name) in done.stdout
    assert MYPYS_OWN not in done.stdout


# Which versions of mypy


def test_the_range_of_mypy_is_what_is_tested() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    least, below = re.findall(r'"mypy>=(\d+\.\d+),<(\d+\.\d+)"', project)[0]
    [line] = re.findall(r"^MYPYS := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    tested = [version.rpartition(".")[0] for version in line.split()]
    major, minor = tested[-1].split(".")
    assert (tested[0], f"{major}.{int(minor) + 1}") == (least, below)
    assert len(tested) >= 3
    document = (ROOT / "docs" / "typing.md").read_text("utf-8")
    assert f"mypy {', '.join(tested[:-1])} and {tested[-1]}" in document


# What a version invalidates


def test_another_version_makes_mypy_look_at_what_uses_rivusio_and_nothing_else(
    mypy: Mypy, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    write("uses.py", RIGHT)
    write("far.py", "import uses\nx = uses.chain\n")
    write("apart.py", "import json\nx = json\n")
    names = ("uses.py", "far.py", "apart.py")
    mypy(*names)
    assert looked_at(cache, names) == set()
    monkeypatch.setattr(rivusio, "__version__", "9.9.9")
    looked = looked_at(cache, names)
    assert "uses" in looked
    strangers = {
        each for each in looked if each.partition(".")[0] not in {"rivusio", "uses", "far"}
    }
    assert strangers == set()


def looked_at(cache: Path, names: tuple[str, ...]) -> set[str]:
    """Give the modules that mypy does not take from its cache."""
    _, log, _ = api.run([f"--cache-dir={cache}", "-v", *names])
    return set(re.findall(r"Parsing .* \(([\w.]+)\)$", log, re.MULTILINE))


# Where mypy is not what it was


def test_a_hook_that_fails_leaves_mypy_alone(mypy: Mypy, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("this mypy is not what it was")

    monkeypatch.setattr(Chains, "_judged", fail)
    said = mypy(write("wrong.py", WRONG + "# without a hook\n"))
    assert MYPYS_OWN in said
    assert "INTERNAL ERROR" not in said


@pytest.mark.parametrize(
    "name", ["function_signature", "function", "method_signature", "method", "class_"]
)
def test_a_table_that_fails_leaves_mypy_alone(
    mypy: Mypy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("this mypy is not what it was")

    monkeypatch.setattr(Table, name, fail)
    assert "INTERNAL ERROR" not in mypy(write("wrong.py", f"{WRONG}# {name}\n"))


def test_without_what_mypy_does_not_document_the_words_are_the_same(
    mypy: Mypy, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def no_way_past(*_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(reporting, "past_operator", no_way_past)
    assert mypy(write("wrong.py", WRONG + "# by what is documented\n")) == SAID


def test_a_mypy_without_what_the_hooks_need_gets_a_plugin_that_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rivusio.compiler.mypy_plugin.hooks", None)
    assert mypy_plugin.plugin("99.0") is Plugin


# Beside rivusio check


def test_rivusio_check_says_the_same_where_the_plugin_is_on(
    mypy: Mypy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
    monkeypatch.setattr(type_request, "ask", lambda request, _: handler.answer(request))
    ignored = "map(str.split) >> map(str.upper)  # type: ignore[rivusio-chain]\n"
    write("wrong.py", WRONG + ignored)
    done = CliRunner().invoke(main, ["check", "wrong.py"])
    said = [line for line in done.stdout.splitlines() if ": note: " not in line]
    message = 'stage 2 "upper" accepts "str" but stage 1 "split" produces "list[str]"'
    assert said == [
        f"wrong.py:2:27: error: {message}  [rivusio-chain]",
        f"wrong.py:3:19: warning: {message}  [rivusio-chain]",
    ]


# The rules of the constructors


MADE: dict[str, Callable[..., object]] = {
    "rivusio.pipes.operators.take": rivusio.take,
    "rivusio.pipes.operators.batch": rivusio.batch,
    "rivusio.pipes.operators.tumbling": rivusio.tumbling,
    "rivusio.pipes.operators.sliding": rivusio.sliding,
}


class Lists(rivusio.BatchStreamPipe[int, int]):
    async def process_batch(self, batch: list[int]) -> int:
        return len(batch)


class Windows(rivusio.WindowedStreamPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return len(window)


class Sliding(rivusio.SlidingWindowPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return len(window)


MADE |= {
    "rivusio.pipes.windowed.BatchStreamPipe": Lists,
    "rivusio.pipes.windowed.WindowedStreamPipe": Windows,
    "rivusio.pipes.windowed.SlidingWindowPipe": Sliding,
    "concurrent": lambda limit: rivusio.map(str).concurrent(limit, threads=True),
}
NEEDS: dict[str, object] = {"n": 1, "batch_size": 1, "size": 1}
VALUES: dict[str, list[object]] = {
    "count": [-1, 0, 1],
    "n": [-1, 0, 1],
    "batch_size": [-1, 0, 1],
    "size": [-1, 0, 1],
    "step": [-1, 0, 1],
    "limit": [-1, 0, 1],
    "duration": [*(timedelta(seconds=each) for each in (-1, 0, 1))],
    "linger": [*(timedelta(seconds=each) for each in (-1, 0, 1)), None],
    "window_size": [*(timedelta(seconds=each) for each in (-1, 0, 1))],
}
FIELDS = {
    "rivusio.pipes.operators.take": ["count"],
    "rivusio.pipes.operators.batch": ["n", "linger"],
    "rivusio.pipes.operators.tumbling": ["duration"],
    "rivusio.pipes.operators.sliding": ["size", "step"],
    "rivusio.pipes.windowed.BatchStreamPipe": ["batch_size", "linger"],
    "rivusio.pipes.windowed.WindowedStreamPipe": ["window_size"],
    "rivusio.pipes.windowed.SlidingWindowPipe": ["size", "step"],
    "concurrent": ["limit"],
}


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in FIELDS.items() for field in fields]
)
def test_a_rule_refuses_what_the_constructor_refuses(name: str, field: str) -> None:
    all_rules = argument_rules.FUNCTIONS | argument_rules.PIPES | argument_rules.METHODS
    rule = all_rules[name](field)
    assert rule is not None
    needed = {each: NEEDS[each] for each in FIELDS[name] if each in NEEDS}
    for value in VALUES[field]:
        constructor = partial(MADE[name], **{**needed, field: value})
        assert refusal(partial(rule, value)) == refusal(constructor)


def refusal(make: Callable[[], object]) -> str | None:
    try:
        make()
    except ValueError as error:
        return str(error)
    return None
