"""What stands at a path that is no readable Python file, and paths that are odd themselves."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from rivusio.cli import main
from tests.robustness.support import CHAIN, COMMANDS, artifacts_of, is_well, told, written


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path)


def long_loop(path: Path) -> None:
    path.symlink_to("b.py")
    path.with_name("b.py").symlink_to(path)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def unreadable(path: Path) -> None:
    path.write_text(CHAIN, encoding="utf-8")
    path.chmod(0)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "cannot read it: No such file or directory"),
    "folder": (Path.mkdir, "it is a folder; give the path of a Python file"),
    "fifo": (fifo, "it is a pipe or a device, which may never end; save it as a file"),
    "device": (device, "it is a pipe or a device, which may never end; save it as a file"),
    "loop": (loop, "cannot read it: Too many levels of symbolic links"),
    "long loop": (long_loop, "cannot read it: Too many levels of symbolic links"),
    "dangling": (dangling, "cannot read it: No such file or directory"),
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", NO_FILES)
def test_no_file(here: Path, command: tuple[str, ...], name: str) -> None:
    make, message = NO_FILES[name]
    make(here / "a.py")
    done = is_well(told(*command, "a.py"))
    assert done.code == 1
    assert f"a.py:1:1: error: {message}  [file]" in done.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(here: Path) -> None:
    unreadable(here / "a.py")
    done = is_well(told("check", "a.py"))
    assert (done.code, "Permission denied" in done.text) == (1, True)


@pytest.mark.parametrize("what", ["file", "loop"])
def test_no_folder_for_artifacts(here: Path, what: str) -> None:
    """Something else stands in its place; not even root can write into that."""
    [path] = written(here, {"flow.py": CHAIN.encode()})
    place = here / "__rivusio__"
    place.touch() if what == "file" else loop(place)
    done = is_well(told("compile", "flow.py"), path)
    assert done.code == 1
    assert done.stderr.startswith('error: cannot write to "__rivusio__": ')


def test_odd_names(here: Path) -> None:
    names = ["with space", "quo'te\"", "new\nline", "dots.in.name", "café", "a__b", "%s{0}{{m}}",
             "1", "class", "-", "é\u0301", "__init__", "UPPER", "tab\t"]  # fmt: skip
    (here / "in a\nfolder").mkdir()
    files = {f"in a\nfolder/{name}.py": CHAIN.encode() for name in names}
    paths = written(here, files)
    done = is_well(told("compile", *files), *paths)
    assert done.code == 0
    for path in paths:
        assert len([each for each in artifacts_of(path) if each.suffix == ".py"]) == 1, path.name
        assert is_well(told("compile", "--check", str(path))).code == 0


def test_a_link_is_compiled_where_it_lies(here: Path) -> None:
    (here / "there").mkdir()
    [path] = written(here / "there", {"flow.py": CHAIN.encode()})
    link = here / "link.py"
    link.symlink_to(path)
    done = is_well(told("compile", "link.py"), link)
    assert (done.code, len(artifacts_of(link)), artifacts_of(path)) == (0, 2, [])


@pytest.mark.parametrize("command", ["check", "compile", "explain"])
@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["--timeout", "0", "x.py"]])
def test_wrong_usage(command: str, arguments: list[str]) -> None:
    assert main.commands[command] is not None
    assert told(command, *arguments).code == 2


def test_written_files_may_be_read_by_all(here: Path) -> None:
    [path] = written(here, {"flow.py": CHAIN.encode()})
    assert told("compile", "flow.py").code == 0
    for each in artifacts_of(path):
        assert stat.S_IMODE(each.stat().st_mode) == 0o644
