"""Runs the command, and says what is wrong with how it has answered."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from rivusio.artifacts.manifest import FOLDER, stem_of
from rivusio.cli import main

CHAIN = "from rivusio import map\nchain = map(int) >> map(float)\n"
# How each command is asked; what is broken may not be imported for its own sake.
COMMANDS = (("check",), ("compile",), ("explain",))
OURS = ("Traceback (most recent", "rivusio itself failed", "a bug of rivusio")
SAYS = re.compile(r"^(.*:\d+:\d+: )?error: .+", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Told:
    """What a command has said: its exit code, and all that it has written."""

    code: int
    stdout: str
    stderr: str
    error: BaseException | None

    @property
    def text(self) -> str:
        """Both streams."""
        return self.stdout + self.stderr

    def of(self, path: str) -> list[str]:
        """Give the errors of one file."""
        lines = self.stdout.split("\n")
        return [line for line in lines if line.startswith(f"{path}:") and ": error: " in line]


def told(*arguments: str) -> Told:
    """Run a command in this process; mypy and the user's files have processes of their own."""
    done = CliRunner().invoke(main, arguments)
    error = done.exception if not isinstance(done.exception, SystemExit) else None
    return Told(done.exit_code, done.stdout, done.stderr, error)


def faults(done: Told, files: list[Path]) -> Iterator[str]:
    """Say what is wrong with an answer, if anything, and with what it has left behind."""
    if done.error is not None:
        yield f"it let {done.error!r} out"
    for words in OURS:
        if words in done.text:
            yield f'it said "{words}"'
    if done.code not in (0, 1):
        yield f"its exit code was {done.code}"
    if done.code == 1 and not SAYS.search(done.text):
        yield "it failed without a word"
    if done.code == 0 and re.search(r"^[^\n]*:\d+:\d+: error: ", done.stdout, re.MULTILINE):
        yield "it told an error, and gave 0"
    for file in files:
        if done.of(os.path.relpath(file)) and (left := artifacts_of(file)):
            yield f"it wrote {left[0].name} of a file that failed"
        if left := list(litter(file.parent)):
            yield f"it left {left[0].name}"


def artifacts_of(file: Path) -> list[Path]:
    """Give what stands beside a file as compiled from it."""
    if not (file.parent / FOLDER).is_dir():
        return []
    return [each for each in (file.parent / FOLDER).iterdir() if stem_of(each) == file.stem]


def litter(folder: Path) -> Iterator[Path]:
    """Give files that a writer has not moved to their place."""
    if (folder / FOLDER).is_dir():
        yield from (each for each in (folder / FOLDER).iterdir() if each.name.startswith("."))
    yield from folder.glob("*.failed.py")


def is_well(done: Told, *files: Path) -> Told:
    """Assert that nothing is wrong with an answer; give it."""
    assert list(faults(done, list(files))) == [], done.text
    return done


def written(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write files; give their paths."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
