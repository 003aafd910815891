"""Which test holds which rule of docs/semantics.md, read from the tests' own marks.

python -m tests.rules        writes docs/rules.md anew
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.places import ROOT

SEMANTICS = ROOT / "docs" / "semantics.md"
TABLE = ROOT / "docs" / "rules.md"

MARK = "pytest.mark.rule"
HEAD = """\
# Which test holds which rule

The rules are those of [semantics.md](semantics.md); a number without a dot is the table of that
section. Every test named here carries the mark `rule` with that number, so
`pytest -m rule` runs them all. `make rules` writes this page, and a test compares it.

| rule | tests |
|---|---|
"""


def rules() -> list[str]:
    """The numbers of the rules, in order; and of the sections that state theirs in a table."""
    text = SEMANTICS.read_text(encoding="utf-8")
    numbered = re.findall(r"^- (\d+\.\d+) ", text, re.MULTILINE)
    return sorted({*numbered, "2", "4", "5"}, key=_order)


def held() -> dict[str, list[str]]:
    """For each rule, the tests that are marked with it, as `file::name`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, numbers in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            for number in numbers:
                test = f"{path.relative_to(ROOT / 'tests').as_posix()}::{name}"
                found.setdefault(number, []).append(test)
    return found


def _marked(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if (
                isinstance(decorator, ast.Call)
                and ast.unparse(decorator.func) == "pytest.mark.rule"
            ):
                yield node.name, [str(ast.literal_eval(each)) for each in decorator.args]


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


def page() -> str:
    """The page docs/rules.md as it should be."""
    tests = held()
    rows = [
        f"| {number} | {'<br>'.join(f'`{test}`' for test in tests.get(number, []))} |"
        for number in rules()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    TABLE.write_text(page(), encoding="utf-8")
