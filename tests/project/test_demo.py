"""The demo, as a stranger would start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT

DEMO = ROOT / "examples" / "flights.py"


def demo(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DEMO, *map(str, arguments)],
        check=False,
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
    )


def test_it_shows_the_airports_with_the_most_delay_from_any_folder(tmp_path: Path) -> None:
    done = demo(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.strip("│ ").split() for line in done.stdout.splitlines() if line[:1] == "│"]
    assert " ".join(row[0] for row in rows) == "ORD LAX DFW PHX LAS ATL SFO STL MIA IAH"
    assert rows[0] == ["ORD", "│", "158", "│", "3,765", "│", "23.8"]
    assert "6,000 lines at " in done.stdout
    assert "items/s" in done.stdout
    assert "3,004 early ones dropped, 0 lines set aside" in done.stdout


def test_bad_lines_are_set_aside_and_counted(tmp_path: Path) -> None:
    data = tmp_path / "some.jsonl"
    data.write_bytes(
        b'{"origin": "ORD", "destination": "SFO", "delay": 12}\n'
        b'no json\n[1]\n{"origin": "ORD"}\n\n\xff\xfe\n'
        b'{"origin": "[/b]", "destination": "SFO", "delay": 3}\n'
    )
    done = demo("--input", data, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 lines at " in done.stdout
    assert "0 early ones dropped, 5 lines set aside" in done.stdout
    assert "the first was 'no json': JSONDecodeError" in done.stdout
    assert "[/b]" in done.stdout


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    done = demo("--input", "empty.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 lines at 0 items/s" in done.stdout


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_cannot_be_read_gives_one_line(name: str, tmp_path: Path) -> None:
    done = demo("--input", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f'cannot read "{name}": ')
    assert done.stderr.endswith("; give another file: --input FILE\n")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves_sees_no_traceback(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, DEMO], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""


def test_both_modes_give_the_same_and_the_generated_module_is_named(tmp_path: Path) -> None:
    """In a copy: what is compiled stands beside the example."""
    examples = shutil.copytree(
        DEMO.parent, tmp_path / "examples", ignore=shutil.ignore_patterns("__*__")
    )
    compiled = subprocess.run(
        [sys.executable, "-m", "rivusio.cli", "compile", examples / "flights.py"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    assert (compiled.returncode, compiled.stdout) == (0, "")
    assert "3 stages in 1 loop, 3 inlined" in compiled.stderr
    compared = subprocess.run(
        [sys.executable, examples / "compare.py"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    assert (compared.returncode, compared.stderr) == (0, "")
    assert "compiled gives the same delays of 164 airports as interpreted" in compared.stdout
    assert "of the CPU time" in compared.stdout
    assert str(Path("examples", "__rivusio__", "flights__flights.py")) in compared.stdout


def test_without_an_artifact_the_comparison_says_what_to_do(tmp_path: Path) -> None:
    examples = shutil.copytree(
        DEMO.parent, tmp_path / "examples", ignore=shutil.ignore_patterns("__*__")
    )
    done = subprocess.run(
        [sys.executable, examples / "compare.py"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot run compiled: it was not compiled; run `rivusio compile " in done.stderr
    assert done.stderr.count("\n") == 1
