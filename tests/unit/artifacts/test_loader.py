"""When what was compiled runs in a chain's place, and why it does not."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

import rivusio
from rivusio import AsyncPipeline, NotCompiledError, NotCompiledWarning, SyncPipeline
from rivusio.artifacts import manifest as manifests
from rivusio.artifacts.manifest import Manifest
from rivusio.cli import main
from tests.places import ROOT

SIBLING = """from rivusio import SyncBasePipe
class Triple(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * 3
"""
FLOW = """import asyncio
from rivusio import AsyncBasePipe, StreamConfig, SyncBasePipe, SyncPipeline
from sibling import Triple
RATE = 2
class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * RATE
class Add(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        return data + 1
class Loud(Double):
    def process(self, data: int) -> int:
        return -data
sync = Double() >> Double()
chain = Double() >> Add()
imported = Triple() >> Triple() >> Triple()
lone = Add()
settled = Double().with_config(StreamConfig(on_error="skip"))
class Held:
    inside = Double() >> Double() >> Double() >> Double()
def local() -> SyncPipeline[int, int]:
    return Double() >> Double() >> Double() >> Double() >> Double()
if __name__ == "__main__":
    print(getattr(chain.stream([1]).__aiter__(), "__name__", ""))
    async def results() -> list[int]:
        return [each async for each in chain.stream([1, 2])]
    print(asyncio.run(results()), list(sync.iterate([1])))
"""
CHAINS: dict[str, Callable[[Any], Any]] = {
    "sync": lambda flow: flow.sync,
    "chain": lambda flow: flow.chain,
    "imported": lambda flow: flow.imported,
    "lone": lambda flow: flow.lone,
    "settled": lambda flow: flow.settled,
    "class": lambda flow: flow.Held.inside,
    "local": lambda flow: flow.local(),
}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `flow.py` is compiled; tests work on copies."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "sibling.py").write_text(SIBLING, encoding="utf-8")
    (folder / "flow.py").write_text(FLOW, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        done = CliRunner().invoke(main, ["compile", "flow.py"])
    assert (done.exit_code, done.stdout) == (0, "")
    return folder


@pytest.fixture
def folder(once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files and artifacts of `once`, where this test can import them."""
    copy = tmp_path / "copy"
    shutil.copytree(once, copy)
    monkeypatch.syspath_prepend(copy)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("flow", "sibling"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return copy


@pytest.fixture
def artifact(folder: Path) -> Path:
    """The generated module of the chain `sync`."""
    return folder / "__rivusio__" / "flow__sync.py"


@pytest.fixture(autouse=True)
def nothing_imported() -> Any:
    yield
    for name in ("flow", "sibling"):
        sys.modules.pop(name, None)


def imported() -> ModuleType:
    return importlib.import_module("flow")


def is_compiled(pipe: Any) -> bool:
    """Tell what carries out a run that starts now."""
    run = pipe.stream([]).__aiter__() if pipe.is_async else pipe.iterate([])
    name = run.__name__
    assert name in ("_outputs", "_plain_outputs") or name.startswith("results")
    return bool(name.startswith("results"))


def twice(flow: ModuleType, pipe: Any) -> Any:
    """Make a chain in `flow.py` that is like `sync`, but of the given pipe."""
    exec(compile("def twice(pipe): return pipe >> pipe", str(flow.__file__), "exec"), vars(flow))  # noqa: S102  so that the chain is made in that file
    return flow.twice(pipe)


async def results(pipe: Any) -> list[Any]:
    return [each async for each in pipe.stream([1, 2, 3])]


def refusal(pipe: Any) -> str:
    """Say why a chain cannot run compiled."""
    with rivusio.mode("compiled"), pytest.raises(NotCompiledError) as caught:
        pipe.stream([1])
    message = str(caught.value)
    assert re.search(r"; run `rivusio compile [^`]+\.py`$", message)
    return message.partition(" cannot run compiled: ")[2].rpartition(";")[0]


async def only_interpreted(pipe: Any, expected: list[int], reason: str) -> None:
    """See that a chain runs interpreted, warning once, and that mode "compiled" refuses."""
    with pytest.warns(NotCompiledWarning) as caught:
        assert not is_compiled(pipe)
    told = " >> ".join(stage.name for stage in pipe._rivusio_stages())
    [warning] = [str(each.message) for each in caught]
    mend = r"; run `rivusio compile [^`]+\.py`" if reason.startswith("stale: ") else ""
    assert re.fullmatch(re.escape(f"{told} runs interpreted: {reason}") + mend, warning)
    assert caught[0].filename == __file__
    assert await results(pipe) == expected  # a second warning would be an error
    assert refusal(pipe) == reason


# What is used


@pytest.mark.parametrize("name", CHAINS)
async def test_the_artifact_is_used_and_gives_the_same(folder: Path, name: str) -> None:
    pipe = CHAINS[name](imported())
    with rivusio.mode("interpreted"):
        assert not is_compiled(pipe)
        expected = await results(pipe)
    assert is_compiled(pipe)
    assert await results(pipe) == expected
    with rivusio.mode("compiled"):
        assert is_compiled(pipe)
        assert await results(pipe) == expected


def test_without_an_event_loop(folder: Path) -> None:
    sync = imported().sync
    with rivusio.mode("compiled"):
        assert list(sync.iterate([1, 2])) == [4, 8]
        assert sync(3) == 12
    with rivusio.mode("interpreted"):
        assert list(sync.iterate([1, 2])) == [4, 8]


def test_a_file_that_is_the_main_program(folder: Path) -> None:
    for command in (["flow.py"], [str(folder / "flow.py")], ["-m", "flow"]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env={**os.environ, "RIVUSIO_MODE": "compiled"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "results_over_plain\n[3, 5] [4]\n"


async def test_a_global_of_the_module_is_read_live(folder: Path) -> None:
    flow = imported()
    with rivusio.mode("compiled"):
        assert await results(flow.sync) == [4, 8, 12]
        flow.RATE = 10  # type: ignore[attr-defined]  # a module like any other
        assert await results(flow.sync) == [100, 200, 300]


def test_a_file_that_was_not_compiled_is_interpreted_without_a_word(folder: Path) -> None:
    shutil.rmtree(folder / "__rivusio__")
    flow = imported()
    assert not is_compiled(flow.sync)
    assert refusal(flow.sync) == "it was not compiled"


# What has changed


@pytest.mark.parametrize(("name", "text"), [("flow.py", FLOW), ("sibling.py", SIBLING)])
async def test_an_edited_source(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text("# one more line\n" + text, encoding="utf-8")
    await only_interpreted(imported().imported, [27, 54, 81], f"stale: {name} changed")


async def test_a_source_that_is_edited_while_it_runs(folder: Path) -> None:
    flow = imported()
    assert is_compiled(flow.sync)
    (folder / "flow.py").write_text(FLOW.replace("data * RATE", "0"), encoding="utf-8")
    await only_interpreted(flow.sync, [4, 8, 12], "stale: flow.py changed")


async def test_a_source_that_is_gone(folder: Path) -> None:
    flow = imported()
    (folder / "flow.py").unlink()
    await only_interpreted(flow.sync, [4, 8, 12], "stale: flow.py is gone")


async def test_an_edit_elsewhere_leaves_a_chain_alone(folder: Path) -> None:
    (folder / "sibling.py").write_text("# one more line\n" + SIBLING, encoding="utf-8")
    assert is_compiled(imported().sync)


async def test_a_class_that_was_patched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = imported()
    assert is_compiled(flow.sync)
    monkeypatch.setattr(flow.Double, "process", lambda self, data: data + 100)
    await only_interpreted(flow.sync, [201, 202, 203], "stage 1 'Double' calls another function")
    monkeypatch.undo()
    assert is_compiled(flow.sync)


async def test_code_that_was_patched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = imported()

    def process(self: object, data: int) -> int:
        return data + 100

    monkeypatch.setattr(flow.Double.process, "__code__", process.__code__)
    await only_interpreted(flow.sync, [201, 202, 203], "stage 1 'Double' calls another function")


async def test_an_attribute_of_the_instance(folder: Path) -> None:
    flow = imported()
    double = flow.sync.pipes[0]
    double.process = lambda data: data + 100
    reason = "stage 1 'Double' calls another function"
    await only_interpreted(flow.sync, [202, 204, 206], reason)
    del double.process
    assert is_compiled(flow.sync)


async def test_the_same_in_a_chain_that_was_not_compiled(folder: Path) -> None:
    flow = imported()
    double = flow.Double()
    double.process = lambda data: data + 100
    pipe = twice(flow, double)
    assert not is_compiled(pipe)  # and no warning, which would be an error
    assert await results(pipe) == [201, 202, 203]
    assert refusal(pipe) == "it was not compiled"


async def test_a_subclass_with_a_method_of_its_own(folder: Path) -> None:
    flow = imported()
    pipe = twice(flow, flow.Loud())
    assert not is_compiled(pipe)
    assert await results(pipe) == [1, 2, 3]
    assert refusal(pipe) == "it was not compiled"


async def test_a_subclass_without_one_shares_the_artifact(folder: Path) -> None:
    flow = imported()
    same = type("Same", (flow.Double,), {})
    pipe = twice(flow, same())
    assert is_compiled(pipe)
    assert await results(pipe) == [4, 8, 12]


OTHER_SETTINGS = (
    "it has other settings than it was compiled with; give them to the chain with "
    ".with_config(...), and not to the run"
)


async def test_other_settings_are_another_chain(folder: Path) -> None:
    flow = imported()
    code = compile("sync.with_config(StreamConfig(retry_attempts=2))", str(flow.__file__), "eval")
    pipe = eval(code, vars(flow))  # noqa: S307  so that it is made in that file
    assert not is_compiled(pipe)  # and no warning, which would be an error
    assert await results(pipe) == [4, 8, 12]
    assert refusal(pipe) == "it was not compiled"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("handle_error", lambda *_: 0, "has a handle_error, and had none when it was compiled"),
        ("_rivusio_given_config", rivusio.StreamConfig(on_error="skip"), "has other settings than"),
        ("process", abs, "calls another kind of function than when it was compiled"),
    ],
)
async def test_what_is_another_with_a_compiled_chain_is_told(
    folder: Path, name: str, value: object, reason: str
) -> None:
    flow = imported()
    setattr(flow.lone, name, value)
    with pytest.warns(NotCompiledWarning, match=f"Add runs interpreted: stage 1 'Add' {reason}"):
        assert not is_compiled(flow.lone)


async def test_settings_of_the_run_alone_are_told(folder: Path) -> None:
    flow, config = imported(), rivusio.StreamConfig(buffer_size=3, on_error="skip")
    with pytest.warns(NotCompiledWarning, match=re.escape(OTHER_SETTINGS)):
        run = flow.chain.stream([1, 2], config=config)
    assert [each async for each in run] == [3, 5]
    with rivusio.mode("compiled"), pytest.raises(NotCompiledError, match="other settings"):
        flow.chain.stream([1, 2], config=config)


async def test_another_chain_of_the_file_has_no_part_in_it(folder: Path) -> None:
    flow = imported()
    pipe = flow.Add() >> flow.Double().with_config(rivusio.StreamConfig(retry_attempts=2))
    assert not is_compiled(pipe)  # and no warning, which would be an error


# What is broken: never executed


def mark(module: Path) -> str:
    """Let a generated module tell when it is executed; give its hash."""
    module.write_bytes(module.read_bytes() + b"\nraise SystemExit('executed')\n")
    return manifests.hash_of(module.read_bytes())


async def test_a_module_that_was_edited(folder: Path, artifact: Path) -> None:
    mark(artifact)
    reason = "flow__sync.py was changed after it was written"
    await only_interpreted(imported().sync, [4, 8, 12], reason)


@pytest.mark.parametrize("name", ["flow__sync.py", "flow__sync.json"])
@pytest.mark.parametrize("what", ["empty", "folder", "binary", "loop"])
async def test_no_artifact(folder: Path, artifact: Path, name: str, what: str) -> None:
    path = artifact.with_name(name)
    path.unlink()
    if what == "empty":
        path.touch()
    elif what == "folder":
        path.mkdir()
    elif what == "binary":
        path.write_bytes(bytes(range(256)))
    else:
        path.symlink_to(path)  # nobody can read it, not even root
    sync = imported().sync
    assert_interpreted_with_a_warning(sync)
    assert await results(sync) == [4, 8, 12]
    assert refusal(sync).startswith(name)


def assert_interpreted_with_a_warning(pipe: Any) -> None:
    with pytest.warns(NotCompiledWarning):
        assert not is_compiled(pipe)


def test_a_module_that_is_gone(folder: Path, artifact: Path) -> None:
    artifact.unlink()
    reason = "flow__sync.py cannot be read: No such file or directory"
    assert refusal(imported().sync) == reason


def test_a_manifest_that_is_cut_short_anywhere(folder: Path, artifact: Path) -> None:
    path = artifact.with_suffix(".json")
    whole = path.read_bytes()
    sync = imported().sync
    assert is_compiled(sync)
    for length in range(0, len(whole) - 1, len(whole) // 40):
        path.unlink()  # so that the folder changes
        path.write_bytes(whole[:length])
        assert refusal(sync) == "flow__sync.json is broken"


@pytest.mark.parametrize(
    "content",
    [b"null", b"[]", b"{}", b'"text"', b"[" * 100_000, b'{"format": {}}', b"9" * 5000, b"\xff\xfe"],
)
def test_a_manifest_that_is_none(folder: Path, artifact: Path, content: bytes) -> None:
    artifact.with_suffix(".json").write_bytes(content)
    assert refusal(imported().sync).startswith("flow__sync.json ")


def changed(path: Path, **fields: object) -> None:
    """Write a manifest of other content that is whole."""
    found = Manifest.model_validate_json(path.read_bytes())
    path.write_text(found.model_copy(update=fields).sealed().text(), encoding="utf-8")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("format", 99, "flow__sync.json was written by another version of rivusio"),
        ("rivusio", "0.0.1", "it was compiled by rivusio 0.0.1"),
        ("python", "2.7", "it was compiled for Python 2.7"),
    ],
)
async def test_an_artifact_of_another_version(
    folder: Path, artifact: Path, field: str, value: object, reason: str
) -> None:
    changed(artifact.with_suffix(".json"), **{field: value})
    await only_interpreted(imported().sync, [4, 8, 12], reason)


async def test_a_manifest_that_was_edited(folder: Path, artifact: Path) -> None:
    path, module = artifact.with_suffix(".json"), mark(artifact)
    found = Manifest.model_validate_json(path.read_bytes())
    path.write_text(found.model_copy(update={"module": module}).text(), encoding="utf-8")
    reason = "flow__sync.json was changed after it was written"
    await only_interpreted(imported().sync, [4, 8, 12], reason)


def test_a_module_that_python_does_not_take(folder: Path, artifact: Path) -> None:
    artifact.write_text("x = (", encoding="utf-8")
    changed(artifact.with_suffix(".json"), module=manifests.hash_of(b"x = ("))
    assert refusal(imported().sync).startswith("Python does not accept flow__sync.py: ")


def test_a_broken_artifact_leaves_the_others_alone(folder: Path, artifact: Path) -> None:
    artifact.with_suffix(".json").write_text("{", encoding="utf-8")
    assert is_compiled(imported().chain)


def test_the_artifacts_of_another_file_are_not_looked_at(folder: Path, artifact: Path) -> None:
    shutil.rmtree(artifact.parent)
    artifact.parent.mkdir()
    for name in ("flow__x__sync.json", "flow__x.index.json", "flow.index.json", "flow.json"):
        (artifact.parent / name).write_text("{", encoding="utf-8")
    assert refusal(imported().sync) == "it was not compiled"


def test_a_file_in_the_place_of_the_folder(folder: Path, artifact: Path) -> None:
    shutil.rmtree(artifact.parent)
    artifact.parent.write_text("no folder", encoding="utf-8")
    assert refusal(imported().sync) == "it was not compiled"


def test_each_file_has_its_own_warning(folder: Path) -> None:
    """Two chains of the same names in two files: both are told, each once."""
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    pipes: list[SyncPipeline[int, int] | AsyncPipeline[int, int]] = []
    for each in (folder, other):
        (each / "flow.py").write_text(FLOW + "\n", encoding="utf-8")
        sys.path.insert(0, str(each))  # syspath_prepend of `folder` restores it
        importlib.invalidate_caches()
        pipes.append(imported().sync)
        sys.modules.pop("flow")
    for pipe in pipes:
        assert_interpreted_with_a_warning(pipe)
    with warnings.catch_warnings(record=True) as caught:
        for pipe in pipes:
            assert not is_compiled(pipe)
    assert caught == []


def test_asserts_that_pytest_has_rewritten_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = """from rivusio import SyncBasePipe
class Sure(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        assert data > 0
        return data
chain = Sure()
def test_it() -> None:
    assert list(chain.iterate([1])) == [1]
"""
    Path("test_sure.py").write_text(text, encoding="utf-8")
    assert CliRunner().invoke(main, ["compile", "test_sure.py"]).exit_code == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_sure.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "pytest has rewritten its asserts; --assert=plain leaves them" in done.stdout
    plain = subprocess.run(
        [*command, "--assert=plain"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"RIVUSIO_MODE": "compiled"},
    )
    assert plain.returncode == 0


def test_a_working_folder_that_is_gone_stops_no_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = importlib.import_module("flow")
    (folder / "flow.py").write_text(FLOW + "# edited\n", encoding="utf-8")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.warns(NotCompiledWarning, match="stale: flow.py changed; run `rivusio compile "):
        assert len(list(flow.sync.iterate([1]))) == 1
