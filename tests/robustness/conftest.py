"""What every test of the front door may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.places import ROOT


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Work in a folder of its own; mypy reads rivusio itself once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
    return tmp_path
