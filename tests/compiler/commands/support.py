"""The commands of the compiler, run in this process, over files in a folder of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rivusio.cli import main
from tests.places import ROOT

FLOW = """from rivusio import SyncBasePipe
class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * 2
chain = Double() >> Double()
"""
MAIN = """
if __name__ == "__main__":
    print(list(chain.iterate([1, 2])))
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own; mypy reads rivusio itself once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def write(name: str, text: str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return name


def written(folder: str = "__rivusio__") -> dict[str, bytes]:
    """Give what stands in a folder of artifacts."""
    return {each.name: each.read_bytes() for each in Path(folder).iterdir()}


def runs(name: str, mode: str = "compiled") -> str:
    """Run a file, and give what it prints."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", f"./{name}"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"RIVUSIO_MODE": mode},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout
