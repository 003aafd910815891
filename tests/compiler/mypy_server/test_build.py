"""Builds of mypy without pydantic, and those that must have it."""

from __future__ import annotations

import ast
from pathlib import Path

import pydantic
import pytest
from click.testing import CliRunner
from mypy.modulefinder import BuildSource

import rivusio
from rivusio.cli import main
from rivusio.compiler.mypy_server import build
from rivusio.compiler.mypy_server import options as mypy_options
from tests.project.test_architecture import TOOLS

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
    monkeypatch.setattr(build, "_users", set())
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
    options = mypy_options.settings()
    options.cache_dir = str(here / "cache")
    options.per_module_options.clear()
    options.disallow_untyped_calls = options.disallow_any_unimported = True
    result = build.run_build(runtime(), options)
    assert result.errors == []
    assert "pydantic.main" not in result.graph
    assert "rivusio.graph.config" in result.graph


def test_a_file_that_does_not_need_pydantic_is_typed_without_it(here: Path) -> None:
    Path("alone.py").write_text("from rivusio import map\nchain = map(int)\n", encoding="utf-8")
    options = mypy_options.settings()
    options.cache_dir = str(here / "cache")
    sources = mypy_options.sources([("alone.py", Path("alone.py").read_text("utf-8"))], options)
    assert "pydantic.main" not in build.run_build(sources, options).graph


def test_the_stub_has_every_public_name_of_a_model() -> None:
    [model] = [
        each
        for each in ast.parse((build.STUBS / "pydantic.pyi").read_text("utf-8")).body
        if isinstance(each, ast.ClassDef) and each.name == "BaseModel"
    ]
    named = {getattr(each, "name", "") or ast.unparse(each).split(":")[0] for each in model.body}
    assert {name for name in dir(pydantic.BaseModel) if not name.startswith("_")} <= named


CONFIGS = """from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from rivusio import BackpressureConfig, PipeConfig, StreamConfig, map
class Own(PipeConfig):
    size: int = 3
def names(config: StreamConfig) -> list[str]:
    return [key for key, _ in config]
def pairs(config: Iterable[tuple[str, Any]]) -> int:
    return len(list(config))
def made(attempts: int) -> StreamConfig:
    return StreamConfig(retry_attempts=attempts, timeout=1.5, on_error="skip")
def wrong(config: StreamConfig) -> int:
    return config.no_such_thing + len(config.model_dump()) + config.retry_attempts
misspelt = StreamConfig(retry_atempts=3)
mistaken = StreamConfig(retry_attempts="three")
copied = Own(size="big").model_copy(update={"name": 1}).size.upper()
dumped: int = Own().model_dump_json()
fields: int = BackpressureConfig.model_fields
settings = BackpressureConfig(min_processing_time=timedelta(seconds=1))
one = map(made) >> names >> len
two = map(made) >> pairs
"""


def test_what_is_said_of_configs_is_the_same_with_and_without_the_stub(here: Path) -> None:
    said = []
    for text in (CONFIGS, f"{CONFIGS}# pydantic\n"):
        Path("configs.py").write_text(text, encoding="utf-8")
        said.append(CliRunner().invoke(main, ["check", "configs.py"]).output)
    assert said[0] == said[1]
    assert said[0].count("warning") >= 5


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
    options = mypy_options.settings()
    options.cache_dir = str(here / "cache")
    sources = mypy_options.sources([("a.py", "import rivusio\n")], options)
    assert "pydantic.main" in build.run_build(sources, options).graph
