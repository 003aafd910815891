"""Files that are nested too deep: what is too deep depends on the Python, what is said does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rivusio.cli import main

HEAD = "from rivusio import map\nchain = map(str) >> len\n"
DEFINED = "def twice(n: int) -> int:\n    return 2 * n\nlonger = map(len) >> twice\n"
DEEP = {
    "signs": f"x = {'-' * 50_000}1\n",
    "calls": f"def f(a):\n    return a{'()' * 20_000}\n",
    "attributes": f"def f(a):\n    return a{'.b' * 20_000}\n",
    "terms": f"x = {' + '.join(['1'] * 50_000)}\n",
    "branches": "def f(x):\n    if x == 0:\n        pass\n"
    + "".join(f"    elif x == {number}:\n        pass\n" for number in range(1, 6_000)),
    "lambdas": f"f = {'lambda: ' * 20_000}1\n",
}


@pytest.mark.parametrize("command", ["check", "compile", "explain"])
def test_a_file_that_is_too_deep_is_named_and_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fine.py").write_text(HEAD, encoding="utf-8")
    for name, text in DEEP.items():
        Path(f"{name}.py").write_text(HEAD + text, encoding="utf-8")
    done = CliRunner().invoke(main, [command, "fine.py", *(f"{name}.py" for name in DEEP)])
    assert done.exit_code == 1
    said = done.output.splitlines()
    for name in DEEP:
        [line] = [each for each in said if each.startswith(f"{name}.py:") and "error" in each]
        assert (
            "is nested too deep; give parts of it names" in line or "too complex to parse" in line
        ), line
        assert f"{name}.py: no chain found" not in said
    assert "rivusio itself failed" not in done.output
    assert not [each for each in said if each.startswith("fine.py:") and "error" in each]


ON_THE_EDGE = {
    "signs": f"x = {'-' * 1_100}1\n",
    "attributes": f"def f(a):\n    return a{'.b' * 1_100}\n",
    "terms": f"x = {' + '.join(['1'] * 1_100)}\n",
    "choices": f"x = {'1 if 0 else ' * 1_100}1\n",
    "branches": "def f(x):\n    if x == 0:\n        pass\n"
    + "".join(f"    elif x == {number}:\n        pass\n" for number in range(1, 400)),
}


@pytest.mark.parametrize("command", ["check", "compile", "explain"])
def test_what_some_pythons_take_is_done_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in ON_THE_EDGE.items():
        Path(f"{name}.py").write_text(HEAD + DEFINED + text, encoding="utf-8")
    done = CliRunner().invoke(main, [command, *(f"{name}.py" for name in ON_THE_EDGE)])
    assert "rivusio itself failed" not in done.output
    assert "RecursionError" not in done.output
    for line in done.output.splitlines():
        assert ": error: " not in line or "nested too deep" in line or "too complex" in line
