"""What type checkers say of chains: mypy with the plugin and without it, and basedpyright.

`python -m tests.typesafety.cases` writes anew what mypy says: read the difference.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.compiler.typecheck.test_check import CASES as GOLDEN
from tests.compiler.typecheck.test_check import FIRST, given
from tests.places import ROOT
from tests.typesafety import cases as typecases
from tests.typesafety.cases import Case, agreed, cases, mypy_says, write

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
ALL = cases()
LEAST = 75  # cases with errors, and cases without

DOCUMENT = ROOT / "docs" / "typing.md"
BLOCK = re.compile(
    r"^```python(?P<plain> without-plugin)?\n(?P<code>.*?)^```\n"
    r"(\s*^```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
BLOCKS = [match.groupdict(default="") for match in BLOCK.finditer(DOCUMENT.read_text("utf-8"))]

Said = dict[str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All programs, and the examples."""
    folder = tmp_path_factory.mktemp("typesafety")
    write(folder, ALL)
    for path in EXAMPLES:
        shutil.copy(path, folder)
    for index, block in enumerate(BLOCKS):
        (folder / f"document_{index}.py").write_text(block["code"], encoding="utf-8")
    return folder


def says(folder: Path, *, plugin: bool) -> Said:
    names = sorted(path.name for path in folder.glob("*.py"))
    return mypy_says(folder, names, folder / f"cache_{plugin}", plugin=plugin)


@pytest.fixture(scope="module")
def with_plugin(folder: Path) -> Said:
    return says(folder, plugin=True)


@pytest.fixture(scope="module")
def without(folder: Path) -> Said:
    return says(folder, plugin=False)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_with_the_plugin(with_plugin: Said, case: Case) -> None:
    assert agreed(with_plugin.get(case.module, "")) == agreed(case.out)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_without_the_plugin(without: Said, case: Case) -> None:
    assert agreed(without.get(case.module, "")) == agreed(case.plain)


@pytest.mark.parametrize("name", ["given", *(path.stem for path in EXAMPLES)])
def test_what_is_right_is_clean_with_the_plugin_and_without(
    with_plugin: Said, without: Said, name: str
) -> None:
    assert (with_plugin.get(name, ""), without.get(name, "")) == ("", "")


# The cases themselves


def test_the_names_of_the_cases_differ() -> None:
    assert [name for name, count in Counter(map(str, ALL)).items() if count > 1] == []


def test_errors_are_tested_as_much_as_successes() -> None:
    wrong = sum(" error: " in case.out for case in ALL)
    assert min(wrong, len(ALL) - wrong) >= LEAST


@pytest.mark.parametrize("code", ["chain", "handler", "config", "async", "pickle"])
def test_each_code_is_met_and_silenced(code: str) -> None:
    assert sum(f"[rivusio-{code}]" in case.out for case in ALL) > 5
    assert any(
        f"type: ignore[rivusio-{code}" in case.main and not case.out and case.plain for case in ALL
    )


def test_no_any_is_inferred_for_a_chain_that_fits() -> None:
    revealed = "".join(case.out for case in ALL if case.file in {"joints", "running"})
    assert len(re.findall("Revealed type", revealed)) > 200
    assert "Any" not in revealed.replace("Coroutine[Any, Any, ", "")


# The document


@pytest.mark.parametrize("index", range(len(BLOCKS)))
def test_the_document_shows_what_is_said(with_plugin: Said, without: Said, index: int) -> None:
    block = BLOCKS[index]
    says = without if block["plain"] else with_plugin
    shown = block["output"].replace("pipes.py:", "main:")
    assert agreed(says.get(f"document_{index}", "")) == agreed(shown)


def test_the_document_shows_each_code_wrong_and_right() -> None:
    sections = DOCUMENT.read_text("utf-8").split("\n## `rivusio-")[1:]
    for section in sections:
        code = f"[rivusio-{section.partition('`')[0]}]"
        outputs = [block.groupdict()["output"] for block in BLOCK.finditer(section)]
        assert code in "".join(output for output in outputs if output)
        assert None in outputs
    assert len(sections) == 5


def test_the_links_of_the_document_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", DOCUMENT.read_text("utf-8")):
        assert (DOCUMENT.parent / target).exists(), target


# The words are those of `rivusio check`

# Where the two differ, and why.
DIFFERENT = {
    "an_object_in_a_list_that_gives_any": "the plugin does not look at what a function is",
    "classes": "no operand is a pipe, so that mypy asks no plugin",
    "columns_count_characters": "columns are mypy's own",
    "growing": "to mypy a name keeps its first type",
    "ignored": "mypy itself knows what to ignore",
    "in_functions_and_classes": "behind a wrong joint mypy goes on as if it fitted",
    "lambdas": "behind a wrong joint mypy goes on as if it fitted",
    "operators_over_overloaded_and_generic_functions": "mypy loses the type of a generic function",
    "typed_dicts": "a lambda has been looked at by itself, and not yet in its place",
    "two_functions": "no operand is a pipe, so that mypy asks no plugin",
    "what_mypy_finds_besides": "what comes from a module that is not there is Any",
    "without_annotations": "mypy looks into such a function only if it is asked to",
}


@pytest.fixture(scope="module")
def of_golden(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What mypy says with the plugin of the golden cases of `rivusio check`."""
    folder = tmp_path_factory.mktemp("golden")
    (folder / "given.py").write_text(given(), encoding="utf-8")
    for name, (program, _) in GOLDEN.items():
        (folder / f"{name}.py").write_text(FIRST + program, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typecases, "SETTINGS", "[mypy]\nshow_column_numbers = True\n")
        return says(folder, plugin=True)


def joints(report: str) -> list[str]:
    """Give the findings about joints, each with its note."""
    found: list[str] = []
    wanted = False
    for line in report.splitlines():
        if ": note: " not in line:
            wanted = line.endswith("[rivusio-chain]") and ": error: " in line
        if wanted:
            found.append(line)
    return found


@pytest.mark.parametrize("name", GOLDEN)
def test_the_plugin_says_what_rivusio_check_says(of_golden: Said, name: str) -> None:
    checked = GOLDEN[name][1].replace(f"{name}.py:", "main:")
    are_equal = joints(of_golden.get(name, "")) == [
        typecases.plain_names(line) for line in joints(checked)
    ]
    assert are_equal == (name not in DIFFERENT)


# basedpyright


@pytest.fixture(scope="module")
def pyright(folder: Path) -> dict[str, set[int]]:
    """Give the lines with errors, by module; of the examples in strict mode."""
    settings = {
        "typeCheckingMode": "standard",
        "strict": [path.name for path in EXAMPLES],
        "include": [path.name for path in sorted(folder.glob("*.py"))],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--outputjson",
        f"--pythonpath={sys.executable}",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > len(ALL)
    lines: dict[str, set[int]] = defaultdict(set)
    for each in report["generalDiagnostics"]:
        if each["severity"] == "error":
            lines[Path(each["file"]).stem].add(each["range"]["start"]["line"] + 1)
    return lines


@pytest.mark.parametrize("case", ALL, ids=str)
def test_basedpyright_has_errors_in_the_same_lines(
    pyright: dict[str, set[int]], case: Case
) -> None:
    assert tuple(sorted(pyright.get(case.module, ()))) == case.pyright


@pytest.mark.parametrize("name", ["given", *(path.stem for path in EXAMPLES)])
def test_basedpyright_is_content_with_what_is_right(
    pyright: dict[str, set[int]], name: str
) -> None:
    assert pyright.get(name, set()) == set()
