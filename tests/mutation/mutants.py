"""Proves that the tests hold the rules: breaks each rule on purpose, and runs its tests.

    python -m tests.mutation                 all mutants
    python -m tests.mutation 3.7 load        those of some rules, or promises of the compiler
    python -m tests.mutation compiler/       those of the files whose paths begin so

The mutants of the interpreter are in tests/mutation/runtime.py, those of the compiler and of what
runs compiled chains in tests/mutation/compiler. All are made in a copy of the project.

A mutant is caught when a test that is marked with its rule, or one that it names, fails or hangs.
It exits with 1 if one survives, or if the list is wrong: a snippet that is not there, a mutant
that does not even load.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.mutation.compiler import COMPILER_MUTANTS
from tests.mutation.runtime import MUTANTS, Mutant
from tests.places import ROOT
from tests.rules import held

COPIED = (
    "rivusio", "compiler", "templates", "tests", "docs", "examples", "README.md", "pyproject.toml",
)  # fmt: skip
ALL = (*MUTANTS, *COMPILER_MUTANTS)
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*_cache")

Verdict = Literal["passed", "failed", "hung", "broken"]


class ListError(Exception):
    """The list of mutants does not fit the project any more, or the project is not in order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests of its rule have said of a mutant."""

    mutant: Mutant
    verdict: Verdict
    seconds: float
    output: str

    @property
    def caught(self) -> bool:
        """Whether a test has failed, or never ended."""
        return self.verdict in ("failed", "hung")


def mutated(mutant: Mutant, text: str) -> str:
    """Give the text of the file with the mutant in it.

    Raises:
        ListError: when the snippet is not there exactly once.
    """
    if (count := text.count(mutant.old)) != 1:
        message = f"{mutant.rule} {mutant.file}: {count} times, not once: {mutant.old!r}"
        raise ListError(message)
    return text.replace(mutant.old, mutant.new)


def tests_of(rule: str) -> list[str]:
    """Give the ids of the tests that hold a rule; those of memory are too slow to run so often."""
    return [f"tests/{test}" for test in held().get(rule, []) if "memory" not in test]


def chosen(mutant: Mutant) -> tuple[str, ...]:
    """Give what pytest is asked for, to see whether a mutant is caught."""
    if mutant.tests:
        return mutant.tests
    in_mode = ("-k", "not interpreted") if mutant.only_compiled else ()
    return ("-m", "rule", *tests_of(mutant.rule), *in_mode)


class Copy:
    """A copy of the project to break things in.

    Args:
        folder: an empty folder for it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = os.environ | {"PYTHONPATH": str(folder)}
        for name in COPIED:
            path = ROOT / name
            if path.is_dir():
                shutil.copytree(path, folder / name, symlinks=True, ignore=NOT_COPIED)
            else:
                shutil.copy2(path, folder / name)

    def check(self) -> None:
        """Make sure that the copy is what the tests will import.

        Raises:
            ListError: when it is something else.
        """
        code = "import rivusio, tests; print(rivusio.__file__, tests.__file__, sep='\\n')"
        ended = self._python(["-c", code], timeout=60)
        for line in ended.stdout.split():
            if not Path(line).is_relative_to(self._folder):
                message = f"the tests would run {line} instead of the copy in {self._folder}"
                raise ListError(message)

    def refuse_misfits(self, mutants: Iterable[Mutant]) -> None:
        """Make sure that each mutant can be made.

        Raises:
            ListError: naming all that cannot.
        """
        wrong = []
        for mutant in mutants:
            try:
                mutated(mutant, (self._folder / mutant.file).read_text(encoding="utf-8"))
            except ListError as error:
                wrong.append(str(error))
        if wrong:
            raise ListError("\n".join(wrong))

    def test(self, tests: Sequence[str], timeout: float) -> tuple[Verdict, str]:
        """Run tests until the first that fails."""
        command = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        try:
            ended = self._python([*command, *tests], timeout)
        except subprocess.TimeoutExpired as error:
            return "hung", str(error)
        return _verdict(ended), ended.stdout + ended.stderr

    def test_mutant(self, mutant: Mutant, timeout: float) -> Outcome:
        """Put a mutant in, run the tests of its rule, and take it out again."""
        path = self._folder / mutant.file
        original = path.read_text(encoding="utf-8")
        started = time.monotonic()
        try:
            _write(path, mutated(mutant, original))
            verdict, output = self.test(chosen(mutant), timeout)
        finally:
            _write(path, original)
        return Outcome(mutant, verdict, time.monotonic() - started, output)

    def _python(self, arguments: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def _write(path: Path, text: str) -> None:
    """Write a file; what was compiled of a module a moment ago may look up to date, and must go."""
    path.write_text(text, encoding="utf-8")
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _verdict(ended: subprocess.CompletedProcess[str]) -> Verdict:
    if ended.returncode == 0:
        return "passed"
    # A mutant may also end pytest itself: with a KeyboardInterrupt that it lets escape, or with an
    # error that cannot even be shown.
    ended_pytest = ("!!! KeyboardInterrupt !!!", "INTERNALERROR> ")
    if ended.returncode == 1 or any(mark in ended.stdout for mark in ended_pytest):
        return "failed"
    return "broken"


def run(mutants: Sequence[Mutant]) -> list[Outcome]:
    """Test the mutants one by one, telling of each.

    Raises:
        ListError: when a mutant cannot be made.
    """
    outcomes: list[Outcome] = []
    unbroken: dict[tuple[str, ...], tuple[Verdict, str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(Path(folder).resolve())
        copy.check()
        copy.refuse_misfits(mutants)
        for mutant in mutants:
            tests = chosen(mutant)
            if tests not in unbroken:
                started = time.monotonic()
                verdict, output = copy.test(tests, timeout=300)
                unbroken[tests] = verdict, output, time.monotonic() - started
            verdict, output, seconds = unbroken[tests]
            if verdict == "passed":
                outcome = copy.test_mutant(mutant, timeout=10 + 3 * seconds)
            else:  # then a failure would tell nothing of the mutant
                outcome = Outcome(mutant, "broken", seconds, f"without it, too:\n{output}")
            outcomes.append(outcome)
            print(_row(outcome), flush=True)
    return outcomes


def _row(outcome: Outcome) -> str:
    mutant = outcome.mutant
    said = f"caught ({outcome.verdict})" if outcome.caught else outcome.verdict.upper()
    return f"{mutant.rule:7} {said:15} {outcome.seconds:5.1f} s  {mutant.what}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Give the table of what was not caught, and the counts."""
    caught = sum(outcome.caught for outcome in outcomes)
    survived = sum(outcome.verdict == "passed" for outcome in outcomes)
    lines = [
        f"{_row(outcome)}\n      {outcome.mutant.file}: {outcome.mutant.old!r}"
        for outcome in outcomes
        if not outcome.caught
    ]
    for outcome in outcomes:
        if outcome.verdict == "broken":
            lines.append(f"the tests could not run: {outcome.mutant.what}\n{outcome.output}")
    counts = f"{len(outcomes)} mutants, {caught} caught, {survived} survived"
    return "\n".join([*lines, counts])


def _is_meant(mutant: Mutant, word: str) -> bool:
    return mutant.rule == word or mutant.file.startswith(word)


def main(words: Sequence[str]) -> int:
    """Test the mutants of these rules, promises and files, or all; give the exit status."""
    mutants = [each for each in ALL if not words or any(_is_meant(each, word) for word in words)]
    for word in words:
        if not any(_is_meant(each, word) for each in mutants):
            print(f"no mutants for {word}")
            return 1
    try:
        outcomes = run(mutants)
    except ListError as error:
        print(error)
        return 1
    print(summary(outcomes))
    return 0 if all(outcome.caught for outcome in outcomes) else 1
