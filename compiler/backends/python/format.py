"""Tidies and formats generated texts, with ruff."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it has no types


class FormatError(Exception):
    """The formatter has refused a generated module."""


def tidy(texts: Sequence[str]) -> list[str]:
    """Put imports in order, and take out those that nothing uses.

    Raises:
        FormatError: with ruff's reason.
    """
    return _run_ruff("check", "--select=I,F401", "--fix", "--quiet", texts=texts)


def format_texts(texts: Sequence[str]) -> list[str]:
    """Give texts as ruff formats them.

    Raises:
        FormatError: with ruff's reason.
    """
    return _run_ruff("format", texts=texts)


def _run_ruff(*command: str, texts: Sequence[str]) -> list[str]:
    """Give texts as ruff leaves them, whatever settings and modules lie about.

    Raises:
        FormatError: with ruff's reason.
    """
    if not texts:
        return []
    ruff: str = find_ruff_bin()
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"generated_{index}.py" for index in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
        ended = subprocess.run(  # noqa: S603  a tool of ours
            [ruff, *command, "--isolated", "--no-cache", "--line-length=100", "."],
            cwd=folder,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        if ended.returncode:
            raise FormatError((ended.stderr or ended.stdout).strip())
        return [file.read_text(encoding="utf-8") for file in files]
