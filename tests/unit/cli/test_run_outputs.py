"""Output files: one takes another's place once it is whole, and nobody else's file is touched."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from rivusio.io.output_files import replace_when_whole
from tests.unit.cli.commandline import cli, write

FLOW = """
from rivusio import map

def shout(line: str) -> str:
    if line == "fail":
        raise ValueError(line)
    return line.upper()

def beside(line: str) -> str:
    "Run the other one in the middle of this one."
    from pathlib import Path

    from click.testing import CliRunner
    from rivusio.cli import main

    if line == "b":
        inner = CliRunner().invoke(
            main, ["run", "flow.py:chain", "--output", "out.txt", "--input", "other.txt"]
        )
        assert inner.exit_code == 0, inner.output
        assert Path("out.txt").read_text() == "X\\nY\\n"
    return line.upper()

chain = map(shout)
outer = map(beside)
"""


@pytest.fixture(autouse=True)
def flow(clean_imports: None) -> None:
    write("flow.py", FLOW)


def run(text: str, output: str = "out.txt", chain: str = "chain") -> Result:
    return cli("run", f"flow.py:{chain}", "--output", output, text=text)


def files() -> dict[str, str]:
    """Give every file beside the chains, and what is in it."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in Path().iterdir()
        if path.is_file() and path.name != "flow.py"
    }


# Two at once


def test_two_runs_to_one_output_never_meet_and_the_last_wins() -> None:
    write("other.txt", "x\ny\n")
    done = run("a\nb\nc\n", chain="outer")
    assert (done.exit_code, done.stderr) == (0, "")
    assert files() == {"other.txt": "x\ny\n", "out.txt": "A\nB\nC\n"}


def test_unfinished_outputs_have_names_of_their_own() -> None:
    out = Path("out.txt")
    with replace_when_whole(out) as last:
        last.file.write(b"of the ")
        with replace_when_whole(out) as first:
            assert first.unfinished != last.unfinished
            first.file.write(b"of the first\n")
        assert out.read_bytes() == b"of the first\n"
        last.file.write(b"last\n")
    assert out.read_bytes() == b"of the last\n"
    assert list(files()) == ["out.txt"]


def test_one_that_fails_does_not_touch_the_other() -> None:
    out = Path("out.txt")
    with replace_when_whole(out) as whole:
        whole.file.write(b"1\n")
        with pytest.raises(ValueError, match="cannot"), replace_when_whole(out) as failing:
            failing.file.write(b"x\n")
            raise ValueError("cannot")
        assert failing.unfinished is not None
        assert failing.unfinished.read_bytes() == b"x\n"
        failing.unfinished.unlink()
        whole.file.write(b"2\n")
    assert files() == {"out.txt": "1\n2\n"}


def test_a_name_that_somebody_has_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    names: Iterator[str] = iter(["taken", "free"])
    monkeypatch.setattr("secrets.token_hex", lambda _size: next(names))
    write("out.txt.taken.partial", "mine\n")
    with replace_when_whole(Path("out.txt")) as output:
        output.file.write(b"1\n")
        assert output.unfinished is not None
        assert output.unfinished.name == "out.txt.free.partial"
    assert files() == {"out.txt": "1\n", "out.txt.taken.partial": "mine\n"}


# What is somebody's own


@pytest.mark.parametrize("text", ["a\n", "a\nfail\n", "fail\n", ""])
def test_the_users_own_files_stay(text: str) -> None:
    own = {
        "out.txt.partial": "mine\n",
        "out.txt.0123abcd.partial": "mine too\n",
        "out.txt.x.partial": "",
        ".partial": "",
    }
    for name, held in own.items():
        write(name, held)
    run(text)
    assert own.items() <= files().items()


# How it ends


def test_a_failing_run_names_the_unfinished_file() -> None:
    write("out.txt", "old\n")
    done = run("a\nfail\n")
    assert done.exit_code == 1
    [unfinished] = Path().glob("out.txt.*.partial")
    assert done.stderr.endswith(
        f'    "out.txt" is as it was; the results so far are in "{unfinished}"\n'
    )
    assert files() == {"out.txt": "old\n", unfinished.name: "A\n"}


def test_two_failing_runs_leave_both_their_results() -> None:
    run("a\nfail\n")
    run("b\nfail\n")
    assert sorted(files().values()) == ["A\n", "B\n"]


@pytest.mark.parametrize("old", ["old\n", None])
def test_nothing_is_left_behind_where_nothing_was_written(old: str | None) -> None:
    if old is not None:
        write("out.txt", old)
    done = run("fail\n")
    assert done.exit_code == 1
    assert "results so far" not in done.stderr
    assert files() == ({} if old is None else {"out.txt": old})


def test_an_empty_input_gives_an_empty_output() -> None:
    write("out.txt", "old\n")
    assert run("").exit_code == 0
    assert files() == {"out.txt": ""}


# What it takes the place of


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_the_mode_of_the_output_is_kept() -> None:
    out = Path(write("out.txt", "old\n"))
    out.chmod(0o640)
    run("a\n")
    assert out.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_a_new_output_has_the_mode_of_any_new_file() -> None:
    run("a\n")
    assert Path("out.txt").stat().st_mode == Path(write("any.txt", "")).stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_one(*, is_there: bool) -> None:
    Path("folder").mkdir()
    real = Path("folder/real.txt")
    if is_there:
        real.write_text("old\n", encoding="utf-8")
    Path("out.txt").symlink_to(real)
    assert run("a\n").exit_code == 0
    assert Path("out.txt").readlink() == real
    assert real.read_text(encoding="utf-8") == "A\n"
    assert [path.name for path in real.parent.iterdir()] == ["real.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_links_that_lead_to_one_another_are_said() -> None:
    Path("out.txt").symlink_to("other.txt")
    Path("other.txt").symlink_to("out.txt")
    done = run("a\n")
    assert done.exit_code == 1
    assert done.stderr.startswith('error: cannot write "out.txt": ')
    assert done.stderr.endswith("; give another file with --output\n")


@pytest.mark.skipif(not Path(os.devnull).is_char_device(), reason="there is no such device")
def test_a_device_is_written_to_directly() -> None:
    done = run("a\n", output=os.devnull)
    assert (done.exit_code, done.stderr) == (0, "")
    assert Path(os.devnull).is_char_device()


def test_a_name_may_be_as_long_as_names_can_be() -> None:
    name = "é" * 125 + ".txt"  # 254 bytes
    assert run("a\n", output=name).exit_code == 0
    assert files() == {name: "A\n"}


def test_the_output_may_be_the_input() -> None:
    write("data.txt", "a\nb\n")
    done = cli("run", "flow.py:chain", "--input", "data.txt", "--output", "data.txt")
    assert (done.exit_code, done.stderr) == (0, "")
    assert files() == {"data.txt": "A\nB\n"}
