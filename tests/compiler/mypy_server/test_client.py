"""The child process that runs mypy: one for all that is asked, and none that stays behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rivusio.compiler.mypy_server import client
from rivusio.compiler.mypy_server.client import Mypy, OracleError
from rivusio.compiler.typecheck import request
from rivusio.compiler.typecheck.request import AskedFile, Request
from rivusio.compiler.validate import request as type_request
from rivusio.compiler.validate.request import Generated
from tests.places import ROOT

TEXT = "answer: int = 42\n"
MODULE = "import plain as m_plain\nanswer: str = m_plain.answer\n"


@pytest.fixture(autouse=True)
def one_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own; mypy reads rivusio itself once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Mypy]:
    """Give every child that is started."""
    found: list[Mypy] = []
    start = Mypy.__init__

    def noted(self: Mypy) -> None:
        start(self)
        found.append(self)

    monkeypatch.setattr(Mypy, "__init__", noted)
    return found


def ask_oracle() -> request.Answer:
    return request.ask(Request((AskedFile("plain.py", TEXT, ()),)))


def is_gone(mypy: Mypy) -> bool:
    try:
        os.kill(mypy._child.pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_child_answers_all_that_is_asked_inside(started: list[Mypy]) -> None:
    with client.keep_child():
        assert [file.module for file in ask_oracle().files] == ["plain"]
        said = type_request.strict(
            [Generated("generated", "generated.py", MODULE)], [("plain.py", TEXT)]
        )
        assert [each.line for each in said] == [2]
    assert len(started) == 1
    assert is_gone(started[0])


def test_a_child_that_is_not_kept_is_gone_with_its_answer(started: list[Mypy]) -> None:
    ask_oracle()
    assert len(started) == 1
    assert is_gone(started[0])


def test_a_child_that_takes_too_long_is_ended(started: list[Mypy]) -> None:
    with pytest.raises(OracleError, match="has not answered within 0 s; try --timeout 0"):
        request.ask(Request((AskedFile("plain.py", TEXT, ()),)), timeout=0)
    assert is_gone(started[0])


def test_an_exception_inside_leaves_no_child_behind(started: list[Mypy]) -> None:
    with pytest.raises(KeyboardInterrupt), client.keep_child():
        raise KeyboardInterrupt
    assert is_gone(started[0])
