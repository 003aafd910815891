"""What mypy has against generated modules, whatever the user's settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.mypy_server import client
from rivusio.compiler.mypy_server.client import OracleError
from rivusio.compiler.mypy_server.subprocesses import TIMEOUT
from rivusio.compiler.validate import handler
from rivusio.compiler.validate import request as type_request
from rivusio.compiler.validate.request import Generated, strict
from tests.places import ROOT

FLIGHTS = """import json
from datetime import datetime
def parse(text: str) -> datetime | None:
    return json.loads(text) and datetime(2000, 1, 1)
def loose(data):
    return data
"""
CLEAN = """from __future__ import annotations
from typing import Any
import datetime as m_datetime
import flights as m_flights
def run(text: str, other: Any) -> m_datetime.datetime | None:
    m_flights.json.loads(text)
    return m_flights.parse(text)
"""
WRONG = CLEAN.replace("return m_flights.parse(text)", "return text")
MESSAGE = 'Incompatible return value type (got "str", expected "datetime | None")'


@pytest.fixture(autouse=True)
def one_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own; mypy reads rivusio itself once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))


@pytest.fixture
def in_child() -> None:
    """Ask mypy in a child process, as the compiler does."""


@pytest.fixture(autouse=True)
def one_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask mypy in this process, which saves its start, unless the test wants a child."""

    def answer(_: str, asked: bytes, *__: object) -> type_request.Answer:
        return handler.answer(type_request.REQUEST.validate_json(asked))

    if "in_child" not in request.fixturenames:
        monkeypatch.setattr(client, "ask", answer)


def generated(text: str, name: str = "flights__chain") -> Generated:
    return Generated(name, f"__rivusio__/{name}.py", text)


def said(*texts: str, flights: str = FLIGHTS) -> list[str | None]:
    """Verify modules made from `flights.py`, and give the codes of what mypy has against them."""
    modules = [generated(text, f"flights__{index}") for index, text in enumerate(texts)]
    return [each.code for each in strict(modules, [("flights.py", flights)])]


# What is wrong


def test_a_clean_module_has_no_complaint() -> None:
    assert strict([generated(CLEAN)], [("flights.py", FLIGHTS)]) == ()


def test_no_module_needs_no_mypy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ask", None)
    assert strict([], [("flights.py", FLIGHTS)]) == ()


@pytest.mark.usefixtures("in_child")
def test_an_error_is_told_with_its_place() -> None:
    modules = [generated(CLEAN, "clean"), generated(WRONG, "wrong")]
    assert strict(modules, [("flights.py", FLIGHTS)]) == (
        Complaint("__rivusio__/wrong.py", 7, 11, MESSAGE, "return-value"),
    )


def test_a_path_is_given_back_as_it_came(tmp_path: Path) -> None:
    for path in (str(tmp_path / "a.py"), "./sub/../a.py", "<the chain of flights>"):
        [complaint] = strict([Generated("a", path, WRONG)], [("flights.py", FLIGHTS)])
        assert complaint.path == path


def test_what_is_no_python_is_a_complaint() -> None:
    [complaint] = strict([generated("def\n")], [("flights.py", FLIGHTS)])
    assert (complaint.line, complaint.code, complaint.stops) == (1, "syntax", True)


def test_errors_of_the_user_are_none_of_ours() -> None:
    assert said(CLEAN, flights=FLIGHTS + "number: int = ''\n") == []


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("no-untyped-def", "def f(x): ..."),
        ("type-arg", "def f(x: list) -> None: ..."),
        ("no-untyped-call", "def f() -> None: m_flights.loose(1)"),
        ("no-any-return", "def f(x: Any) -> int: return x"),
        ("unused-ignore", "x: int = 1  # type: ignore[assignment]"),
        ("redundant-cast", "from typing import cast\ny = cast(int, int(3))"),
        ("comparison-overlap", "def f(x: int) -> bool: return x == 'x'"),
    ],
)
def test_it_is_strict(code: str, line: str) -> None:
    assert said(CLEAN + line + "\n") == [code]


# Whence the user's types come


def test_nothing_is_an_item_as_any_other() -> None:
    call = "from collections.abc import Awaitable\nasync def f(x: Awaitable[None]) -> list[None]:\n"
    assert said(CLEAN + call + "    item = await x\n    return [item]\n") == []


def test_a_user_file_is_found_wherever_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "somewhere" / "else"
    folder.mkdir(parents=True)
    (folder / "helper.py").write_text("class Row: ...\n", encoding="utf-8")
    user = "from helper import Row\ndef row() -> Row: ...  # type: ignore\n"
    (folder / "user.py").write_text(user, encoding="utf-8")
    text = (
        "import helper as m_helper\nimport user as m_user\nrow: m_helper.Row = m_user.row()\n"
        "number: int = m_user.row()\n"
    )
    [complaint] = strict([generated(text)], [(str(folder / "user.py"), user)])
    assert (complaint.line, complaint.code) == (4, "assignment")


def test_a_user_file_in_a_package_has_its_full_name(tmp_path: Path) -> None:
    folder = tmp_path / "package" / "inner"
    folder.mkdir(parents=True)
    for each in (folder, folder.parent):
        (each / "__init__.py").touch()
    text = CLEAN.replace("import flights", "import package.inner.flights")
    path = str(folder / "flights.py")
    assert strict([generated(text, "package.inner.__rivusio__.flights")], [(path, FLIGHTS)]) == ()


def test_the_text_counts_and_not_what_is_in_the_file() -> None:
    Path("flights.py").write_text("", encoding="utf-8")
    assert said(CLEAN) == []


def test_two_files_of_one_name_are_told_apart_as_the_oracle_does() -> None:
    text = "import rivusio_checks_1 as m\nimport flights as m_flights\nm.second, m_flights.first\n"
    files = [("a/flights.py", "first = 1\n"), ("b/flights.py", "second = 2\n")]
    assert strict([generated(text)], files) == ()


# The user's settings


ODD = """
disallow_any_explicit = true
disallow_any_expr = true
disallow_any_decorated = true
disallow_any_unimported = true
warn_unreachable = true
enable_error_code = explicit-override, redundant-expr, truthy-bool, unused-awaitable
"""
LOOSE = """
ignore_errors = true
disallow_untyped_defs = false
warn_return_any = false
disable_error_code = return-value, no-untyped-def
"""
UNREACHABLE = """
def f(x: int) -> Any:
    if isinstance(x, int):
        return x
    return 2
"""


@pytest.mark.parametrize("section", ["[mypy]", "[mypy-flights__0]", "[mypy-*__0]", "[mypy-f*]"])
def test_settings_neither_tighten_nor_loosen_it(section: str) -> None:
    head = "" if section == "[mypy]" else "[mypy]\n"
    Path("mypy.ini").write_text(f"{head}{section}{ODD}", encoding="utf-8")
    assert said(CLEAN + UNREACHABLE) == []
    Path("mypy.ini").write_text(f"{head}{section}{LOOSE}", encoding="utf-8")
    assert said(WRONG + "def f(x): ...\n") == ["return-value", "no-untyped-def"]


@pytest.mark.parametrize("follow", ["normal", "silent", "skip", "error"])
def test_imports_are_followed_as_the_user_wants(follow: str) -> None:
    Path("mypy.ini").write_text(f"[mypy]\nfollow_imports = {follow}\n", encoding="utf-8")
    Path("helper.py").write_text("number: int = ''\n", encoding="utf-8")
    text = "import helper as m_helper\nfrom typing import Any\nx: Any = m_helper.number\n"
    assert said(CLEAN, text) == []


def test_what_is_none_to_the_user_is_none_to_us() -> None:
    Path("mypy.ini").write_text("[mypy]\n[mypy-flights]\nstrict_optional = false\n", "utf-8")
    assert said(CLEAN.replace("datetime | None", "datetime")) == []


def test_the_path_of_the_settings_is_searched() -> None:
    Path("lib").mkdir()
    Path("lib/library.py").write_text("class Row: ...\n", encoding="utf-8")
    text = "import library as m_library\nx: m_library.Row = 1\n"
    Path("mypy.ini").write_text("[mypy]\nmypy_path = lib\n", encoding="utf-8")
    assert said(text) == ["assignment"]


@pytest.mark.usefixtures("in_child")
def test_the_plugins_of_the_settings_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYPY_CACHE_DIR", "cache")  # another plugin, another cache
    plugin = (
        "from mypy.plugin import Plugin\n"
        "class Ours(Plugin):\n"
        "    def get_function_hook(self, fullname):\n"
        "        return self.text if fullname == 'flights.parse' else None\n"
        "    def text(self, context):\n"
        "        return context.api.named_generic_type('builtins.str', [])\n"
        "print('hello')\n"
        "def plugin(version): return Ours\n"
    )
    Path("ours.py").write_text(plugin, encoding="utf-8")
    Path("mypy.ini").write_text("[mypy]\nplugins = ours.py\n", encoding="utf-8")
    assert said(CLEAN) == ["return-value"]
    assert said(CLEAN.replace("m_datetime.datetime | None", "str")) == []


@pytest.mark.usefixtures("in_child")
def test_the_plugin_of_pydantic_makes_no_trouble() -> None:
    Path("mypy.ini").write_text("[mypy]\nplugins = pydantic.mypy\n", encoding="utf-8")
    user = (
        "from pydantic import BaseModel\nclass Model(BaseModel):\n    name: str\n"
        "def make(name: str) -> Model:\n    return Model(name=name)\n"
    )
    text = "import flights as m_flights\nmodel: m_flights.Model = m_flights.make('a')\n"
    assert said(text, flights=user) == []


# No answer


def test_what_stops_mypy_elsewhere_is_no_clean_answer() -> None:
    Path("helper.py").write_text("def\n", encoding="utf-8")
    with pytest.raises(OracleError, match=r"^mypy cannot go on: .*helper.py:1: "):
        said(CLEAN, flights=FLIGHTS + "import helper\n")


def _settings(plugin: str) -> None:
    Path("mypy.ini").write_text("[mypy]\nplugins = odd.py\n", encoding="utf-8")
    Path("odd.py").write_text(plugin, encoding="utf-8")


@pytest.mark.usefixtures("in_child")
@pytest.mark.parametrize(
    ("plugin", "why"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "ended by signal 9"),
        ("def plugin(version): raise RuntimeError('no')\n", "mypy failed: .*no"),
        ("import time\ntime.sleep(60)\n", r"not answered within 0.5 s; try --timeout 1"),
    ],
)
def test_a_mypy_that_gives_no_answer_is_told(plugin: str, why: str) -> None:
    _settings(plugin)
    timeout = 0.5 if "sleep" in plugin else TIMEOUT
    with pytest.raises(OracleError, match=why):
        strict([generated(CLEAN)], [("flights.py", FLIGHTS)], timeout)
