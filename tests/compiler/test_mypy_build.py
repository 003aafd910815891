"""Builds of mypy without pydantic, and those that must have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from mypy.modulefinder import BuildSource

import rivusio
from rivusio.cli import main
from rivusio.compiler import mypy_build, mypy_run
from tests.test_architecture import TOOLS

PACKAGE = Path(rivusio.__file__).parent

CHAIN = """from models import Ids, given
from rivusio import map
def shown(text: str) -> str:
    return text
chain = map(given) >> map(shown)
"""
MODELS = """from pydantic import RootModel
class Ids(RootModel[list[int]]):
    pass
def given(number: int) -> Ids:
    return Ids([number])
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mypy_build, "_seen", mypy_build._Seen())
    return tmp_path


def runtime() -> list[BuildSource]:
    """Give every module of rivusio's that a program may import."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if parts[1] not in ("compiler", "cli") and name not in TOOLS:
            found.append(BuildSource(str(path), name))
    return found


def test_the_stubs_have_all_that_the_runtime_uses(here: Path) -> None:
    options = mypy_run.settings()
    options.cache_dir = str(here / "cache")
    options.per_module_options.clear()
    options.disallow_untyped_calls = options.disallow_any_unimported = True
    result = mypy_build.built(runtime(), options)
    assert result.errors == []
    assert "pydantic.main" not in result.graph
    assert "rivusio.config" in result.graph


def test_a_file_that_does_not_need_pydantic_is_typed_without_it(here: Path) -> None:
    Path("alone.py").write_text("from rivusio import map\nchain = map(int)\n", encoding="utf-8")
    options = mypy_run.settings()
    options.cache_dir = str(here / "cache")
    sources = mypy_run.sources([("alone.py", Path("alone.py").read_text("utf-8"))], options)
    assert "pydantic.main" not in mypy_build.built(sources, options).graph


def test_a_model_in_another_module_has_its_own_type(here: Path) -> None:
    Path("models.py").write_text(MODELS, encoding="utf-8")
    Path("user.py").write_text(CHAIN, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "user.py"])
    assert done.exit_code == 1
    assert 'stage 2 "shown" accepts "str" but stage 1 "given" produces "Ids"' in done.output


def test_the_plugin_of_pydantic_gets_the_real_one(here: Path) -> None:
    Path("pyproject.toml").write_text(
        '[tool.mypy]\nplugins = ["pydantic.mypy"]\n', encoding="utf-8"
    )
    options = mypy_run.settings()
    options.cache_dir = str(here / "cache")
    sources = mypy_run.sources([("a.py", "import rivusio\n")], options)
    assert "pydantic.main" in mypy_build.built(sources, options).graph
