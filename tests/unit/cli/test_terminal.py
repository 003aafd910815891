"""What the commands write on terminals that cannot show everything, and of names that look odd."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rivusio.cli import main

FLOW = """from rivusio import StreamConfig, SyncBasePipe, map, pipe

class Größe(SyncBasePipe[str, str]):
    def process(self, data: str) -> str:
        return data.upper()

class Same(SyncBasePipe[str, str]):
    def process(self, data: str) -> str:
        return data

class Stop(BaseException):
    pass

class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

def make(text: str) -> Silent:
    return Silent()

def colour(text: str) -> str:
    raise ValueError("\\x1b[31mred")

def fail(item: Silent) -> str:
    raise ValueError("x")

def stop(text: str) -> str:
    raise Stop("enough")

def note(text: str) -> str:
    error = ValueError("bad")
    error.add_note("a note")
    raise error

def odd(text: str) -> str:
    error = ValueError("bad")
    error.__notes__ = Silent()
    raise error

names = Same(name="orders:key:v1") >> Same(name="[bold]x[/bold]") >> Same(name="\\x1b[2J\\ud83d")
letters = Same().with_config(StreamConfig(on_error=Größe(name=":key:"))) >> Same()
sizes = map(str.strip) >> Größe()
failing = map(make) >> fail
colours = map(str.strip) >> pipe(colour, name="\\x1b[2J")
stops = map(str.strip) >> stop
notes = map(str.strip) >> note
odds = map(str.strip) >> odd
"""
SIZES = r"|     2 | Gr\xf6\xdfe | one item to one | sync   |          |"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh folder with the file in it, to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIVUSIO_MODE", "interpreted")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    monkeypatch.delitem(sys.modules, "flow", raising=False)
    (tmp_path / "flow.py").write_text(FLOW, encoding="utf-8")


def rivusio(*arguments: str, charset: str = "utf-8", given: str = "a\n") -> Result:
    return CliRunner(charset=charset).invoke(main, list(arguments), input=given)


def test_a_table_on_a_terminal_of_ascii() -> None:
    done = rivusio("graph", "flow.py:sizes", charset="ascii")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert SIZES in lines
    assert len({len(line) for line in lines[1:]}) == 1


@pytest.mark.parametrize(("charset", "name"), [("latin-1", "Größe"), ("koi8-r", r"Gr\xf6\xdfe")])
def test_a_terminal_shows_the_letters_that_it_has(charset: str, name: str) -> None:
    done = rivusio("graph", "flow.py:sizes", charset=charset)
    assert f"|     2 | {name} | one item to one" in done.stdout


def test_the_counts_on_a_terminal_of_ascii() -> None:
    done = rivusio("run", "flow.py:sizes", "--stats", charset="ascii")
    assert (done.exit_code, done.stdout) == (0, "A\n")
    assert r"|     2 | Gr\xf6\xdfe |        1 |         1 |" in done.stderr


def test_what_is_made_of_the_stages_on_a_terminal_of_ascii() -> None:
    (Path.cwd() / "small.py").write_text(
        "from rivusio import SyncBasePipe, map\n"
        "class Größe(SyncBasePipe[str, str]):\n"
        "    def process(self, data: str) -> str:\n"
        "        return data.upper()\n"
        "größen = map(str.strip) >> Größe()\n",
        encoding="utf-8",
    )
    done = rivusio("explain", "small.py", charset="ascii")
    assert (done.exit_code, done.stderr) == (0, "")
    assert r"gr\xf6\xdfen  small.py:5" in done.stdout
    assert r"|     2 |    1 | Gr\xf6\xdfe |" in done.stdout
    dumped = rivusio("compile", "small.py", "--dump", "plan", charset="ascii")
    assert (dumped.exit_code, r"Gr\xf6\xdfe" in dumped.stdout) == (0, True)
    said = rivusio("compile", "größe.py", charset="ascii")
    assert (said.exit_code, r"gr\xf6\xdfe.py" in said.output) == (1, True)


def test_names_are_shown_as_they_are() -> None:
    done = rivusio("graph", "flow.py:names")
    assert done.exit_code == 0
    for name in ("orders:key:v1", "[bold]x[/bold]", r"\x1b[2J\ud83d"):
        assert f"│ {name} " in done.stdout


def test_names_are_shown_as_they_are_beside_counts_and_settings() -> None:
    done = rivusio("run", "flow.py:names", "--stats")
    assert "│ orders:key:v1 " in done.stderr
    assert "│ dead letters to :key: " in rivusio("graph", "flow.py:letters").stdout


def test_an_item_need_not_have_a_repr_to_be_told_of() -> None:
    done = rivusio("run", "flow.py:failing")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        'flow.py:25: error: stage 2 "fail" failed at item 0: ValueError: x',
        '    raise ValueError("x")',
        "    its input was <Silent object whose repr raised RuntimeError>",
    ]


def test_an_error_that_would_move_the_cursor_is_told_with_escapes() -> None:
    done = rivusio("run", "flow.py:colours")
    assert r'stage 2 "\x1b[2J" failed at item 0: ValueError: \x1b[31mred' in done.stderr


@pytest.mark.parametrize(
    ("chain", "note"),
    [("notes", "a note"), ("odds", "<Silent object whose repr raised RuntimeError>")],
)
def test_an_error_is_told_besides_its_notes(chain: str, note: str) -> None:
    lines = rivusio("run", f"flow.py:{chain}").stderr.splitlines()
    assert lines[0].endswith("failed at item 0: ValueError: bad")
    assert lines[-2:] == ["    its input was 'a'", f"    {note}"]


def test_what_is_no_exception_is_told_in_a_line() -> None:
    done = rivusio("run", "flow.py:stops")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "flow.py:28: error: flow.Stop: enough\n"


def test_a_file_that_is_left_by_what_is_no_exception_cannot_be_imported() -> None:
    Path("left.py").write_text("import asyncio\nraise asyncio.CancelledError\n", encoding="utf-8")
    done = rivusio("graph", "left.py")
    assert done.exit_code == 1
    assert done.stderr.startswith('error: cannot import "left.py": asyncio.exceptions.Cancelled')


def test_a_file_that_leaves_with_what_has_no_repr_cannot_be_imported() -> None:
    text = "import sys\nclass Silent:\n    def __repr__(self):\n        1 / 0\nsys.exit(Silent())\n"
    Path("left.py").write_text(text, encoding="utf-8")
    done = rivusio("graph", "left.py")
    said = "it called sys.exit(<Silent object whose repr raised ZeroDivisionError>)"
    assert (done.exit_code, said in done.stderr) == (1, True)
