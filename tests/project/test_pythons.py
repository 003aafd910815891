"""The Pythons that are claimed: one list, which everything else goes by."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from tests.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def claimed() -> list[str]:
    found = (
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each)
        for each in PROJECT["project"]["classifiers"]
    )
    return [each[1] for each in found if each]


def test_what_is_claimed_is_what_is_required_and_what_the_code_is_written_for() -> None:
    versions = claimed()
    assert versions == sorted(versions, key=lambda each: int(each.partition(".")[2]))
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"
    assert PROJECT["tool"]["mypy"]["python_version"] == versions[0]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{versions[0].replace('.', '')}"


def run_test_all(folder: Path, *pythons: str) -> subprocess.CompletedProcess[str]:
    """Run `make test-all` where only some Pythons are, each of which lets `make test` say so."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("sed", "sh", "make", "env"):
        where = shutil.which(name)
        assert where is not None
        (tools / name).symlink_to(where)
    for each in pythons:
        python = tools / f"python{each.removesuffix('!')}"
        python.write_text(f"#!/bin/sh\nexit {int(each.endswith('!'))}\n", encoding="utf-8")
        python.chmod(0o755)
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^test: .*$", 'test:\n\t@echo "in $(VENV)"; [ $(VENV) != .venv-3.12 ]', text)
    (folder / "Makefile").write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    return subprocess.run(
        ["make", "test-all"],
        cwd=folder,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_python_that_is_there_is_tested_and_the_others_are_named(tmp_path: Path) -> None:
    done = run_test_all(tmp_path, "3.11", "3.13")
    assert (done.returncode, done.stderr) == (0, "")
    assert [each for each in done.stdout.splitlines() if not each.startswith("make")] == [
        "python3.11: python3.11",
        "in .venv-3.11",
        "python3.12 is not on this machine: skipped",
        "python3.13: python3.13",
        "in .venv-3.13",
        "tested: 3.11 3.13",
    ]


def test_one_that_fails_lets_the_others_be_tested_and_fails_all(tmp_path: Path) -> None:
    done = run_test_all(tmp_path, "3.11!", "3.12", "3.13")  # 3.11 is a shim of no version
    assert done.returncode != 0
    assert "python3.11 is not on this machine: skipped" in done.stdout
    assert done.stdout.index("in .venv-3.12") < done.stdout.index("in .venv-3.13")
    assert "tested: 3.12 3.13\nfailed: 3.12" in done.stdout


def test_none_at_all_is_no_success(tmp_path: Path) -> None:
    done = run_test_all(tmp_path)
    assert done.returncode != 0
    assert "none of these is on this machine: 3.11 3.12 3.13" in done.stdout
