"""Spoilt artifacts: never executed, one reason in each mode."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rivusio.artifacts import loader
from rivusio.artifacts import manifest as manifests
from tests.places import ROOT
from tests.robustness.artifacts import (
    FLOW,
    NAME,
    SPOILS,
    TRAP,
    Beside,
    auto_reasons,
    beside,
    compiled_reason,
    edited,
    faults,
    imported,
)
from tests.robustness.support import told

PLACES = 50  # of each file that are spoilt in each way; the long campaign spoils all


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the file is compiled; tests work on copies."""
    folder = tmp_path_factory.mktemp("once")
    (folder / f"{NAME}.py").write_text(FLOW, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        assert told("compile", f"{NAME}.py").code == 0
    return folder


@pytest.fixture
def flow(once: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The file, imported from a copy; what was told before is forgotten."""
    shutil.copytree(once, here / "copy")
    monkeypatch.setattr(loader, "_warned", set())
    with imported(here / "copy") as module:
        yield module


@pytest.fixture
def at(flow: Any, here: Path) -> Beside:
    return beside(here / "copy")


def contents(at: Beside) -> tuple[bytes, bytes]:
    return at.module.read_bytes(), at.manifest.read_bytes()


def test_what_is_whole_runs(flow: Any, at: Beside) -> None:
    assert compiled_reason(flow.chain) is None
    assert auto_reasons(flow.chain) == []


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("which", [0, 1], ids=["module", "manifest"])
def test_a_file_that_is_spoilt_anywhere_never_runs(
    flow: Any, at: Beside, which: int, spoil: str
) -> None:
    original = contents(at)
    chosen = random.Random(7)  # noqa: S311  no secret
    for number in range(PLACES):
        place = len(original[which]) * number // PLACES
        spoilt = list(original)
        spoilt[which] = SPOILS[spoil](original[which], place, chosen)
        at.restore((spoilt[0], spoilt[1]))
        assert list(faults(flow.chain, original, at)) == [], (spoil, place)


def test_files_that_have_changed_places_never_run(flow: Any, at: Beside) -> None:
    """Each is whole, but stands where another belongs."""
    original = contents(at)
    folder = at.module.parent
    other = Beside(folder / f"{NAME}__other.py", folder / f"{NAME}__other.json")
    theirs = contents(other)
    for spoilt in ((theirs[0], original[1]), (original[0], theirs[1])):
        at.restore(spoilt)
        assert list(faults(flow.chain, original, at)) == []
    at.restore(theirs)  # a whole artifact, of the other chain
    assert compiled_reason(flow.other) is None
    assert compiled_reason(flow.chain) is not None
    at.restore((original[1], original[0]))
    assert list(faults(flow.chain, original, at)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"rivusio": "99"},
        {"rivusio": ""},
        {"python": "3.0"},
        {"format": 0},
        {"sources": {f"{NAME}.py": "0" * 64}},
        {"sources": {"../nowhere.py": "0" * 64}},
        {"module": "0" * 64},
        {"shapes": ()},
    ],
    ids=str,
)
def test_a_manifest_that_was_written_for_something_else_is_no_licence(
    flow: Any, at: Beside, fields: dict[str, object]
) -> None:
    original = contents(at)
    at.restore((original[0] + TRAP, edited(at.manifest, **fields)))
    assert list(faults(flow.chain, original, at)) == []


def test_a_module_that_was_edited_by_hand_says_so(flow: Any, at: Beside) -> None:
    at.module.write_bytes(at.module.read_bytes().replace(b"* 2", b"* 3") + TRAP)
    assert compiled_reason(flow.chain) == f"{NAME}__chain.py was changed after it was written"


def test_an_artifact_that_is_put_back_runs_again(flow: Any, at: Beside) -> None:
    original = contents(at)
    at.restore((b"", b""))
    assert compiled_reason(flow.chain) is not None
    at.restore(original)
    assert compiled_reason(flow.chain) is None
    assert manifests.read(at.manifest).module == manifests.hash_of(original[0])
