"""What is shipped: an sdist of the project, and a wheel of that sdist, are complete and run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.places import ROOT

# The folders of the package: where they stand, and where they are imported from.
FOLDERS = {"rivusio": "rivusio", "compiler": "rivusio/compiler", "templates": "rivusio/templates"}

NOT_SHIPPED = shutil.ignore_patterns(
    ".git", ".venv*", "*_cache", "__pycache__", "__rivusio__", "dist", "*.egg-info"
)


def files_of_the_package(project: Path) -> set[str]:
    """Give the path in a wheel of every file in the folders."""
    return {
        f"{package}/{path.relative_to(project / folder)}"
        for folder, package in FOLDERS.items()
        for path in (project / folder).rglob("*")
        if path.is_file() and not _is_in_a_link(path.relative_to(project))
    }


def _is_in_a_link(path: Path) -> bool:
    return path.as_posix().startswith(("rivusio/compiler/", "rivusio/templates/"))


def build(target: str, project: Path, into: Path) -> Path:
    """Build the `sdist` or the `wheel` of a project, and give its file."""
    ended = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", into],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project, without what was made here and is not shipped."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=NOT_SHIPPED)
    return copy


@pytest.fixture(scope="module")
def sdist(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of the project."""
    return build("sdist", project, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked_sdist(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in the sdist."""
    folder = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(sdist, folder, filter="data")
    return folder / sdist.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(unpacked_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built of the sdist, as an installer builds it."""
    return build("wheel", unpacked_sdist, tmp_path_factory.mktemp("wheel"))


def names_in(wheel: Path) -> list[str]:
    """Give the files in a wheel, without its own description of itself."""
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if ".dist-info/" not in name]


def test_the_wheel_holds_every_file_of_the_package(wheel: Path, project: Path) -> None:
    assert set(names_in(wheel)) == files_of_the_package(project)


def test_the_wheel_holds_no_file_twice(wheel: Path) -> None:
    twice = [name for name, count in Counter(names_in(wheel)).items() if count > 1]
    assert not twice


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "rivusio/py.typed" in names_in(wheel)


def test_the_wheel_holds_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())


def test_the_wheel_is_the_same_without_the_way_over_the_sdist(
    project: Path, wheel: Path, tmp_path: Path
) -> None:
    straight = build("wheel", project, tmp_path)
    assert sorted(names_in(straight)) == sorted(names_in(wheel))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_sdist_holds_the_real_folders(unpacked_sdist: Path, folder: str) -> None:
    assert (unpacked_sdist / folder).is_dir()
    assert not (unpacked_sdist / folder).is_symlink()


@pytest.mark.parametrize("folder", ["tests", "docs", "examples"])
def test_the_sdist_holds_what_stands_beside_the_package(
    project: Path, unpacked_sdist: Path, folder: str
) -> None:
    assert _files_in(unpacked_sdist / folder) == _files_in(project / folder)


def _files_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_a_chain_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")
    code = """
import sys
sys.path.insert(0, sys.argv[1])  # before the folder of this project, which the venv may add
import rivusio.compiler
from rivusio import batch, map
assert rivusio.compiler.__file__.startswith(sys.argv[1])
print(rivusio.__file__, list((map(int) >> batch(2)).iterate("123")))
"""
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code, tmp_path / "installed"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    where, _, result = ended.stdout.strip().partition(" ")
    assert Path(where).is_relative_to(tmp_path)
    assert result == "[[1, 2], [3]]"
