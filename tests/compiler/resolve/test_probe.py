"""What a file's chains are once it is imported, and what comes of files that cannot be."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.source import parse
from rivusio.compiler.resolve import probe
from rivusio.compiler.resolve.probe import Live, LiveChain, LiveError
from rivusio.graph.signature import Shape

HEAD = """
import functools, operator, os
from rivusio import StreamConfig, SyncBasePipe, SyncPipeline, map, take
from sibling import Shout, shout

class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return 2 * data
"""
SIBLING = """
from rivusio import SyncBasePipe
class Shout(SyncBasePipe[str, str]):
    def process(self, data: str) -> str:
        return data.upper()
shout = Shout()
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sibling.py").write_text(SIBLING, encoding="utf-8")
    return tmp_path


def look(text: str, timeout: float = 60) -> Live:
    Path("case.py").write_text(HEAD + text, encoding="utf-8")
    return probe.look("case.py", timeout)


def shown(live: Live) -> list[str]:
    return [_shown(each) for each in live.chains]


def _shown(chain: LiveChain) -> str:
    return f"{chain.name}: {' | '.join(stage.name for stage in chain.stages)}"


def test_chains_and_lone_pipes_come_with_their_names() -> None:
    live = look(
        "lone = Double()\n"
        "chain = map(int) >> lone\n"
        "longer = chain >> map(str)\n"
        "map(int) >> map(str)\n"
        "class Holder:\n"
        "    class Inner:\n"
        "        chain = map(str) >> Shout()\n"
    )
    assert shown(live) == [
        "chain: int | Double",
        "longer: int | Double | str",
        "None: int | str",
        "Holder.Inner.chain: str | Shout",
        "shout: Shout",
        "lone: Double",
    ]


FORMS = {
    "an operator": "chain = map(int) >> Double() >> map(str)",
    "on the right": "chain = map(int) >> (Double() >> map(str))",
    "in several lines": "chain = (\n    map(int)\n    >> Double()\n)",
    "a method": "chain = map(int).then(Double())",
    "a list": "chain = SyncPipeline([map(int), Double()])",
    "settings": "chain = (map(int) >> Double()).with_config(StreamConfig(retry_attempts=2))",
    "behind an umlaut": "ä = 'ä'; chain = map(int) >> Double()",
    "in a function": "def make():\n    return map(int) >> Double()\nchain = make()",
    "growing": "chain = map(int) >> Double()\nchain >>= map(str)",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_span_is_that_of_the_text(text: str) -> None:
    live = look(text)
    found = finder.chains(parse("case.py", HEAD + text))
    [chain] = [each for each in live.chains if each.name == "chain"]
    assert chain.span == found[-1].span
    assert chain.file is not None
    assert Path(chain.file).samefile("case.py")


def test_stages_have_the_shape_and_the_function_of_the_live_stage() -> None:
    live = look(
        "chain = map(int) >> Double().with_config(StreamConfig(retry_attempts=2)) "
        ">> take(0) >> (lambda n: n) >> map(str) >> shout\n"
    )
    [chain] = [each for each in live.chains if each.name == "chain"]
    integer, double, none, function, _, there = chain.stages
    assert (integer.function, integer.no_function) == (None, "it is a class")
    assert double.shape == Shape("map", "call", treated=True)
    assert double.function is not None
    assert (double.function.module, double.function.qualname) == ("case", "Double.process")
    assert (none.shape.kind, none.no_function) == ("take_none", "it runs no code of yours")
    assert function.function is not None
    assert function.function.qualname == "<lambda>"
    assert there.function is not None
    assert there.function.module == "sibling"
    names = {each.name: each.names for each in live.modules}
    assert names.keys() == {"case", "sibling"}
    assert {"Double", "chain", "Shout"} <= set(names["case"])


WHY_NONE = {
    "json.loads": "it is not the project's own code",
    "len": "it is no Python function",
    "Other().bound": "it is a method of another object",
    "closure(1)": "it uses names of the function around it",
    "made": "its module cannot be found",
}


@pytest.mark.parametrize(("function", "reason"), WHY_NONE.items())
def test_why_there_is_no_function(function: str, reason: str) -> None:
    live = look(
        "import json, types\n"
        "class Other:\n    def bound(self, data): return data\n"
        "def closure(n):\n    return lambda data: data + n\n"
        "made = types.FunctionType(closure.__code__, {})\n"
        f"chain = map({function}) >> map(str)\n"
    )
    [chain] = [each for each in live.chains if each.name == "chain"]
    assert chain.stages[0].no_function == reason


def test_what_the_file_does_with_its_streams_does_not_matter() -> None:
    live = look(
        "import sys, subprocess\n"
        "print('{}')\n"
        "os.write(1, b'[]')\n"
        "sys.stdout.write('x')\n"
        "subprocess.run(['echo', 'noise'])\n"
        "assert sys.stdin.read() == ''\n"
        "print('bad', file=sys.stderr)\n"
        "chain = map(int) >> Double()\n"
    )
    assert "chain: int | Double" in shown(live)


def test_a_thread_that_goes_on_does_not_keep_the_answer() -> None:
    live = look(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "chain = map(int) >> Double()\n",
        timeout=30,
    )
    assert "chain: int | Double" in shown(live)


REFUSED = {
    "an exception": (
        "1 / 0",
        (
            'cannot import "case.py": ZeroDivisionError: division by zero at case.py:9: 1 / 0; '
            "mend it until `python case.py` runs"
        ),
    ),
    "sys.exit": (
        "import sys; sys.exit(3)",
        (
            'cannot import "case.py": it called sys.exit(3); put what runs it under if __name__ == '
            '"__main__":'
        ),
    ),
    "a missing import": (
        "import nothing_of_this_name",
        (
            'cannot import "case.py": ModuleNotFoundError: No module named '
            "'nothing_of_this_name' at case.py:9: import nothing_of_this_name; "
            "mend it until `python case.py` runs"
        ),
    ),
    "an interrupt": ("raise KeyboardInterrupt", 'importing "case.py" failed: KeyboardInterrupt()'),
    "the end of Python": (
        "os._exit(0)",
        'importing "case.py" failed: it ended Python with exit code 0',
    ),
    "a crash": (
        "os.kill(os.getpid(), 11)",
        f'importing "case.py" failed: Python was ended by signal {int(signal.SIGSEGV)}',
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_imported_gives_one_line(text: str, message: str) -> None:
    with pytest.raises(LiveError) as error:
        look(text)
    assert str(error.value) == message


def test_a_file_that_hangs_is_ended_with_all_that_it_has_started() -> None:
    with pytest.raises(LiveError) as error:
        look("import subprocess\nsubprocess.run(['sleep', '60'])", timeout=1)
    assert str(error.value) == (
        'importing "case.py" has not ended within 1 s; put what runs it under '
        'if __name__ == "__main__":, or try --timeout 2'
    )


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(LiveError, match="there is no such file"):
        probe.look("missing.py")
