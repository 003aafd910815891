"""Every block of Python in the documents runs, and prints what the document says it prints.

A block of `python` may be followed, perhaps after blank lines, by a block of `text`: its output
to the letter. A block without one prints nothing, and asserts what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.places import ROOT

DOCUMENTS = ("README.md", "docs/guide.md", "docs/upgrading.md")

BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(\s*^```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
FENCE = re.compile(r"^\s*```(.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)\)")


@dataclass(frozen=True)
class Block:
    document: str
    line: int
    code: str
    output: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks() -> Iterator[Block]:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("code")) + 1
            yield Block(document, line, match["code"], match["output"] or "")


@pytest.mark.parametrize("block", list(blocks()), ids=str)
def test_a_block_of_a_document_does_what_it_says(
    block: Block,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    at_its_line = "\n" * (block.line - 1) + block.code
    code = compile(at_its_line, ROOT / block.document, "exec", dont_inherit=True)
    exec(code, {"__name__": "__main__"})  # noqa: S102  our own documents
    assert capsys.readouterr().out == block.output


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_fence_of_a_document_is_closed_and_says_its_language(document: str) -> None:
    fences = FENCE.findall((ROOT / document).read_text(encoding="utf-8"))
    assert all(fences[::2])
    assert not any(fences[1::2])
    assert len(fences) % 2 == 0


def test_the_links_of_the_documents_lead_somewhere() -> None:
    for document in (*DOCUMENTS, "docs/glossary.md", "docs/performance.md", "CHANGELOG.md"):
        path = ROOT / document
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{document}: {target}"
