"""What stands beside a file is what `compile`, `compile --check` and a run say that it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rivusio.artifacts.manifest import Manifest, hash_of
from rivusio.compiler import driver, planning
from rivusio.compiler.artifacts import write as artifact_files
from rivusio.compiler.artifacts.index import read_index
from tests.compiler.commands.support import FLOW, MAIN, cli, own_folder, runs, write, written
from tests.places import ROOT

__all__ = ["own_folder"]

HELPED = "import helper\n" + FLOW + MAIN
FLOW_OF_4 = FLOW.replace("* 2", "* 4")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which two files are compiled; tests work on copies."""
    folder = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        write("helper.py", "")
        assert cli("compile", write("flow.py", HELPED), write("other.py", FLOW)).exit_code == 0
    return folder


@pytest.fixture
def compiled(once: Path, tmp_path: Path) -> dict[str, bytes]:
    """The files and artifacts of `once`, in this test's folder."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    return written()


def is_right(*files: str) -> bool:
    """Tell whether all files are said to be up to date, by both commands."""
    checked = cli("compile", "--check", *files).exit_code == 0
    assert {driver._is_fresh(each, driver.Options()) for each in files} == {checked}
    return checked


# A compile that could not finish leaves all as it is, and fails


def a_syntax_error_in_an_import() -> None:
    write("helper.py", "def\n")


def a_plugin_that_is_not_there() -> None:
    write("mypy.ini", "[mypy]\nplugins = no_such_plugin\n")


def an_import_that_is_no_text() -> None:
    Path("helper.py").write_bytes(b"x = '\xff'\n")


def a_file_that_hides_a_library() -> None:
    write("types.py", "")
    write("helper.py", "import types\n")


def a_file_that_hides_rivusio() -> None:
    write("rivusio.py", "def map(*_): ...\nclass SyncBasePipe: ...\n")


def a_python_without_rivusio() -> None:
    write("mypy.ini", "[mypy]\nno_site_packages = True\nignore_missing_imports = True\n")


def a_mypy_that_crashes() -> None:
    write("mypy.ini", "[mypy]\nplugins = dies.py\n")
    write("dies.py", "import os\nos._exit(3)\n")


TROUBLES = [
    a_syntax_error_in_an_import,
    a_plugin_that_is_not_there,
    an_import_that_is_no_text,
    a_file_that_hides_a_library,
    a_file_that_hides_rivusio,
    a_python_without_rivusio,
    a_mypy_that_crashes,
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_could_not_be_compiled_keeps_its_modules(
    compiled: dict[str, bytes], trouble: Callable[[], None]
) -> None:
    trouble()
    write("flow.py", HELPED + "# changed\n")
    done = cli("compile", "flow.py")
    assert done.exit_code == 1
    assert "error: mypy" in done.output
    assert "no chain found" not in done.output
    assert written() == compiled
    again = cli("compile", "--check", "flow.py")
    assert (again.exit_code, "changed; run `rivusio compile flow.py`" in again.stdout) == (1, True)
    assert cli("compile", "flow.py").exit_code == 1


def test_mypy_may_be_told_to_follow_no_import() -> None:
    write("mypy.ini", "[mypy]\nfollow_imports = skip\n")
    assert cli("compile", write("flow.py", FLOW + MAIN)).exit_code == 0
    assert runs("flow.py") == "[4, 8]\n"


def test_a_timeout_leaves_all_as_it_is(compiled: dict[str, bytes]) -> None:
    write("other.py", FLOW_OF_4)
    done = cli("compile", "flow.py", "other.py", "--timeout", "0.001")
    assert (done.exit_code, "mypy has not answered within" in done.stderr) == (1, True)
    assert written() == compiled


@pytest.mark.parametrize("after", range(4))
def test_a_write_that_fails_leaves_what_a_run_would_use_or_refuse(
    compiled: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """As where the disk is full: what is there is whole, and nothing lies about."""
    beside = artifact_files._beside
    turns = iter(range(9))

    def failing(*given: object) -> Path | None:
        if next(turns) >= after:
            raise OSError(28, "No space left on device")
        return beside(*given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(artifact_files, "_beside", failing)
    write("other.py", FLOW_OF_4)
    done = cli("compile", "other.py")
    if after < 3:
        assert 'error: cannot write to "__rivusio__": No space left on device' in done.stderr
        assert written() == compiled
        assert not is_right("other.py")


@pytest.mark.parametrize("after", range(3))
def test_a_compile_that_is_killed_while_it_writes_is_noticed(
    compiled: dict[str, bytes], after: int
) -> None:
    write("other.py", FLOW_OF_4 + MAIN)
    program = f"""
import os
from pathlib import Path
from rivusio.compiler import driver
replace, turns = Path.replace, iter(range(9))
def killed(self, target):
    if next(turns) == {after}:
        os.kill(os.getpid(), 9)
    return replace(self, target)
Path.replace = killed
driver.compile_files(["other.py"], driver.Options())
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -9
    assert len(written()) > len(compiled) - after  # it had no time to clean up
    assert not is_right("other.py")
    warned = subprocess.run(
        [sys.executable, "other.py"], capture_output=True, text=True, check=False
    )
    assert warned.stdout == "[16, 32]\n"
    assert cli("compile", "other.py").exit_code == 0
    assert is_right("other.py")
    assert set(written()) == set(compiled)


# One record for each file, whichever stand on the command line

JOBS = ["jobs/a/main.py", "jobs/b/main.py"]


@pytest.mark.parametrize("given", [JOBS, [f"./{JOBS[0]}", JOBS[1], JOBS[0]], JOBS[::-1]])
def test_two_files_of_one_name_are_both_compiled(given: list[str]) -> None:
    for number, name in enumerate(JOBS, 1):
        text = FLOW.replace("* 2", "* helper.FACTOR").replace("class", "import helper\nclass", 1)
        write(name, text + MAIN)
        write(f"{Path(name).parent}/helper.py", f"FACTOR = {number}\nclass Of{number}: ...\n")
        write(name, text + f"helper.Of{number}()\n" + MAIN)  # each has its own helper
    done = cli("compile", *given)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.count(" -> ") == 2
    assert [runs(name) for name in JOBS] == ["[1, 2]\n", "[4, 8]\n"]
    assert is_right(*JOBS)


def test_two_modules_of_one_name_in_two_packages_are_both_compiled() -> None:
    names = [f"shop/{part}/flow.py" for part in ("one", "two")]
    write("shop/__init__.py", "")
    for name, text in zip(names, (FLOW, FLOW_OF_4), strict=True):
        write(f"{Path(name).parent}/__init__.py", "")
        write(name, text)
    assert cli("compile", *names).exit_code == 0
    for name, factor in zip(names, ("* 2", "* 4"), strict=True):
        module = Path(name).parent / "__rivusio__" / "flow__chain.py"
        assert factor in module.read_text("utf-8")


def test_one_file_by_two_names_is_compiled_once_and_a_link_for_itself() -> None:
    write("real.py", FLOW + MAIN)
    Path("link.py").symlink_to("real.py")
    Path("folder").symlink_to(".")
    done = cli("compile", "real.py", "./real.py", "folder/real.py", str(Path("real.py").resolve()))
    assert (done.exit_code, done.stderr.count(" -> ")) == (0, 1)
    done = cli("compile", "link.py", "real.py")
    assert (done.exit_code, "real.py: up to date" in done.stderr) == (0, True)
    assert runs("link.py") == runs("real.py") == "[4, 8]\n"
    assert is_right("link.py", "real.py")


# Up to date is what a run would use


def lost(name: str) -> Callable[[], object]:
    return lambda: Path("__rivusio__", name).unlink()


def edited(name: str) -> Callable[[], object]:
    return lambda: Path("__rivusio__", name).write_bytes(Path("__rivusio__", name).read_bytes()[1:])


def with_manifest(**changes: object) -> Callable[[], object]:
    """Write the manifest anew, as if another rivusio had, and sealed."""

    def change() -> None:
        place = Path("__rivusio__/flow__chain.json")
        manifest = Manifest.model_validate_json(place.read_bytes())
        place.write_text(manifest.model_copy(update=changes).sealed().text(), encoding="utf-8")

    return change


def with_index(**changes: object) -> Callable[[], object]:
    def change() -> None:
        place = Path("__rivusio__/flow.index.json")
        record = json.loads(place.read_bytes()) | changes
        place.write_text(json.dumps(record), encoding="utf-8")

    return change


def of_another_file() -> None:
    for suffix in (".py", ".json"):
        place = Path("__rivusio__", "flow__chain")
        shutil.copy(place.with_name(f"other__chain{suffix}"), place.with_suffix(suffix))


SPOILT = {
    "no module": (lost("flow__chain.py"), "flow__chain.py cannot be read: No such file"),
    "no manifest": (lost("flow__chain.json"), "flow__chain.json cannot be read: No such file"),
    "no index": (lost("flow.index.json"), "it was not compiled"),
    "an edited module": (edited("flow__chain.py"), "flow__chain.py was changed after it was"),
    "an edited manifest": (edited("flow__chain.json"), "flow__chain.json is broken"),
    "an edited index": (edited("flow.index.json"), "flow.index.json is broken"),
    "a module of another version": (with_manifest(rivusio="0.0.1"), "compiled by rivusio 0.0.1"),
    "a module for another Python": (with_manifest(python="2.7"), "compiled for Python 2.7"),
    "a module of another text": (with_manifest(sources={"flow.py": "0"}), "flow.py changed"),
    "a manifest of another format": (with_manifest(format=99), "written by another version"),
    "an index of another version": (with_index(rivusio="0.0.1"), "compiled by rivusio 0.0.1"),
    "an index for another Python": (with_index(python="2.7"), "compiled for Python 2.7"),
    "an index of another format": (with_index(format=1), "written by another version"),
    "an index of another file": (with_index(sources={"x.py": "0"}), "it was not compiled"),
    "a module of another file": (of_another_file, "flow__chain.json is of another file"),
    "another text": (lambda: write("flow.py", FLOW), "flow.py changed"),
    "another import": (lambda: write("helper.py", "x = 1\n"), "helper.py changed"),
    "no import": (lambda: Path("helper.py").unlink(), "helper.py is gone"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_a_run_would_not_use_is_not_up_to_date(compiled: dict[str, bytes], what: str) -> None:
    spoil, said = SPOILT[what]
    spoil()
    done = cli("compile", "--check", "flow.py")
    assert (done.exit_code, said in done.stdout) == (1, True)
    assert not is_right("flow.py")
    if what != "no import":
        assert "up to date" not in cli("compile", "flow.py").output
        assert is_right("flow.py")
        assert runs("flow.py") == "[4, 8]\n" or what == "another text"


def test_what_an_import_of_an_import_says_counts() -> None:
    write("deep.py", "SIZE = 1\n")
    write("helper.py", "from deep import SIZE\n")
    assert cli("compile", write("flow.py", HELPED)).exit_code == 0
    write("deep.py", "SIZE = 2\n")
    assert "deep.py changed" in cli("compile", "--check", "flow.py").stdout


def test_a_file_that_moved_was_not_compiled(compiled: dict[str, bytes]) -> None:
    Path("flow.py").rename("moved.py")
    assert not is_right("moved.py")
    shutil.copytree("__rivusio__", "there/__rivusio__")
    shutil.copy("moved.py", "there/flow.py")  # with all that belongs to it, it may be anywhere
    shutil.copy("helper.py", "there/helper.py")
    assert is_right("there/flow.py")


@pytest.mark.parametrize("changes", ["flow.py", "helper.py"])
def test_a_file_that_changes_while_it_is_compiled_is_not_taken_for_what_it_was(
    compiled: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, changes: str
) -> None:
    write("flow.py", HELPED + "# one\n")
    plan = planning.plan

    def slow(seen: object, **given: object) -> planning.Planned:
        planned = plan(seen, **given)  # type: ignore[arg-type]  # as they came
        write(changes, Path(changes).read_text("utf-8") + "# two\n")
        return planned

    monkeypatch.setattr(driver, "plan", slow)
    done = cli("compile", "flow.py")
    assert done.exit_code == 1
    assert f'error: "{changes}" changed while it was compiled; compile it again\n' == done.output
    assert written() == compiled


def test_a_file_that_changes_before_its_hash_is_taken_is_not_taken_for_what_it_was(
    compiled: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("flow.py", HELPED + "# one\n")
    plan = planning.plan

    def late(seen: object, **given: object) -> planning.Planned:
        write("flow.py", HELPED + "# two\n")
        return plan(seen, **given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(driver, "plan", late)
    done = cli("compile", "flow.py")
    assert (done.exit_code, "changed while it was compiled" in done.output) == (1, True)
    assert written() == compiled


# Chains without a module

REFUSED = FLOW + "from rivusio import map\nx = map(str.split) >> map(str.upper)  # type: ignore\n"
HIDDEN = 'chain "x" is not compiled: a "type: ignore" hides that it does not fit'


def test_a_chain_that_is_refused_is_named_by_every_command_and_fails_none() -> None:
    assert cli("compile", write("flow.py", REFUSED)).exit_code == 0
    index = read_index(Path("flow.py"))
    assert index.artifacts == ("flow__chain",)
    assert [(each.chain, each.line, each.failed) for each in index.unmade] == [("x", 7, False)]
    done = cli("compile", "flow.py")
    assert done.exit_code == 0
    assert done.stdout == f"flow.py:7:5: warning: {HIDDEN}  [rivusio-compile]\n"
    assert done.stderr == "flow.py: up to date\n"
    done = cli("compile", "--check", "flow.py")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"flow.py: {HIDDEN}; it runs interpreted\n"
    told = json.loads(cli("compile", "--check", "--output", "json", "flow.py").stdout)
    assert [(each["severity"], each["message"]) for each in told["diagnostics"]] == [
        ("warning", HIDDEN)
    ]
    assert told["fresh"] == ["flow.py"]


def test_a_file_of_which_every_chain_is_refused_is_not_one_without_chains() -> None:
    write("flow.py", REFUSED.removeprefix(FLOW))
    for command in ("explain", "compile"):
        done = cli(command, "flow.py")
        assert (done.exit_code, "is not compiled" in done.output) == (0, True)
        assert "no chain found" not in done.output


UNSURE = """from functools import reduce
from operator import rshift
from rivusio import map
x = reduce(rshift, [map(int), map(int)])
"""
TOLD = 'flow.py: chain "x" is not compiled: only running the file tells what it is; it runs'


def test_what_needs_an_import_is_compiled_once_it_may_be_imported() -> None:
    done = cli("compile", "--no-import", write("flow.py", FLOW + UNSURE))
    assert done.exit_code == 0
    assert cli("compile", "--check", "flow.py").stderr.startswith(TOLD)
    assert "up to date" in cli("compile", "--no-import", "flow.py").stderr
    done = cli("compile", "flow.py")
    assert (done.exit_code, "x -> " in done.stderr) == (0, True)
    for flags in ([], ["--no-import"], ["--check"]):
        done = cli("compile", *flags, "flow.py")
        assert (done.exit_code, done.stdout) == (0, "")


def test_while_a_chain_is_to_be_mended_its_old_module_stays(compiled: dict[str, bytes]) -> None:
    write("other.py", FLOW.replace("chain", "old"))
    assert cli("compile", "other.py").exit_code == 0
    wrong = "from rivusio import map\nold = map(str.split) >> map(str.upper)\n"
    assert cli("compile", write("other.py", FLOW + wrong)).exit_code == 1
    assert {"other__old.py", "other__chain.py"} <= set(written())
    assert not is_right("other.py")
    assert cli("compile", write("other.py", FLOW)).exit_code == 0
    assert {name for name in written() if name.startswith("other__")} == {
        "other__chain.py",
        "other__chain.json",
    }


@pytest.mark.parametrize("text", ["", "number = 1\n"])
def test_a_file_without_chains_any_more_loses_its_artifacts_only(
    compiled: dict[str, bytes], text: str
) -> None:
    done = cli("compile", write("flow.py", text))
    assert (done.exit_code, done.stderr) == (0, "flow.py: no chain found\n")
    assert set(compiled) - set(written()) == {"flow__chain.py", "flow__chain.json"}
    assert is_right("flow.py", "other.py")


def test_a_folder_that_cannot_be_written_to_stops_no_other_file(
    compiled: dict[str, bytes],
) -> None:
    write("closed/__rivusio__", "a file, so that no folder can be made")
    write("other.py", FLOW_OF_4 + MAIN)
    done = cli("compile", write("closed/flow.py", FLOW), "other.py")
    assert done.exit_code == 1
    assert 'closed/flow.py:1:1: error: cannot write to "closed/__rivusio__"' in done.stdout
    assert runs("other.py") == "[16, 32]\n"


# Several at once


def test_several_compiles_at_once_in_one_folder_do_not_meet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MYPY_CACHE_DIR")
    names = [write(f"flow_{number}.py", FLOW + MAIN) for number in range(4)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "rivusio.cli", "compile", name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in (*names, names[0])
    ]
    for each in running:
        out, said = each.communicate(timeout=120)
        assert (each.returncode, out, " -> " in said) == (0, "", True)
    assert is_right(*names)
    assert [runs(name) for name in names] == ["[4, 8]\n"] * 4
    assert not [name for name in written() if name.startswith(".")]


def test_nobody_else_writes_meanwhile(
    compiled: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or one's module could stand beside another's manifest."""
    fcntl = pytest.importorskip("fcntl")
    replace_all = artifact_files._replace_all

    def watched(folder: Path, texts: dict[str, str]) -> None:
        other = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
        replace_all(folder, texts)

    monkeypatch.setattr(artifact_files, "_replace_all", watched)
    assert cli("compile", write("other.py", FLOW_OF_4)).exit_code == 0


def test_no_module_is_named_by_the_place_it_was_compiled_at(compiled: dict[str, bytes]) -> None:
    for name, content in compiled.items():
        assert re.search(rb"/tmp|\.\./", content) is None, name
    assert hash_of(b"") in compiled["flow.index.json"].decode()
