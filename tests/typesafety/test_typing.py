"""What mypy says of the cases in typesafety/joints.test: each a module, all in one run."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from mypy import api

CASES = Path(__file__).with_name("joints.test")

# What is said, by line.
Said = dict[int, list[str]]


def sections(text: str) -> dict[str, str]:
    """Split the text of a `.test` file at its `[name]` lines."""
    _, *parts = re.split(r"^\[(?:case )?(\w+)\]\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


GIVEN, *NAMES = sections(CASES.read_text())


def expected(source: str) -> Said:
    """Read what the comments behind the lines of a case expect."""
    lines = enumerate(source.splitlines(), start=1)
    found = ((number, re.search(r"\S.*  # (.+)", line)) for number, line in lines)
    return {number: _each_error(comment[1]) for number, comment in found if comment}


def _each_error(comment: str) -> list[str]:
    """Give `error: operator misc` as two errors, anything else as it is."""
    kind, _, codes = comment.partition(": ")
    if kind != "error":
        return [comment]
    return [f"error: {code}" for code in codes.split()]


def said(report: str) -> dict[str, Said]:
    """Read what mypy has reported, by module and line."""
    by_module: dict[str, Said] = defaultdict(lambda: defaultdict(list))
    for line in report.splitlines():
        match = re.match(r"(\w+)\.py:(\d+): (\w+): (.*)", line)
        assert match, line
        module, number, kind, message = match.groups()
        if kind == "error":
            by_module[module][int(number)].append(f"error: {message.split()[-1].strip('[]')}")
        elif revealed := re.fullmatch(r'Revealed type is "(.*)"', message):
            by_module[module][int(number)].append(_without_modules(revealed[1]))
    return by_module


def _without_modules(shown: str) -> str:
    return re.sub(r"\b(?:\w+\.)+", "", shown)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """Everything that mypy says of all cases."""
    folder = tmp_path_factory.mktemp("typing")
    cases = sections(CASES.read_text())
    for name, source in cases.items():
        first = "" if name == GIVEN else "from given import *\n"
        (folder / f"{name}.py").write_text(first + source)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        report, trouble, _ = api.run(
            [
                "--strict",
                "--implicit-reexport",  # the cases share the imports of what is given
                "--config-file=",
                "--cache-dir=cache",
                "--hide-error-context",
                "--no-error-summary",
                *(f"{name}.py" for name in cases),
            ]
        )
    assert not trouble
    return said(report)


def test_what_is_given_is_clean(reported: dict[str, Said]) -> None:
    assert reported.get(GIVEN, {}) == {}


@pytest.mark.parametrize("name", NAMES)
def test_inference(reported: dict[str, Said], name: str) -> None:
    source = "from given import *\n" + sections(CASES.read_text())[name]
    lines = source.splitlines()
    found, wanted = reported.get(name, {}), expected(source)
    differences = [
        f"{lines[number - 1].strip()}\n    mypy says {found.get(number, 'nothing')}"
        for number in sorted(found.keys() | wanted.keys())
        if found.get(number) != wanted.get(number)
    ]
    if differences:
        pytest.fail("\n".join(differences), pytrace=False)
