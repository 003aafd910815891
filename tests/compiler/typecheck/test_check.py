"""What `rivusio check` says: the golden cases, and what bad input gets."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import TextIO

import pytest
from click.testing import CliRunner, Result

from rivusio.cli import main
from rivusio.compiler.analysis import handler
from rivusio.compiler.check import Report, check
from rivusio.compiler.typecheck import request as type_request
from tests.places import ROOT

GOLDEN = Path(__file__).parent
FILES = [GOLDEN / "check.test"]
if sys.version_info >= (3, 12):
    FILES.append(GOLDEN / "check_3_12.test")
FIRST = "from given import *\n"

RIGHT = "from rivusio import map\nchain = map(int) >> map(float)\n"
WRONG = "from rivusio import map\nchain = map(str.split) >> map(str.upper)\n"
SAID = (
    'wrong.py:2:27: error: stage 2 "upper" accepts "str" but stage 1 "split" produces "list[str]"'
    "  [rivusio-chain]\n"
    "wrong.py:2:27: note: put flat_map(list) between them\n"
)


def golden(path: Path) -> dict[str, tuple[str, str]]:
    """Give the cases of a file: the program, and its output."""
    text = path.read_text("utf-8")
    found = re.findall(
        r"^\[case (\w+)\]\n(.*?)^\[output\]\n(.*?)(?=^\[case|\Z)", text, re.MULTILINE | re.DOTALL
    )
    return {name: (program, output.strip("\n")) for name, program, output in found}


def given() -> str:
    _, after = FILES[0].read_text("utf-8").split("[given]\n", 1)
    return after.partition("\n[case ")[0]


CASES = {name: case for path in FILES for name, case in golden(path).items()}


@pytest.fixture(autouse=True)
def one_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own; mypy reads rivusio itself once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))


@pytest.fixture
def child() -> None:
    """Ask mypy in a child process, as `rivusio check` does."""


@pytest.fixture(autouse=True)
def one_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask mypy in this process, which saves its start, unless the test wants a child."""
    if "child" not in request.fixturenames:
        monkeypatch.setattr(type_request, "ask", lambda request, _: handler.answer(request))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """All cases, checked in one run."""
    folder = tmp_path_factory.mktemp("golden")
    (folder / "given.py").write_text(given(), encoding="utf-8")
    for name, (program, _) in CASES.items():
        (folder / f"{name}.py").write_text(FIRST + program, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        checked = check(["given.py", *(f"{name}.py" for name in CASES)])
    if os.environ.get("UPDATE_GOLDEN"):
        for path in FILES:
            update(path, checked)
    return checked


def said(report: Report, name: str) -> str:
    return "\n".join(str(each) for each in report.diagnostics if each.path == f"{name}.py")


def update(path: Path, report: Report) -> None:
    text = path.read_text("utf-8")
    head = text[: text.index("[case ")]
    written = [
        f"[case {name}]\n{program}[output]\n{said(report, name)}\n".rstrip("\n")
        for name, (program, _) in golden(path).items()
    ]
    path.write_text(head + "\n\n".join(written) + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_golden(report: Report, name: str) -> None:
    assert said(report, name) == CASES[name][1]


def test_what_is_given_is_clean(report: Report) -> None:
    assert said(report, "given") == ""


# The command


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def write(name: str, text: str | bytes) -> str:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def test_a_right_file_gives_exit_code_0_and_says_on_stderr_what_was_checked() -> None:
    done = cli(write("right.py", RIGHT))
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "checked 1 chain in 1 file\n"


@pytest.mark.usefixtures("child")
def test_a_wrong_file_gives_exit_code_1() -> None:
    done = cli(write("wrong.py", WRONG))
    assert (done.exit_code, done.stdout) == (1, SAID)


def test_all_errors_of_all_files_come_in_one_go_in_the_order_of_the_files() -> None:
    write("broken.py", "def\n")
    write("right.py", RIGHT)
    done = cli(write("wrong.py", WRONG), "right.py", "broken.py", "missing.py", "wrong.py")
    assert done.exit_code == 1
    broken = "broken.py:1:4: error: invalid syntax  [syntax]\n"
    missing = "missing.py:1:1: error: cannot read it: No such file or directory  [file]\n"
    assert done.stdout == SAID + broken + missing
    assert done.stderr == "checked 2 chains in 2 files\n"


def test_a_path_is_shown_as_it_was_given() -> None:
    Path("sub").mkdir()
    write("sub/wrong.py", WRONG)
    given = str(Path.cwd() / "sub" / "wrong.py")
    done = cli("./sub/wrong.py", given)
    places = [line.partition(":2:")[0] for line in done.stdout.splitlines()]
    assert places == ["./sub/wrong.py", "./sub/wrong.py", given, given]


def test_json_is_a_list_of_objects() -> None:
    done = cli(write("wrong.py", WRONG), "--output", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == [
        {
            "path": "wrong.py",
            "line": 2,
            "column": 27,
            "severity": "error",
            "message": 'stage 2 "upper" accepts "str" but stage 1 "split" produces "list[str]"',
            "code": "rivusio-chain",
            "note": "put flat_map(list) between them",
        }
    ]


def test_json_of_a_right_file_is_an_empty_list() -> None:
    done = cli(write("right.py", RIGHT), "--output=json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize("arguments", [(), ("--output", "xml", "a.py"), ("--timeout", "0", "a.py")])
def test_wrong_usage_gives_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert cli(*arguments).exit_code == 2


def test_a_second_run_says_the_same_out_of_the_cache() -> None:
    first = cli(write("wrong.py", WRONG))
    assert cli("wrong.py").stdout == first.stdout


def test_warnings_do_not_change_the_exit_code() -> None:
    done = cli(write("warned.py", RIGHT + 'number: int = "text"\n'))
    assert done.exit_code == 0
    assert done.stdout.startswith("warned.py:3:15: warning: Incompatible types in assignment")
    assert done.stdout.endswith("  [assignment]\n")


def test_nothing_is_run_and_nothing_written() -> None:
    write("helper.py", 'open("written", "w")\n')
    done = cli(write("runs.py", f'import helper\nopen("written", "w")\n{RIGHT}raise SystemExit\n'))
    assert done.exit_code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["helper.py", "runs.py"]


def test_pipes_of_another_module_of_the_user_have_their_types() -> None:
    Path("package").mkdir()
    write("package/__init__.py", "")
    write("package/pipes.py", RIGHT)
    text = "from package.pipes import chain\nwrong = chain >> str.upper\n"
    done = cli(write("imports.py", text))
    message = 'stage 2 "upper" accepts "str" but stage 1 "chain" produces "float"'
    assert f"imports.py:2:18: error: {message}" in done.stdout


def test_two_files_of_one_name_do_not_mix() -> None:
    for folder, text in (("a", RIGHT), ("b", WRONG)):
        Path(folder).mkdir()
        write(f"{folder}/wrong.py", text)
    done = cli("a/wrong.py", "b/wrong.py")
    assert done.stdout == SAID.replace("wrong.py", "b/wrong.py")


def test_the_readme_shows_what_it_says() -> None:
    _, section = (ROOT / "README.md").read_text("utf-8").split("## Check the joins\n")
    code, shown = re.findall(r"^```\w+\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[:2]
    assert cli(write("flights.py", code)).stdout == shown


# The user's settings


LOOK = """from rivusio import map
def look(text: str) -> int | None: return None
chain = map(look) >> map(float)
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mypy.ini", "[mypy]\n[mypy-look]\nstrict_optional = False\n"),
        ("setup.cfg", "[mypy]\n[mypy-look]\nstrict_optional = False\n"),
        ("pyproject.toml", "[[tool.mypy.overrides]]\nmodule = 'look'\nstrict_optional = false\n"),
    ],
)
def test_the_settings_of_mypy_are_honoured(name: str, text: str) -> None:
    write("look.py", LOOK)
    write(name, text)
    assert cli("look.py").exit_code == 0


def test_without_settings_none_is_in_the_way() -> None:
    assert "put drop_none() between them" in cli(write("look.py", LOOK)).stdout


@pytest.mark.usefixtures("child")
def test_settings_that_name_files_and_reports_do_no_harm() -> None:
    write("mypy.ini", "[mypy]\nfiles = other\npretty = True\nnum_workers = 2\n")
    assert cli(write("wrong.py", WRONG)).stdout == SAID


@pytest.mark.usefixtures("child")
def test_settings_that_mypy_refuses_are_told() -> None:
    write("mypy.ini", "[mypy]\nplugins = nothing_of_this_name\n")
    done = cli(write("right.py", RIGHT))
    assert done.exit_code == 1
    assert "nothing_of_this_name" in done.output
    assert "Traceback" not in done.output


PLUGIN = "[mypy]\nplugins = {}.py\n"


@pytest.mark.usefixtures("child")
def test_a_plugin_that_prints_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYPY_CACHE_DIR", "cache")  # another plugin, another cache
    write("mypy.ini", PLUGIN.format("chatty"))
    text = "from mypy.plugin import Plugin\nprint('hello')\ndef plugin(version): return Plugin\n"
    write("chatty.py", text)
    done = cli(write("none.py", "x = 1 << 3 >> 2\n"))
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "none.py: no chain found\nchecked 0 chains in 1 file\n"


@pytest.mark.usefixtures("child")
def test_a_mypy_that_hangs_is_ended() -> None:
    write("mypy.ini", PLUGIN.format("slow"))
    write("slow.py", "import time\ntime.sleep(60)\n")
    done = cli(write("right.py", RIGHT), "--timeout", "0.5")
    assert done.exit_code == 1
    assert done.stderr == "error: mypy has not answered within 0.5 s; try --timeout 1\n"


@pytest.mark.usefixtures("child")
def test_a_mypy_that_dies_is_told() -> None:
    write("mypy.ini", PLUGIN.format("deadly"))
    write("deadly.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    done = cli(write("right.py", RIGHT))
    assert done.exit_code == 1
    assert done.stderr.startswith("error: mypy was ended by signal 9")


def test_without_mypy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "rivusio.cli.compiling.compiler_modules.find_spec",
        lambda name: None if name == "mypy" else name,
    )
    done = cli(write("right.py", RIGHT))
    assert done.exit_code == 1
    assert done.stderr == 'error: this needs mypy: pip install "rivusio[compiler]"\n'


def test_the_cache_stands_beside_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not run to its end: a cold cache takes seconds."""
    monkeypatch.delenv("MYPY_CACHE_DIR")
    write("mypy.ini", "[mypy]\n")
    Path("sub").mkdir()
    _, options = handler._options()
    assert Path(options.cache_dir).resolve() == Path.cwd() / ".mypy_cache" / "rivusio"


def test_the_cache_stands_elsewhere_if_the_folder_is_read_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MYPY_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    write(".mypy_cache", "a file, so that no folder can be made")
    _, options = handler._options()
    assert Path(options.cache_dir).is_relative_to(tmp_path / "caches" / "rivusio")


# Bad input


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"chain = (\n", "bad.py:1:9: error: '(' was never closed  [syntax]"),
        (b"x = 1\ny = = 2\n", "bad.py:2:5: error: invalid syntax  [syntax]"),
        (b"x = '\xff'\n", "bad.py:1:1: error: invalid or missing encoding declaration"),
        (b"# coding: no-such\n", "bad.py:1:1: error: unknown encoding"),
        (b"x = 1\0\n", "bad.py:1:1: error: source code string cannot contain null bytes"),
        (b"x = " + b"(" * 500 + b")" * 500, "bad.py:1:205: error: too many nested parentheses"),
        (
            b"x = " + b"-" * 100_000 + b"1",
            "bad.py:1:1: error: an expression or a block is nested too deep",
        ),
    ],
)
def test_what_is_no_python_is_told_with_its_place(content: bytes, said: str) -> None:
    done = cli(write("bad.py", content))
    assert done.exit_code == 1
    assert done.stdout.startswith(said)
    assert done.stdout.count("\n") == 1


def test_a_folder_is_no_file() -> None:
    Path("folder").mkdir()
    done = cli("folder")
    message = "it is a folder; give the path of a Python file"
    assert (done.exit_code, done.stdout) == (1, f"folder:1:1: error: {message}  [file]\n")


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> TextIO:  # as the system does; but not to root, who may read everything
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    write("secret.py", RIGHT)
    monkeypatch.setattr(tokenize, "open", refuse)
    done = cli("secret.py")
    message = "cannot read it: Permission denied"
    assert (done.exit_code, done.stdout) == (1, f"secret.py:1:1: error: {message}  [file]\n")


@pytest.mark.parametrize("text", ["", "print('nothing of ours')\n", "x = 1 << 3 >> 2\n"])
def test_a_file_without_a_chain_is_well_and_said_so(text: str) -> None:
    done = cli(write("none.py", text))
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "none.py: no chain found\nchecked 0 chains in 1 file\n"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-8"])
def test_a_file_may_have_any_encoding_that_it_declares(encoding: str) -> None:
    head = "# coding: latin-1\n" if encoding == "latin-1" else "#\n"
    text = head + "from rivusio import map\nä = [map(str.split) >> map(str.upper), 'ä']\n"
    done = cli(write("wrong.py", text.encode(encoding)))
    assert done.stdout == SAID.replace("2:27", "3:24")


def test_line_ends_of_any_kind() -> None:
    done = cli(write("wrong.py", WRONG.replace("\n", "\r\n")))
    assert done.stdout == SAID


def test_an_import_that_is_broken_is_told_where_it_is() -> None:
    write("helper.py", "def\n")
    done = cli(write("right.py", "import helper\n" + RIGHT))
    assert done.exit_code == 1
    assert done.stdout.startswith("helper.py:1:")
    assert "error: mypy cannot go on: " in done.stdout


def test_a_long_chain_is_checked() -> None:
    text = "from rivusio import map\nchain = map(float)" + " >> float" * 100 + " >> str.upper\n"
    done = cli(write("long.py", text))
    message = 'stage 102 "upper" accepts "str" but stage 101 "float" produces "float"'
    assert message in done.stdout


def test_ctrl_c_ends_it_quietly() -> None:
    write("mypy.ini", PLUGIN.format("slow"))
    write("slow.py", "import time\nopen('started', 'w').close()\ntime.sleep(60)\n")
    write("right.py", RIGHT)
    command = [sys.executable, "-m", "rivusio.cli", "check", "right.py"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        while not Path("started").exists():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert (process.returncode, out, said) == (130, "", "")


def test_a_reader_that_goes_away_is_no_error() -> None:
    write("wrong.py", WRONG)
    command = f"{sys.executable} -m rivusio.cli check wrong.py | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


def test_what_mypy_finds_in_a_file_without_chains_is_told_too() -> None:
    Path("models.py").write_text('number: int = "text"\n', encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "models.py"])
    assert done.exit_code == 0
    assert done.stdout.startswith("models.py:1:15: warning: Incompatible types in assignment")


def test_nothing_is_wrong_behind_what_gives_only_none() -> None:
    text = "from rivusio import drop_none, map\ndef log(x: int) -> None: ...\n"
    text += "def more(x: int) -> int:\n    return x + 1\nchain = map(log) >> drop_none() >> more\n"
    Path("nothing.py").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "nothing.py"])
    assert (done.exit_code, done.stdout) == (0, "")
