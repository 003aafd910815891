"""The trouble of one chain is told, and stops neither another chain nor another file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from rivusio.compiler import planning
from rivusio.compiler.backends.python import module as python_module
from rivusio.compiler.backends.python.format import FormatError
from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.frontend.source import Source
from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.mypy_server.client import OracleError
from rivusio.compiler.resolve import resolve
from rivusio.compiler.typecheck.request import TypedFile
from rivusio.compiler.validate import request, validate
from tests.compiler.commands.support import FLOW, MAIN, cli, own_folder, runs, write, written

__all__ = ["own_folder"]

TWO = FLOW + "other = Double() >> Double() >> Double()\n"
OTHER = {"flow.index.json", "flow__other.json", "flow__other.py"}


# What is annotated with Any, or with nothing

PIPES = {
    "SyncBasePipe[int, int]": ("process", "data: int", "data + 1", ["def"]),
    "AsyncBasePipe[int, int]": ("process", "data: int", "data + 1", ["def", "async def"]),
    "FilterPipe[int]": ("keep", "item: int", "item > 1", ["def"]),
    "AsyncFilterPipe[int]": ("keep", "item: int", "item > 1", ["def", "async def"]),
    "FlatMapPipe[int, int]": ("expand", "item: int", "[item, item]", ["def"]),
    "AsyncFlatMapPipe[int, int]": ("expand", "item: int", "[item, item]", ["def", "async def"]),
    "StreamPipe[int, int]": ("process_item", "item: int", "item + 1", ["def", "async def"]),
    "BatchStreamPipe[int, int]": ("process_batch", "batch: list[int]", "sum(batch)", ["def"]),
    "WindowedStreamPipe[int, int]": ("process_window", "it: list[int]", "sum(it)", ["def"]),
    "SlidingWindowPipe[int, int]": ("process_window", "it: list[int]", "sum(it)", ["def"]),
}
SIZES = {"BatchStreamPipe": "2", "WindowedStreamPipe": "timedelta(days=1)"}
SIZES["SlidingWindowPipe"] = "2, 1"


def any_pipes() -> str:
    """Give a file with a chain of each kind whose method gives Any, or does not say what."""
    lines = [
        "import asyncio",
        "from datetime import timedelta",
        "from typing import Any",
        f"from rivusio import {', '.join(base.partition('[')[0] for base in PIPES)}",
    ]
    for base, (method, parameter, body, kinds) in PIPES.items():
        for kind in kinds:
            for given in (f"{parameter}) -> Any", f"{parameter.partition(':')[0]})"):
                for handler in ("", f"    {kind} handle_error(self, error: Exception, data: Any)"):
                    name = f"P{len(lines)}"
                    lines.append(f"class {name}({base}):")
                    lines.append(f"    {kind} {method}(self, {given}:\n        return {body}")
                    if handler:
                        lines.append(f"{handler} -> Any:\n        return 0")
                    made = f"{name}({SIZES.get(base.partition('[')[0], '')})"
                    lines.append(f"chain_{name} = {made}\ntwo_{name} = {made} >> {made}")
    lines.append("""
async def outputs(chain: Any) -> list[Any]:
    found = [item async for item in chain.stream([1, 2, 3])]
    try:
        one = chain(5)
        found.append(await one if asyncio.iscoroutine(one) else one)
    except TypeError as error:
        found.append(str(error))
    return found
if __name__ == "__main__":
    for name, chain in sorted(globals().items()):
        if name.startswith(("chain_", "two_")):
            print(name, asyncio.run(outputs(chain)))
""")
    return "\n".join(lines)


def test_what_gives_any_or_says_nothing_is_compiled() -> None:
    done = cli("compile", write("anys.py", any_pipes()))
    assert (done.exit_code, done.stdout) == (0, "")
    assert runs("anys.py") == runs("anys.py", "interpreted")


def test_a_plain_process_item_that_says_any_stands_in_the_loop() -> None:
    text = "from typing import Any\nfrom rivusio import StreamPipe\n"
    text += "class Ask(StreamPipe[int, int]):\n    def process_item(self, item: int) -> Any:\n"
    write("ask.py", text + "        return item + 1\nchain = Ask()\n")
    told = json.loads(cli("explain", "--output", "json", "ask.py").stdout)
    assert [each["how"] for each in told["chains"][0]["stages"]] == ["inlined"]


# Files whose names are no identifiers

TAG = """from rivusio import map
WHO = "x"
def tag(x: str) -> str:
    return x + WHO
chain = map(str.strip) >> tag
if __name__ == "__main__":
    print(*chain.iterate(["a "]))
"""
NAMES = [
    "flow.v2.py",
    "my-flow.py",
    "my flow.py",
    "01_extract.py",
    "class.py",
    "größe.py",
    "gro\u0308ße.py",  # as some systems write it; Python reads names composed
    "流れ-1.py",
    "_.py",
    "-.py",
]


def test_a_file_may_have_any_name_and_its_globals_are_read() -> None:
    names = [write(name, TAG) for name in NAMES]
    done = cli("compile", *(f"./{name}" for name in names))
    assert (done.exit_code, done.stdout) == (0, "")
    assert [runs(name) for name in names] == ["ax\n"] * len(names)


@pytest.mark.parametrize("name", ["my-flow.py", "class.py"])
def test_such_a_file_in_a_package_imports_what_stands_beside_it(name: str) -> None:
    write("shop/__init__.py", "")
    write("shop/parts.py", "def more(x: int) -> int:\n    return x + 1\n")
    text = "from rivusio import map\nfrom .parts import more\nLIMIT = 3\n"
    text += "def least(x: int) -> int:\n    return min(x, LIMIT)\nchain = map(more) >> least\n"
    told = json.loads(cli("explain", "--output", "json", write(f"shop/{name}", text)).stdout)
    assert [each["how"] for each in told["chains"][0]["stages"]] == ["inlined", "inlined"]


@pytest.mark.parametrize(
    ("first", "second", "module"),
    [
        ("a/my-flow.py", "b/my-flow.py", "b/__rivusio__/my-flow__chain.py"),
        ("one", "two", "__rivusio__/two+__chain.py"),
        ("a/one", "b/two", "b/__rivusio__/two+__chain.py"),
    ],
)
def test_a_module_is_the_same_in_whatever_company(first: str, second: str, module: str) -> None:
    assert cli("compile", write(first, TAG), write(second, TAG)).exit_code == 0
    together = Path(module).read_text("utf-8")
    assert cli("compile", "--dump", "module", second).stdout == f"{together}\n"


# One chain of several


def test_a_chain_that_does_not_fit_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "from rivusio import map\nwrong = map(str.split) >> map(str.upper)\n"
    done = cli("compile", write("flow.py", FLOW + wrong + MAIN))
    assert done.exit_code == 1
    assert done.stdout.startswith('flow.py:7:27: error: stage 2 "upper" accepts "str"')
    assert runs("flow.py") == "[4, 8]\n"
    done = cli("compile", "--check", "flow.py")
    assert done.exit_code == 1
    assert done.stdout.startswith('flow.py: chain "wrong" is not compiled: stage 2 "upper" accepts')


def test_what_does_not_fit_is_not_compiled_because_the_file_was_imported() -> None:
    text = "from rivusio import map\ndef grown():\n    c = map(str)\n    for _ in range(2):\n"
    text += "        c = c >> map(str)\n    return c\nmade = grown()\n"
    text += "wrong = map(str.split) >> map(str.upper) >> str.strip\n"
    text += "hidden = map(str.split) >> map(str.upper)  # type: ignore\n"
    done = cli("compile", write("flow.py", text))
    assert done.exit_code == 1
    assert {name for name in written() if "wrong" in name or "hidden" in name} == set()


def refuse(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let mypy have something against the module of a chain."""
    strict = request.strict

    def refusing(
        modules: Sequence[request.Generated], texts: Sequence[tuple[str, str]], timeout: float
    ) -> tuple[Complaint, ...]:
        wrong = (each for each in modules if name in each.path)
        ours = tuple(Complaint(each.path, 7, 0, "it is wrong", "misc") for each in wrong)
        return ours + strict(modules, texts, timeout)

    monkeypatch.setattr(request, "strict", refusing)


def test_a_module_that_does_not_pass_mypy_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "__chain.py")
    done = cli("compile", write("flow.py", TWO))
    assert done.exit_code == 1
    assert 'the module of "chain" does not pass mypy, which is a bug of rivusio\'s' in done.stdout
    assert 'kept in "flow__chain.failed.py"; the chain runs interpreted' in done.stdout
    assert set(written()) == OTHER
    done = cli("compile", "--check", "flow.py")
    assert done.exit_code == 1
    assert 'flow.py: chain "chain" is not compiled: ' in done.stdout


def test_a_module_at_which_mypy_stops_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(
        modules: Sequence[request.Generated], texts: Sequence[tuple[str, str]], timeout: float
    ) -> tuple[Complaint, ...]:
        if any("__chain.py" in each.path for each in modules):
            message = "mypy was ended by signal 11"
            raise OracleError(message)
        return ()

    monkeypatch.setattr(request, "strict", stopping)
    done = cli("compile", write("flow.py", TWO))
    assert done.exit_code == 1
    said = 'error: chain "chain" is not compiled: mypy was ended by signal 11  [rivusio-compile]'
    assert said in done.stdout
    assert set(written()) == OTHER


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            FormatError("no such\nsyntax"),
            "the formatter refuses its module: no such syntax",
        ),
        (ZeroDivisionError("oh"), "rivusio itself failed at "),
        (RecursionError("too deep"), "Python does not take the code of its 2 stages"),
    ],
)
def test_a_module_that_cannot_be_written_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    whole = python_module.render_modules

    def failing(
        plans: Sequence[Plan], version: str
    ) -> list[python_module.GeneratedModule | python_module.Refused]:
        if any(each.name == "chain" for each in plans):
            raise error
        return whole(plans, version)

    monkeypatch.setattr(planning, "render_modules", failing)
    done = cli("compile", write("flow.py", TWO))
    assert f'chain "chain" is not compiled: {said}' in done.stdout
    assert done.exit_code == (0 if isinstance(error, RecursionError) else 1)
    assert set(written()) == OTHER


def test_a_module_written_anew_that_cannot_be_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object) -> list[python_module.GeneratedModule | python_module.Refused]:
        message = "no"
        raise FormatError(message)

    strict = request.strict

    def refusing(
        modules: Sequence[request.Generated], texts: Sequence[tuple[str, str]], timeout: float
    ) -> tuple[Complaint, ...]:
        of = next(each for each in modules if "__chain.py" in each.path)
        line = next(n for n, text in enumerate(of.text.split("\n"), 1) if "* 2" in text)
        ours = (Complaint(of.path, line, 0, "it is wrong", "misc"),)
        return ours + strict(modules, texts, timeout)

    monkeypatch.setattr(request, "strict", refusing)
    monkeypatch.setattr(validate, "render_modules", failing)
    assert cli("compile", write("flow.py", TWO)).exit_code == 1
    assert set(written()) == OTHER


def test_a_stage_that_stays_a_call_is_strictly_the_trouble_of_its_chain() -> None:
    calls = "from rivusio import map\ncalls = map(int) >> map(int)\n"
    done = cli("compile", "--strict", write("flow.py", FLOW + calls))
    assert done.exit_code == 1
    assert set(written()) == {"flow.index.json", "flow__chain.json", "flow__chain.py"}


def test_an_import_that_fails_stops_no_chain_that_the_text_tells() -> None:
    text = FLOW + "from rivusio import map\nc = map(int)\nfor _ in 'ab':\n    c = c >> map(int)\n"
    done = cli("compile", write("flow.py", text + "raise OSError('no such luck')\n"))
    assert done.exit_code == 1
    assert "no such luck" in done.stdout
    assert set(written()) == {"flow.index.json", "flow__chain.json", "flow__chain.py"}
    assert "no such luck" in cli("compile", "--check", "flow.py").stdout


# One file of several


def test_a_file_at_which_mypy_stops_stops_no_other() -> None:
    write("helper.py", "def\n")
    write("imports.py", "import helper\n" + FLOW)
    done = cli("compile", write("flow.py", FLOW), "imports.py")
    assert done.exit_code == 1
    assert done.stdout.startswith("helper.py:1:5: error: mypy cannot go on: ")
    assert "imports.py: not compiled; it keeps the modules that it has" in done.stderr
    assert set(written()) == {"flow.index.json", "flow__chain.json", "flow__chain.py"}
    checked = cli("check", "flow.py", "imports.py")
    assert checked.exit_code == 1
    assert "checked 1 chain in 1 file" in checked.stderr
    assert "imports.py: no chain found" not in checked.stderr


CRASHING = """from mypy.plugin import Plugin
class Crashing(Plugin):
    def get_function_hook(self, name):
        if name == "bad.boom":
            1 / 0
def plugin(version):
    return Crashing
"""


def test_a_file_at_which_mypy_crashes_stops_no_other() -> None:
    write("mypy.ini", "[mypy]\nplugins = crashing.py\n")
    write("crashing.py", CRASHING)
    write("bad.py", FLOW + "def boom() -> int:\n    return 1\nboom()\n")
    done = cli("compile", "bad.py", write("flow.py", FLOW))
    assert done.exit_code == 1
    assert done.stdout.startswith("bad.py:1:1: error: mypy failed: ")
    assert set(written()) == {"flow.index.json", "flow__chain.json", "flow__chain.py"}


def test_what_fails_for_one_file_in_the_compiler_itself_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolved = resolve.resolved

    def failing(
        source: Source, typed: TypedFile, *, may_import: bool, timeout: float
    ) -> resolve.Resolution:
        if source.path == "bad.py":
            raise RecursionError
        return resolved(source, typed, may_import=may_import, timeout=timeout)

    monkeypatch.setattr(resolve, "resolved", failing)
    done = cli("compile", write("bad.py", FLOW), write("flow.py", FLOW))
    assert done.exit_code == 1
    assert done.stdout.startswith("bad.py:1:1: error: rivusio itself failed at ")
    assert set(written()) == {"flow.index.json", "flow__chain.json", "flow__chain.py"}


@pytest.mark.parametrize("settings", ["plugins = no_such", "python_version = nonsense"])
def test_what_stops_mypy_everywhere_is_told_once(settings: str) -> None:
    write("mypy.ini", f"[mypy]\n{settings}\n")
    names = [write(f"flow_{number}.py", FLOW) for number in range(3)]
    done = cli("compile", *names)
    if settings.startswith("plugins"):
        assert done.exit_code == 1
        assert done.stdout.count("error:") == 1
        assert not Path("__rivusio__").exists()
    else:  # mypy warns, and goes on
        assert done.exit_code == 0
