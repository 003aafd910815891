"""Files that end Python, hang, print or leave things behind when they are imported."""

from __future__ import annotations

from pathlib import Path

from tests.robustness.programs import FAILING, HANGING, HARMLESS, program
from tests.robustness.support import CHAIN, artifacts_of, is_well, told, written


def test_a_file_whose_import_fails_is_told_where_its_chain_is(here: Path) -> None:
    paths = written(here, {f"{name}.py": program(does) for name, does in FAILING.items()})
    done = is_well(told("compile", *(path.name for path in paths)), *paths)
    assert done.code == 1
    for path in paths:
        [line] = done.of(path.name)
        assert path.name in line.partition(": error: ")[2]
        assert artifacts_of(path) == []


def test_a_file_that_only_behaves_oddly_is_compiled(here: Path) -> None:
    paths = written(here, {f"{name}.py": program(does) for name, does in HARMLESS.items()})
    done = is_well(told("compile", *(path.name for path in paths)), *paths)
    assert (done.code, done.stdout) == (0, "")
    for path in paths:
        assert artifacts_of(path), path.name


def test_check_runs_nothing(here: Path) -> None:
    files = {"json.py": b"open('ran', 'w').close()\n", "loops.py": program(HANGING["loops"])}
    written(here, {**files, "flow.py": CHAIN.encode() + b"import json\nopen('ran', 'w').close()\n"})
    assert is_well(told("check", "flow.py", "json.py", "loops.py")).code == 0
    assert not (here / "ran").exists()


def test_a_file_named_like_a_module_that_the_compiler_uses_is_compiled(here: Path) -> None:
    names = ("json", "jinja2", "click", "tokenize")
    paths = written(here, {f"{name}.py": CHAIN.encode() for name in names})
    done = is_well(told("compile", "json.py"), *paths)
    assert (done.code, len(artifacts_of(paths[0]))) == (0, 2)
