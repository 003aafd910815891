"""Each process that asks mypy at the same time has a cache of its own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mypy import build
from mypy.options import Options

from rivusio.compiler.locks import lock_now
from rivusio.compiler.mypy_server import build as mypy_build
from rivusio.compiler.mypy_server import options as mypy_options

HOLDING = """
import sys
from pathlib import Path
from rivusio.compiler.mypy_server import options
print(options._one_of_ours(Path("caches")), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mypy_options, "_held", {})


def holder() -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", HOLDING], stdin=pipe, stdout=pipe, text=True)


def test_who_comes_while_a_cache_is_used_has_another_and_the_next_finds_both_free() -> None:
    for _ in range(2):
        with holder() as first:
            assert first.stdout is not None
            assert first.stdout.readline() == "caches\n"
            with holder() as second:
                assert second.stdout is not None
                assert second.stdout.readline() == "caches-2\n"
                second.kill()  # a lock ends with its process, however that ends
            first.kill()


def test_a_process_keeps_its_cache() -> None:
    assert mypy_options._one_of_ours(Path("caches")) == "caches"
    assert mypy_options._one_of_ours(Path("caches")) == "caches"


def test_where_all_are_used_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mypy_options, "CACHES", 2)
    held = []
    for name in ("caches", "caches-2"):
        Path(name).mkdir()
        held.append(lock_now(Path(name) / "lock"))
    assert mypy_options._one_of_ours(Path("caches")) == os.devnull
    for each in held:
        assert each is not None
        os.close(each)


def test_where_there_are_no_locks_there_is_one_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(_: Path) -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(mypy_options, "lock_now", unsupported)
    assert mypy_options._one_of_ours(Path("caches")) == "caches"


def test_where_no_cache_can_be_there_is_none() -> None:
    Path("caches").write_text("a file", encoding="utf-8")
    assert mypy_options._one_of_ours(Path("caches")) is None


@pytest.mark.parametrize(
    ("error", "is_left"),
    [(sqlite3.DatabaseError("spoilt"), False), (sqlite3.OperationalError("locked"), True)],
)
def test_a_cache_that_is_of_no_use_is_done_without_and_one_that_is_spoilt_removed(
    monkeypatch: pytest.MonkeyPatch, error: Exception, is_left: bool
) -> None:
    asked = []
    result = object()

    def built(_: object, options: Options, **__: object) -> object:
        asked.append(options.cache_dir)
        if options.cache_dir != os.devnull:
            raise error
        return result

    monkeypatch.setattr(build, "build", built)
    database = Path("caches/3.11/cache.0.db")
    database.parent.mkdir(parents=True)
    database.touch()
    options = Options()
    options.cache_dir = "caches"
    assert mypy_build._build([], options, []) is result
    assert asked == ["caches", os.devnull]
    assert database.exists() == is_left
