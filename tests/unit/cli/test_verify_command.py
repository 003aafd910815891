"""What `rivusio verify` says: of chains that are the same, of one that is not, of bad input."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rivusio.cli import main
from tests.places import ROOT

FLOW = """import inspect
import random
from dataclasses import dataclass
from datetime import timedelta
from rivusio import AsyncBasePipe, BatchStreamPipe, FilterPipe, SyncBasePipe, SyncPipeline
from rivusio import batch, map, take, tumbling

@dataclass
class Flight:
    miles: int
    late: bool = False

class Count(SyncBasePipe[Flight, int]):
    seen = 0
    def process(self, data: Flight) -> int:
        self.seen += 1
        return data.miles // (0 if data.miles == 13 else 1) + self.seen

class Ask(AsyncBasePipe[int, str]):
    async def process(self, data: int) -> str:
        return str(data)

class Total(BatchStreamPipe[int, int]):
    def process_batch(self, batch: list[int]) -> int:
        return sum(batch)

class Depth(SyncBasePipe[str, int]):
    def process(self, data: str) -> int:
        return depth()

class Roll(SyncBasePipe[str, float]):
    def process(self, data: str) -> float:
        return random.random()

def depth() -> int:
    return len(inspect.stack())

flights = Count() >> Ask()
totals = take(20) >> Total(3, linger=timedelta(seconds=1))
windows = tumbling(timedelta(seconds=1)) >> map(len)
class Held:
    texts = map(str.upper) >> map(len)
deep = Depth() >> map(str)
rolls = Roll() >> map(str)
def local() -> SyncPipeline[Flight, int]:
    return Count() >> map(abs)
"""
ODD = """import os
import threading
from dataclasses import dataclass, field
from typing import TypeVar
from rivusio import AsyncBasePipe, SyncBasePipe, map

In = TypeVar("In")
Out = TypeVar("Out")

@dataclass
class Job:
    n: int
    lock: threading.Lock = field(default_factory=threading.Lock)

@dataclass
class Order:
    jobs: list[Job]

def jobs_of(order: Order) -> int:
    return len(order.jobs)

class Lone(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data + 1

class LoneAsync(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        return data + 1

class Number(SyncBasePipe[Job, int]):
    def process(self, data: Job) -> int:
        data.n += 1
        return data.n

class Describe(SyncBasePipe[object, str]):
    def process(self, data: object) -> str:
        return str(getattr(data, "name", "?"))

class Step(SyncBasePipe[In, Out]):
    def process(self, data: In) -> Out:
        return self.work(data)
    def work(self, data: In) -> Out:
        raise NotImplementedError

class Parse(Step[str, int]):
    def work(self, data: str) -> int:
        return len(data)

class Ring:
    def __init__(self, n: int) -> None:
        self.n, self.me = n, self
    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

def ring(n: int) -> Ring:
    return Ring(n)

def same(n: Ring) -> Ring:
    return n

def leave(text: str) -> str:
    raise SystemExit(7)

async def interrupt(text: str) -> str:
    raise KeyboardInterrupt

def end(text: str) -> str:
    os._exit(3)

def half(text: str) -> str:
    raise ValueError("\\ud83d")

lone = Lone()
lone_async = LoneAsync()
locked = Number() >> str
objects = Describe() >> str.upper
nested = map(jobs_of) >> str
one = Parse() >> str
two = map(int) >> str
rings = map(ring) >> same
leaving = map(str.strip) >> leave
interrupted = map(str.strip) >> map(interrupt).concurrent(2)
ended = map(str.strip) >> end
halves = map(str.strip) >> half
"""
ENDED = (
    "interpreted, run 13, an async source, observed, has ended its process: "
    'stage 2 "end" called os._exit(3)'
)
UNKNOWN = "the first stage does not say what it takes; give items with --input FILE"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once")
    (folder / "flow.py").write_text(FLOW, encoding="utf-8")
    (folder / "odd.py").write_text(ODD, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        done = CliRunner().invoke(main, ["compile", "flow.py", "odd.py"])
    assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture(autouse=True)
def folder(once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the compiled file, to work in."""
    copy = tmp_path / "copy"
    shutil.copytree(once, copy)
    monkeypatch.chdir(copy)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return copy


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", *arguments])


def test_made_items_of_a_dataclass() -> None:
    done = verify("flow.py:flights", "--lists", "5")
    assert (done.exit_code, done.stderr) == (0, "")
    first, last = done.stdout.splitlines()
    assert first == "flights: the same in 55 runs"
    assert last.startswith("flow.py: interpreted and compiled are the same in ")
    assert last.endswith(" events of 55 runs")


def test_all_chains_of_a_file(folder: Path) -> None:
    for name in ("deep", "rolls"):
        (folder / "__rivusio__" / f"flow__{name}.json").unlink()
    done = verify("flow.py", "--lists", "3")
    assert (done.exit_code, done.stderr) == (0, "")
    *told, last = done.stdout.splitlines()
    assert told == [
        "Held.texts: the same in 36 runs",
        "flights: the same in 33 runs",
        "totals: the same in 30 runs",
        f"windows: not verified: {UNKNOWN}",
        "local: not verified: it has no name at the top level",
    ]
    assert last.endswith(" events of 99 runs")


def test_nothing_that_can_be_verified(folder: Path) -> None:
    for path in (folder / "__rivusio__").glob("flow__*.json"):
        if path.stem != "flow__local":
            path.unlink()
    done = verify("flow.py")
    assert done.exit_code == 1
    assert done.stderr == 'error: no chain of "flow.py" was verified\n'


def test_json_lines_are_made_what_the_first_stage_takes(folder: Path) -> None:
    lines = [json.dumps({"miles": miles, "late": True}) for miles in range(20)]
    (folder / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = verify("flow.py:flights", "--input", "data.jsonl")
    assert done.stdout.splitlines()[0] == "flights: the same in 11 runs"


def test_lines_of_text_go_in_as_they_are(folder: Path) -> None:
    (folder / "data.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    done = verify("flow.py:deep", "--input", "data.jsonl", "--only", "1")
    assert "pull  '{\"a\": 1}'" in done.stdout


def test_a_difference_is_shown_and_can_be_shown_again() -> None:
    done = verify("flow.py:deep", "--lists", "4")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("deep: compiled differs from interpreted; run ")
    assert {"interpreted", "compiled"} <= set(lines)
    command = shlex.split(lines[-1].partition("please report it: rivusio verify ")[2])
    assert command[0] == "flow.py:deep"
    again = verify(*command)
    assert (again.exit_code, again.stdout) == (1, done.stdout)


def test_a_chain_that_does_not_do_the_same_twice_is_no_fault_of_the_compiler(folder: Path) -> None:
    (folder / "data.txt").write_text("a\nb\n", encoding="utf-8")
    done = verify("flow.py:rolls", "--input", "data.txt")
    assert (done.exit_code, done.stderr) == (1, "")
    first, *_, last = lines = done.stdout.splitlines()
    assert first == (
        "rolls: not verified: interpreted twice, the chain does not do the same twice; "
        "run 1, an async source, observed:"
    )
    assert {"interpreted", "interpreted once more"} <= set(lines)
    assert "compiled" not in lines
    assert "report" not in done.stdout
    assert last.startswith("look in its own code for what changes from one process to the next: ")


def test_a_file_that_has_changed(folder: Path) -> None:
    (folder / "flow.py").write_text(FLOW + "changed = True\n", encoding="utf-8")
    done = verify("flow.py:flights")
    assert done.exit_code == 1
    assert "Count >> Ask cannot run compiled: stale: flow.py changed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.py"], 'cannot import "missing.py": there is no such file'),
        (["flow.py:other"], "\"flow.py\" has no pipeline 'other' at its top level"),
        (["flow.py:flights", "--input", "none"], 'cannot read "none": No such file or directory'),
        (["flow.py:windows"], "the first stage does not say what it takes; give items with"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], said: str) -> None:
    done = verify(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_item_that_does_not_fit(folder: Path) -> None:
    (folder / "data.jsonl").write_text('{"miles": 1}\n\n{"miles": "far"}\n', encoding="utf-8")
    done = verify("flow.py:flights", "--input", "data.jsonl")
    assert done.stderr.startswith(
        'error: line 3 of "data.jsonl" does not fit the first stage: miles'
    )


def test_a_line_that_is_no_json(folder: Path) -> None:
    (folder / "data.jsonl").write_text('{"miles": 1}\n{\n', encoding="utf-8")
    done = verify("flow.py:flights", "--input", "data.jsonl")
    assert done.exit_code == 1
    assert done.stderr.startswith('error: line 2 of "data.jsonl" is no JSON: ')


def test_a_file_of_which_nothing_is_compiled(folder: Path) -> None:
    (folder / "new.py").write_text(FLOW, encoding="utf-8")
    done = verify("new.py")
    assert done.stderr == 'error: nothing is compiled of "new.py"; run `rivusio compile new.py`\n'


def test_runs_that_do_not_end_are_given_up(folder: Path) -> None:
    endless = "from rivusio import map\nwhile True: pass\nchain = map(str)\n"
    (folder / "flow.py").write_text(endless, encoding="utf-8")
    done = verify("flow.py", "--timeout", "1")
    assert done.stderr.startswith("error: the runs have not ended within 1 s; give fewer items")


def test_a_run_that_does_not_end_is_named(folder: Path) -> None:
    text = ODD.replace("os._exit(3)", "while True: pass")
    (folder / "odd.py").write_text(text, encoding="utf-8")
    assert CliRunner().invoke(main, ["compile", "odd.py"]).exit_code == 0
    (folder / "data.txt").write_text("a\n", encoding="utf-8")
    done = verify("odd.py:ended", "--input", "data.txt", "--timeout", "5")
    assert done.stderr.startswith(
        "error: the runs have not ended within 5 s; it is at ended, run 1, an async source, "
        "observed; give fewer items"
    )


def test_what_cannot_be_copied_and_who_leaves_the_program() -> None:
    done = verify("odd.py", "--lists", "2")
    assert (done.exit_code, done.stderr) == (1, "")
    first = "first in run 12, an async source, observed"
    later = "first in run 13, an async source, observed"
    interrupted = 'stage 2 "interrupt" raised KeyboardInterrupt'
    told = {
        "halves": "the same in 24 runs",
        "interrupted": f"the same in 22 runs; {interrupted}, {first}",
        "leaving": f'the same in 24 runs; stage 2 "leave" raised SystemExit: 7, {later}',
        "locked": "the same in 24 runs",
        "lone": "the same in 24 runs",
        "lone_async": "the same in 22 runs",
        "nested": "the same in 24 runs",
        "objects": "the same in 24 runs",
        "one": "the same in 24 runs",
        "rings": "the same in 24 runs",
        "two": "the same in 24 runs",
        "ended": f"not verified: {ENDED}",
    }
    assert done.stdout.splitlines() == [f"{chain}: {said}" for chain, said in told.items()]


def test_a_chain_that_is_asked_for_and_ends_its_process() -> None:
    done = verify("odd.py:ended", "--lists", "2")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"error: {ENDED}\n"


def test_a_chain_that_is_left_by_system_exit_is_verified() -> None:
    done = verify("odd.py:leaving", "--lists", "2")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "SystemExit: 7" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_process_that_is_killed_says_by_which_signal(folder: Path) -> None:
    text = ODD.replace("os._exit(3)", "os.kill(os.getpid(), 15)")
    (folder / "odd.py").write_text(text, encoding="utf-8")
    assert CliRunner().invoke(main, ["compile", "odd.py"]).exit_code == 0
    done = verify("odd.py:ended", "--lists", "2")
    assert (done.exit_code, done.stderr.endswith("has ended its process: killed by SIGTERM\n")) == (
        1,
        True,
    )


def test_a_chain_that_cannot_run_compiled_does_not_hide_the_others(folder: Path) -> None:
    for path in (folder / "__rivusio__").glob("odd__*.json"):
        if path.stem not in ("odd__lone", "odd__one"):
            path.unlink()
    (folder / "__rivusio__" / "odd__one.py").write_text("", encoding="utf-8")
    done = verify("odd.py", "--lists", "2")
    assert done.exit_code == 1
    first, second = done.stdout.splitlines()
    assert first == "lone: the same in 24 runs"
    assert second.startswith("one: not verified: Parse >> str cannot run compiled: ")


@pytest.mark.parametrize("name", ["PYTHONWARNINGS", "PYTHONDEVMODE"])
def test_warnings_that_are_errors_are_no_reason(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, {"PYTHONWARNINGS": "error"}.get(name, "1"))
    done = verify("odd.py:lone", "--lists", "2")
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_warning_of_the_users_is_an_error_where_it_was_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["error::DeprecationWarning"])
    text = f"import warnings\nwarnings.warn('old', DeprecationWarning)\n{FLOW}"
    (folder / "flow.py").write_text(text, encoding="utf-8")
    done = verify("flow.py")
    assert (done.exit_code, "DeprecationWarning: old at flow.py:2" in done.stderr) == (1, True)
