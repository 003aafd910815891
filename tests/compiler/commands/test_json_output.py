"""What `--output json` writes is JSON, whatever comes of the command."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rivusio.cli.compiling import compiler_modules
from tests.compiler.commands.support import FLOW, cli, own_folder, write

__all__ = ["own_folder"]

COMMANDS = [
    ["check"],
    ["compile"],
    ["compile", "--check"],
    ["compile", "--dump", "plan"],
    ["compile", "--dump", "module"],
    ["explain"],
]


def nothing_wrong(_: pytest.MonkeyPatch) -> None:
    pass


def a_wrong_joint(_: pytest.MonkeyPatch) -> None:
    write("flow.py", "from rivusio import map\nchain = map(str.split) >> map(str.upper)\n")


def no_file(_: pytest.MonkeyPatch) -> None:
    Path("flow.py").unlink()


def a_folder(_: pytest.MonkeyPatch) -> None:
    Path("flow.py").unlink()
    Path("flow.py").mkdir()


def a_syntax_error(_: pytest.MonkeyPatch) -> None:
    write("flow.py", "x = (\n")


def a_mypy_that_dies(_: pytest.MonkeyPatch) -> None:
    write("mypy.ini", "[mypy]\nplugins = dies.py\n")
    write("dies.py", "import os\nprint('noise')\nos._exit(3)\n")


def a_plugin_that_prints(_: pytest.MonkeyPatch) -> None:
    write("mypy.ini", "[mypy]\nplugins = prints.py\n")
    text = "from mypy.plugin import Plugin\nprint('noise')\n"
    write("prints.py", text + "def plugin(version):\n    return Plugin\n")


def an_import_that_prints_and_fails(_: pytest.MonkeyPatch) -> None:
    text = "from rivusio import map\nc = map(int)\nfor _ in 'ab':\n    c = c >> map(int)\n"
    write("flow.py", text + "print('noise')\nraise SystemExit('no')\n")


def a_folder_that_cannot_be_written_to(_: pytest.MonkeyPatch) -> None:
    write("__rivusio__", "a file, so that no folder can be made")


def no_mypy(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        compiler_modules, "find_spec", lambda name: None if name == "mypy" else find(name)
    )


def a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: str) -> None:
        message = "{oh}\n\ud83d"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(compiler_modules, "find_spec", failing)


TROUBLES = [
    nothing_wrong,
    a_wrong_joint,
    no_file,
    a_folder,
    a_syntax_error,
    a_mypy_that_dies,
    a_plugin_that_prints,
    an_import_that_prints_and_fails,
    a_folder_that_cannot_be_written_to,
    no_mypy,
    a_fault_of_ours,
]
KEYS = ["path", "line", "column", "severity", "message", "code", "note"]


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_is_json_with_an_error_where_the_command_fails(
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    trouble: Callable[[pytest.MonkeyPatch], None],
) -> None:
    write("flow.py", FLOW)
    trouble(monkeypatch)
    done = cli(*command, "flow.py", "--output", "json")
    told: Any = json.loads(done.stdout)
    diagnostics = told if command == ["check"] else told["diagnostics"]
    assert all(list(each) == KEYS for each in diagnostics)
    errors = [each for each in diagnostics if each["severity"] == "error"]
    assert done.exit_code == (1 if errors else 0)
    if command != ["check"]:
        assert set(told) == {"chains", "unmade", "diagnostics", "fresh", "unfinished"}


def test_check_tells_what_is_up_to_date_and_what_is_not() -> None:
    assert cli("compile", write("flow.py", FLOW)).exit_code == 0
    write("new.py", FLOW)
    told = json.loads(cli("compile", "--check", "--output", "json", "flow.py", "new.py").stdout)
    assert told["fresh"] == ["flow.py"]
    assert [(each["path"], each["message"], each["note"]) for each in told["diagnostics"]] == [
        ("new.py", "it was not compiled", "run `rivusio compile new.py`")
    ]


def test_what_is_not_compiled_is_told_apart() -> None:
    wrong = "from rivusio import map\nx = map(str.split) >> map(str.upper)\n"
    write("helper.py", "def\n")
    write("stopped.py", "import helper\n" + FLOW)
    done = cli("compile", "--output", "json", write("flow.py", FLOW + wrong), "stopped.py")
    told = json.loads(done.stdout)
    assert [each["name"] for each in told["chains"]] == ["chain"]
    assert [(each["path"], each["name"], each["failed"]) for each in told["unmade"]] == [
        ("flow.py", "x", True)
    ]
    assert told["unfinished"] == ["stopped.py"]


@pytest.mark.parametrize("what", ["plan", "module"])
def test_what_is_dumped_stands_beside_its_chain(what: str) -> None:
    write("flow.py", FLOW)
    shown = cli("compile", "--dump", what, "flow.py").stdout
    told = json.loads(cli("compile", "--dump", what, "--output", "json", "flow.py").stdout)
    assert [each[what] for each in told["chains"]] == [shown.removesuffix("\n")]
