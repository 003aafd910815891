"""What `rivusio compile` and `rivusio explain` write and say, and what bad input gets."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rivusio.cli import main
from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.validate import request
from tests.places import ROOT

RIGHT = "from rivusio import map\nfirst = map(int) >> map(float)\nsecond = map(str.split)\n"
FLOW = """from rivusio import SyncBasePipe
class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * 2
chain = Double() >> Double()
"""
WRONG = "from rivusio import map\nchain = map(str.split) >> map(str.upper)\n"
FIVE = "from rivusio import map\n" + "".join(
    f"wrong_{number} = map(str.split) >> map(str.upper)\n" for number in range(5)
)


@pytest.fixture(autouse=True)
def one_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own; mypy reads rivusio itself once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which two files are compiled; tests work on copies."""
    folder = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        write("right.py", RIGHT)
        write("flow.py", FLOW)
        done = cli("compile", "right.py", "flow.py")
        assert (done.exit_code, done.stdout) == (0, "")
        (folder / "said").write_text(done.stderr, encoding="utf-8")
    return folder


@pytest.fixture
def compiled(once: Path, tmp_path: Path) -> Path:
    """The files and artifacts of `once`, in this test's folder."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "__rivusio__"


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {each.name: (each.stat().st_mtime_ns, each.read_bytes()) for each in folder.iterdir()}


# What is written


def test_each_chain_has_a_module_and_a_manifest(compiled: Path) -> None:
    assert sorted(state(compiled)) == [
        "flow.index.json",
        "flow__chain.json",
        "flow__chain.py",
        "right.index.json",
        "right__first.json",
        "right__first.py",
        "right__second.json",
        "right__second.py",
    ]


def test_it_says_what_was_written(compiled: Path) -> None:
    assert Path("said").read_text("utf-8").splitlines() == [
        "first -> __rivusio__/right__first.py  (2 stages in 1 loop, 0 inlined)",
        "second -> __rivusio__/right__second.py  (1 stage in 1 loop, 0 inlined)",
        "chain -> __rivusio__/flow__chain.py  (2 stages in 1 loop, 2 inlined)",
    ]


def test_a_second_time_nothing_is_done(compiled: Path) -> None:
    before = state(compiled)
    done = cli("compile", "right.py", "flow.py")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "right.py: up to date\nflow.py: up to date\n"
    assert state(compiled) == before


def test_the_same_bytes_anywhere_and_no_path_of_the_machine(compiled: Path, once: Path) -> None:
    shutil.rmtree(compiled)
    assert cli("compile", str(compiled.parent / "right.py"), "flow.py").exit_code == 0
    for name, (_, content) in state(once / "__rivusio__").items():
        assert (compiled / name).read_bytes() == content
        for path in (once, compiled.parent, ROOT):
            assert str(path).encode() not in content


def test_check_of_what_is_up_to_date_says_nothing(compiled: Path) -> None:
    done = cli("compile", "--check", "right.py", "flow.py")
    assert (done.exit_code, done.output) == (0, "")


def test_check_says_in_one_line_each_what_is_not(compiled: Path) -> None:
    write("flow.py", FLOW + "\n")
    write("new.py", RIGHT)
    before = state(compiled)
    done = cli("compile", "--check", "right.py", "flow.py", "new.py")
    assert done.exit_code == 1
    assert done.stdout == (
        "flow.py: flow.py changed; run `rivusio compile flow.py`\n"
        "new.py: it was not compiled; run `rivusio compile new.py`\n"
    )
    assert state(compiled) == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("flow.index.json", "flow.index.json is broken"),
        ("flow__chain.json", "flow__chain.json is broken"),
        ("flow__chain.py", "flow__chain.py was changed after it was written"),
    ],
)
def test_check_notices_a_broken_artifact(compiled: Path, name: str, reason: str) -> None:
    (compiled / name).write_text("{", encoding="utf-8")
    done = cli("compile", "--check", "flow.py")
    assert (done.exit_code, reason in done.stdout) == (1, True)


def test_a_chain_that_is_no_more_loses_its_artifact_and_nobody_else_does(compiled: Path) -> None:
    (compiled / "right__x__first.py").write_text("of right__x.py", encoding="utf-8")
    before = state(compiled)
    (compiled / "right.index.json").unlink()  # names go by the files, so nothing is left behind
    write("right.py", RIGHT.replace("second", "renamed"))
    assert cli("compile", "right.py").exit_code == 0
    after = state(compiled)
    gone = {"right__second.py", "right__second.json"}
    assert set(after) == set(before) - gone | {"right__renamed.py", "right__renamed.json"}
    for name in ("flow__chain.py", "flow__chain.json", "flow.index.json", "right__x__first.py"):
        assert after[name] == before[name]


def test_names_of_files_and_chains_do_not_mix() -> None:
    text = "from rivusio import map\n{} = map(int) >> map(float)\n"
    write("a.py", text.format("b__c"))
    write("a__b.py", text.format("c"))
    assert cli("compile", "a.py", "a__b.py").exit_code == 0
    names = sorted(path.name for path in Path("__rivusio__").glob("*.py"))
    assert names == ["a__b__c.py", "a__b_c.py"]
    assert cli("compile", "--check", "a.py", "a__b.py").exit_code == 0


def test_several_at_once_do_no_harm(compiled: Path) -> None:
    expected = {name: content for name, (_, content) in state(compiled).items()}
    shutil.rmtree(compiled)
    command = [sys.executable, "-m", "rivusio.cli", "compile", "right.py", "flow.py"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for each in running:
        _, said = each.communicate(timeout=60)
        assert (each.returncode, "error" in said) == (0, False)
    assert {name: content for name, (_, content) in state(compiled).items()} == expected


# What stands in the way


def test_where_nothing_can_be_written_it_says_so_in_a_line() -> None:
    write("__rivusio__", "a file, so that no folder can be made")
    done = cli("compile", write("flow.py", FLOW))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == 'error: cannot write to "__rivusio__": File exists\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (\n", "flow.py:1:5: error: '(' was never closed  [syntax]\n"),
        (WRONG, 'flow.py:2:27: error: stage 2 "upper" accepts "str" but stage 1 "split"'),
    ],
)
def test_a_file_with_an_error_keeps_its_artifacts(compiled: Path, text: str, said: str) -> None:
    before = state(compiled)
    done = cli("compile", write("flow.py", text))
    assert done.exit_code == 1
    assert done.stdout.startswith(said)
    assert state(compiled) == before


def test_all_mistakes_come_in_one_go_and_other_files_are_compiled() -> None:
    Path("folder").mkdir()
    write("wrong.py", FIVE)
    done = cli("compile", "missing.py", "wrong.py", "folder", write("flow.py", FLOW))
    assert done.exit_code == 1
    assert done.stdout.count("[rivusio-chain]") == 5
    assert "missing.py:1:1: error: cannot read it: No such file or directory" in done.stdout
    assert "folder:1:1: error: it is a folder" in done.stdout
    assert "flow__chain.py" in done.stderr
    names = {path.name for path in Path("__rivusio__").iterdir()}
    assert names == {"flow__chain.py", "flow__chain.json", "flow.index.json"}


UNSURE = """import os
from rivusio import map
chain = map(int)
for _ in os.environ.get("NONE_OF_THIS_NAME", "xx"):
    chain = chain >> map(int)
"""


def test_an_import_that_fails_is_told_in_a_line() -> None:
    done = cli("compile", write("fails.py", UNSURE + "raise OSError('no such luck')\n"))
    assert done.exit_code == 1
    assert "no such luck" in done.stdout
    assert "Traceback" not in done.output
    assert not Path("__rivusio__").exists()


def test_what_else_mypy_finds_is_a_warning() -> None:
    done = cli("compile", write("warned.py", FLOW + 'number: int = "text"\n'))
    assert done.exit_code == 0
    assert done.stdout.startswith("warned.py:6:15: warning: Incompatible types in assignment")
    assert Path("__rivusio__/warned__chain.py").exists()


def test_a_file_without_a_chain_is_told_even_if_mypy_warns() -> None:
    done = cli("compile", write("none.py", 'number: int = "text"\n'))
    assert done.exit_code == 0
    assert "none.py: no chain found\n" in done.stderr


def test_what_is_too_much_for_one_function_is_written_in_groups_of_stages() -> None:
    text = "from rivusio import SyncPipeline, flat_map, map\n"
    text += "def one(x: int) -> list[int]:\n    return [x]\n"
    text += "def less(x: int) -> int:\n    return x - 1\n"
    text += "deep = " + " >> ".join(["flat_map(one)"] * 25) + "\n"  # Python takes 20 loops in loops
    text += f"long = SyncPipeline[int, int]([{', '.join(['map(less)'] * 400)}])\n"
    text += """
import asyncio
import rivusio

async def given(chain):
    return [item async for item in chain.stream([1, 2])]

with rivusio.mode("compiled"):
    print(list(deep.iterate([1, 2])), asyncio.run(given(deep)))
    print(list(long.iterate([1, 2])), asyncio.run(given(long)), long(400))
"""
    done = cli("compile", write("groups.py", text))
    assert done.exit_code == 0, done.output
    ran = subprocess.run([sys.executable, "groups.py"], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.stdout == "[1, 2] [1, 2]\n[-399, -398] [-399, -398] 0\n"
    for path in Path("__rivusio__").glob("*.py"):
        functions = re.split(r"\n(?=def |async def )", path.read_text("utf-8"))
        assert max(each.count("\n") for each in functions) <= 250


def test_a_body_with_too_many_blocks_for_a_loop_is_called() -> None:
    text = "from rivusio import map\ndef deep(x: int) -> int:\n"
    text += "".join(f"{' ' * (depth + 1)}while x:\n" for depth in range(15))
    text += f"{' ' * 16}return x\n return 0\nchain = map(deep)\n"
    assert cli("compile", write("blocks.py", text)).exit_code == 0
    told = cli("explain", "blocks.py", "--output", "json").stdout
    assert "it is deep: 15 blocks in each other" in told


def test_an_expression_that_is_too_deep_is_told() -> None:
    text = "from rivusio import map\nchain = map(int)" + " >> int" * 20_000 + "\n"
    done = cli("compile", write("long.py", text))
    assert (done.exit_code, done.stdout.count("\n")) == (1, 1)
    assert "is nested too deep" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("compile",),
        ("explain",),
        ("compile", "--dump", "nothing", "a.py"),
        ("compile", "--output", "xml", "a.py"),
        ("explain", "--timeout", "0", "a.py"),
    ],
)
def test_wrong_usage_gives_exit_code_2(arguments: Sequence[str]) -> None:
    assert cli(*arguments).exit_code == 2


def test_ctrl_c_ends_it_quietly() -> None:
    write("mypy.ini", "[mypy]\nplugins = slow.py\n")
    write("slow.py", "import time\nopen('started', 'w').close()\ntime.sleep(60)\n")
    write("flow.py", FLOW)
    command = [sys.executable, "-m", "rivusio.cli", "compile", "flow.py"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        while not Path("started").exists():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert (process.returncode, out, said) == (130, "", "")
    assert not Path("__rivusio__").exists()


def test_a_reader_that_goes_away_is_no_error(compiled: Path) -> None:
    command = f"{sys.executable} -m rivusio.cli explain flow.py | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


# Text of the user's in generated code


@pytest.mark.parametrize(
    "name",
    [
        "\n__import__('os').system('touch broken_out')#",
        "'''\"\"\"\\",
        "{{ m }}{% raw %}{# {0} %s",
        '"); open("broken_out", "w"); ("',
    ],
)
def test_a_name_that_tries_to_break_out_is_only_text(
    name: str,
) -> None:
    text = FLOW.replace("= Double()", f"= Double({name!r})")
    text += f"print(list(chain.iterate([1])), chain.stages[0].name == {name!r})\n"
    done = cli("compile", write("names.py", text))
    assert (done.exit_code, done.stdout) == (0, "")
    ran = subprocess.run(
        [sys.executable, "names.py"],
        capture_output=True,
        text=True,
        env={**os.environ, "RIVUSIO_MODE": "compiled"},
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "[4] True\n", "")
    assert not Path("broken_out").exists()


# explain, and --strict


def test_explain_shows_a_table_and_writes_nothing() -> None:
    done = cli("explain", write("flow.py", FLOW))
    assert done.exit_code == 0
    for word in ("chain", "flow.py:5", "Double", "int", "inlined"):
        assert word in done.stdout
    assert [path.name for path in Path().iterdir()] == ["flow.py"]


def test_explain_as_json_gives_the_reasons(compiled: Path) -> None:
    done = cli("explain", "--output", "json", "right.py")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert [chain["name"] for chain in told["chains"]] == ["first", "second"]
    stages = told["chains"][0]["stages"]
    assert [stage["how"] for stage in stages] == ["called", "called"]
    assert [stage["why"] for stage in stages] == ["it is a class"] * 2


def test_functions_of_a_module_beside_the_file_stand_in_the_loop(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(FLOW, encoding="utf-8")
    flow = "from parts import Double\nchain = Double() >> Double()\n"
    (tmp_path / "beside.py").write_text(flow, encoding="utf-8")
    said = json.loads(cli("explain", "beside.py", "--output", "json").stdout)
    hows = [stage["how"] for chain in said["chains"] for stage in chain["stages"]]
    assert hows == ["inlined", "inlined"]


def test_explain_tells_what_is_wrong(compiled: Path) -> None:
    done = cli("explain", write("wrong.py", WRONG))
    assert done.exit_code == 1
    assert 'stage 2 "upper" accepts "str"' in done.stderr


def test_strict_lets_a_stage_that_stays_a_call_be_an_error(compiled: Path) -> None:
    before = state(compiled)
    done = cli("compile", "--strict", "right.py", "flow.py")  # up to date, but not strictly
    assert done.exit_code == 1
    said = 'right.py:2:9: error: stage 1 "int" is called: it is a class  [rivusio-compile]'
    assert said in done.stdout
    assert "flow.py" not in done.stdout
    assert state(compiled) == before


# A bug of ours


def test_a_module_that_does_not_pass_mypy_is_kept_for_a_report_and_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complaint = Complaint("flow__chain.py", 7, 0, "it is wrong", "misc", stops=False)
    monkeypatch.setattr(request, "strict", lambda *_: (complaint,))
    done = cli("compile", write("flow.py", FLOW))
    assert done.exit_code == 1
    assert 'the module of "chain" does not pass mypy, which is a bug of rivusio\'s' in done.stdout
    assert 'please report it with the module, kept in "flow__chain.failed.py"' in done.stdout
    assert "Take items through Double to Double" in Path("flow__chain.failed.py").read_text("utf-8")
    assert not Path("__rivusio__").exists()


# Which file is meant


def test_a_file_that_is_not_there_is_an_error_though_another_was_compiled() -> None:
    write("right.py", RIGHT)
    assert cli("compile", "right.py").exit_code == 0
    for name in ("right", "right.txt", "right.py:first"):
        done = cli("compile", name)
        assert done.exit_code == 1
        assert "up to date" not in done.output
        assert cli("compile", "--check", name).exit_code == 1


def test_a_file_may_have_a_name_that_no_module_has() -> None:
    assert cli("compile", write("a@b +.py", RIGHT)).exit_code == 0
    assert cli("compile", "--check", "a@b +.py").exit_code == 0


def test_a_script_and_a_module_of_one_name_keep_their_own_artifacts() -> None:
    write("same.py", RIGHT)
    write("same", "from rivusio import map\nonly = map(str)\n")
    assert cli("compile", "same.py", "same").exit_code == 0
    assert cli("compile", "--check", "same.py", "same").exit_code == 0
    names = {path.name for path in Path("__rivusio__").glob("*.py")}
    assert names == {"same__first.py", "same__second.py", "same+__only.py"}


PACKAGE = {
    "shop/__init__.py": "",
    "shop/stages.py": "from rivusio import map\ndef more(x: int) -> int:\n    return x + 1\n"
    "base = map(more)\n",
    "shop/flow.py": "from rivusio import batch\nfrom .stages import base\n"
    "flow = base >> batch(2)\n",
    "shop/named.py": "from rivusio import batch\nfrom shop.stages import base\n"
    "flow = base >> batch(2)\n",
}


@pytest.mark.parametrize("name", ["shop/flow.py", "shop/named.py"])
def test_a_module_of_a_package_is_imported_as_one(name: str) -> None:
    Path("shop").mkdir()
    for path, text in PACKAGE.items():
        write(path, text)
    assert cli("compile", name).exit_code == 0
    report = json.loads(cli("explain", name, "--output", "json").stdout)
    assert [each["how"] for each in report["chains"][0]["stages"]] == ["inlined", "passed on"]
    write("two.jsonl", "1\n2\n")
    for command in (["graph"], ["run", "--input", "two.jsonl"]):
        ran = subprocess.run(
            [sys.executable, "-m", "rivusio.cli", *command, name],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"RIVUSIO_MODE": "compiled"},
        )
        assert (ran.returncode, ran.stderr) == (0, "")


ODD_FILES = {
    # It looks itself up in its package.
    "shop/odd.py": "import shop.odd\nfrom rivusio import map\nLIMIT = 1\n"
    "def limited(x: int) -> int:\n    return min(x, shop.odd.LIMIT)\nflow = map(limited)\n",
    # What stands beside it in the package does not hide what Python has.
    "shop/sound.py": "import wave\nfrom rivusio import map\n"
    "def known(x: int) -> int:\n    return int(hasattr(wave, 'open'))\nflow = map(known)\n",
    # A dot in a name makes no package.
    "flow.v2.py": "from rivusio import map\ndef one(x: int) -> int:\n    return 1\n"
    "flow = map(one)\n",
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_files_with_odd_surroundings_run(name: str) -> None:
    Path("shop").mkdir()
    for path, text in (PACKAGE | ODD_FILES | {"shop/wave.py": "1 / 0\n"}).items():
        write(path, text)
    write("two.jsonl", "1\n2\n")
    ran = subprocess.run(
        [sys.executable, "-m", "rivusio.cli", "run", name, "--input", "two.jsonl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1\n1\n", "")


def test_a_package_that_fails_is_told_with_what_to_run() -> None:
    Path("shop").mkdir()
    write("shop/__init__.py", "1 / 0\n")
    write("shop/flow.py", PACKAGE["shop/stages.py"])
    done = cli("graph", "shop/flow.py")
    assert done.exit_code == 1
    assert "ZeroDivisionError: division by zero at shop/__init__.py:1" in done.stderr
    assert "mend it until `python -m shop.flow` runs" in done.stderr


# What stays a call is told as one

REFUSED_BY_MYPY = """from dataclasses import dataclass
from rivusio import SyncBasePipe
@dataclass
class Reading:
    value: float
class Scale(SyncBasePipe[Reading, float]):
    def process(self, data: Reading) -> float:
        match data:
            case Reading(value=found):
                return found * 2
chain = Scale() >> Scale.process.__get__(Scale())
"""


def test_a_body_that_mypy_does_not_take_is_told_and_is_a_call_to_strict() -> None:
    text = REFUSED_BY_MYPY.replace(" >> Scale.process.__get__(Scale())", "")
    done = cli("compile", "--strict", write("unproven.py", text))
    assert done.exit_code == 1
    assert 'stage 1 "Scale" is called: mypy does not take its body in the loop' in done.stdout
    report = json.loads(cli("explain", "unproven.py", "--output", "json").stdout)
    assert report["chains"][0]["stages"][0]["how"] == "called"
    assert [path.name for path in Path().iterdir() if "failed" in path.name] == []


def test_check_and_strict_together_refuse_calls_in_what_is_there() -> None:
    write("calls.py", "from rivusio import map\nchain = map(str)\n")
    assert cli("compile", "calls.py").exit_code == 0
    assert cli("compile", "--check", "calls.py").exit_code == 0
    done = cli("compile", "--check", "--strict", "calls.py")
    assert done.exit_code == 1
    assert 'calls.py: chain "chain", stage 1 "str" is called: it is a class' in done.stdout
