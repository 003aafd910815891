"""The command `rivusio`, as people type it."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rivusio
from rivusio.artifacts import loader
from rivusio.io.line_items import LineError, LineItems, Reading
from rivusio.io.lines import Lines
from rivusio.io.results import ResultError, as_line
from tests.unit.cli.commandline import cli, started, write

FLOW = """
from datetime import timedelta

from rivusio import *
from rivusio import batch, map, tumbling

class Number(SyncBasePipe[str, int]):
    def process(self, data: str) -> int:
        return int(data)

class Wait(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        return data

numbers = Number() >> map(lambda number: 2 * number)
pairs = Number() >> Wait() >> batch(2)
buffered = Number().with_config(BackpressureConfig(max_buffer_size=3)) >> str
skipping = Number().with_config(StreamConfig(on_error="skip")) >> str
_private = Number() >> str
Parse = Number

def function(line):
    return line
"""

pytestmark = pytest.mark.usefixtures("mode", "clean_imports")


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "flow.py"
    path.write_text(FLOW, encoding="utf-8")
    return path


# What it writes


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize(
    ("chain", "lines"),
    [("numbers", "2\n4\n6\n"), ("pairs", "[1,2]\n[3]\n"), ("buffered", "1\n2\n3\n")],
)
def test_run_writes_each_result_as_a_line(chain: str, lines: str) -> None:
    done = cli("run", f"flow.py:{chain}", text="1\n2\n3\n")
    assert (done.exit_code, done.stdout, done.stderr) == (0, lines, "")


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ("as it is", "as it is"),
        ({"delay": 3, "of": ("SFO", None)}, '{"delay":3,"of":["SFO",null]}'),
        (rivusio.MetricValue(1.0, 2.0), '{"timestamp":1.0,"value":2.0}'),
        (1j, '"1j"'),
        (b"text", '"text"'),
        (None, "null"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_a_result_is_text_or_json(result: Any, line: str) -> None:
    assert as_line(result) == f"{line}\n".encode()


def holding_itself() -> list[Any]:
    result: list[Any] = []
    result.append(result)
    return result


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels else []


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError("no repr")


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (b"\xff", r"it has bytes in it that are not UTF-8: b'\xff'"),
        ("\ud83d", "it has half of a surrogate pair in it, which UTF-8 cannot hold: '\\ud83d'"),
        ({"s": "\ud83d"}, "it has half of a surrogate pair in it, which UTF-8 cannot hold: {"),
        (math.nan, "it has a number in it that is not finite: nan"),
        ([-math.inf], "it has a number in it that is not finite: [-inf]"),
        (holding_itself(), "it holds itself: [[...]]"),
        (nested(260), "it is nested too deep: [[["),
        (Unprintable(), "Unable to serialize unknown type: <class 'test"),
    ],
)
def test_a_result_that_is_neither_text_nor_json_is_refused(result: Any, why: str) -> None:
    with pytest.raises(ResultError) as refused:
        as_line(result)
    assert str(refused.value).startswith(why)


def test_version() -> None:
    assert cli("--version").stdout == f"rivusio {rivusio.__version__}\n"


@pytest.mark.usefixtures("flow")
def test_stats_go_to_stderr() -> None:
    done = cli("run", "flow.py:skipping", "--stats", text="1\nx\n3\n")
    assert (done.exit_code, done.stdout) == (0, "1\n3\n")
    assert "skipped" in done.stderr
    assert "dropped" not in done.stderr  # nothing was
    assert "3 items in, 2 out, " in done.stderr


@pytest.mark.usefixtures("flow")
def test_the_totals_of_stats_stand_on_a_line_of_their_own() -> None:
    done = cli("run", "flow.py:numbers", "--stats", text="1\n2\n3\n")
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"3 items in, 3 out, [\d.]+ s, [\d,]+ items/s", last)


@pytest.mark.usefixtures("flow")
def test_graph_shows_the_stages() -> None:
    done = cli("graph", "flow.py:pairs")
    rows = [line.strip("│\n").split("│") for line in done.stdout.splitlines() if line[:1] == "│"]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["1", "Number", "one item to one", "sync", ""],
        ["2", "Wait", "one item to one", "async", ""],
        ["3", "batch", "batch of 2", "sync", ""],
    ]


def test_graph_shows_operations_and_settings() -> None:
    write(
        "flow.py",
        """
from datetime import timedelta
from rivusio import *
from rivusio import filter, map

class Everything(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        return data
    async def handle_error(self, error: Exception, data: int) -> int:
        return data

class Stream(StreamPipe[int, int]):
    async def process_stream(self, stream):
        async for item in stream:
            yield item

set_aside = []
settings = StreamConfig(retry_attempts=3, timeout=2, on_error=set_aside.append, skip_none=True,
    backpressure=BackpressureConfig(max_buffer_size=5, overflow="fail"))
chain = (
    Everything().with_config(settings)
    >> Everything("both").concurrent(4, ordered=False)
    >> filter(bool).with_config(StreamConfig(on_error="skip"))
    >> flat_map(range) >> take(7) >> Stream() >> map(str).concurrent(2, threads=True)
    >> batch(5) >> batch(6, linger=timedelta(seconds=1.5))
    >> tumbling(timedelta(minutes=1)) >> sliding(3, 2)
)
""",
    )
    shown = cli("graph", "flow.py")
    assert shown.exit_code == 0
    for words in (
        "buffer of 5, overflow fail",
        "timeout 2 s",
        "3 tries, delay 1 s, backoff 2",
        "handle_error",
        "dead letters to list.append",
        "skip_none",
        "4 at once, unordered",
        "2 at once, ordered, in threads",
        "on_error: skip",
        "filter",
        "one item to many",
        "the first 7 items",
        "stream to stream",
        "batch of 5 ",
        "batch of 6, linger 1.5 s",
        "tumbling window of 60 s",
        "sliding window of 3, step 2",
    ):
        assert words in shown.stdout


# Which pipeline


def test_the_one_chain_of_a_file_needs_no_name() -> None:
    write("flow.py", "from rivusio import map\np = map(int)\nchain = p >> str\nsame = chain")
    assert cli("run", "flow.py", text="1\n").stdout == "1\n"


def test_a_lone_pipe_is_a_chain() -> None:
    write("flow.py", "from rivusio import map\nparse = map(int)\n")
    assert cli("run", "flow.py", text="1\n").stdout == "1\n"


def test_a_file_may_import_what_stands_beside_it() -> None:
    write("beside.py", "from rivusio import map\nparse = map(int) >> str\n")
    write("flow.py", "from beside import parse\n")
    assert cli("run", "flow.py", text="1\n").stdout == "1\n"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "flow.py",
            (
                'several pipelines in "flow.py": "numbers" (2 stages), "pairs" (3 stages), '
                '"buffered" (2 stages), "skipping" (2 stages); say which, such as flow.py:skipping'
            ),
        ),
        (
            "flow.py:number",
            (
                'no "number" in "flow.py": there are "numbers" (2 stages), "pairs" (3 stages), '
                '"buffered" (2 stages), "skipping" (2 stages); '
                "give the name of one at the file's top level"
            ),
        ),
        (
            "flow.py:Parse",
            '"Parse" in "flow.py" is a class, and no pipeline; make one of it: pipe = Parse()',
        ),
        (
            "flow.py:function",
            (
                '"function" in "flow.py" is no pipeline, but of type function; '
                "make it a pipe with @pipe, or join it: chain = map(function)"
            ),
        ),
        (
            "flaw.py",
            'cannot import "flaw.py": there is no such file; give the path of a Python file',
        ),
        (".", 'cannot import ".": it is a folder; give the path of a Python file'),
    ],
)
@pytest.mark.parametrize("command", ["run", "graph"])
@pytest.mark.usefixtures("flow")
def test_which_pipeline_is_not_clear(command: str, target: str, message: str) -> None:
    done = cli(command, target)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"error: {message}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x = 1",
            (
                'no pipeline in "flow.py": no name at its top level holds one; '
                "write one there, such as: chain = Parse() >> Clean()"
            ),
        ),
        (
            "import json\njson.loads('')",
            (
                'cannot import "flow.py": json.decoder.JSONDecodeError: Expecting value: line 1 '
                "column 1 (char 0) at flow.py:2: json.loads(''); "
                "mend it until `python flow.py` runs"
            ),
        ),
        (
            "\nx = (",
            (
                "cannot import \"flow.py\": SyntaxError: '(' was never closed at flow.py:2: x = (; "
                "mend it until `python flow.py` runs"
            ),
        ),
        (
            "raise SystemExit(3)",
            (
                'cannot import "flow.py": it called sys.exit(3); '
                'put what runs it under if __name__ == "__main__":'
            ),
        ),
    ],
)
def test_a_file_that_cannot_be_used(text: str, message: str) -> None:
    write("flow.py", text)
    done = cli("graph", "flow.py")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"error: {message}\n")


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "x.py", "--items", "xml"], ["walk"], ["graph", "--input", "x"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.exit_code == 2
    assert "Usage: " in done.stderr


# What it reads


@pytest.fixture
def echo() -> str:
    return write("echo.py", "from rivusio import map\nechoed = map(repr) >> str\n")


@pytest.mark.parametrize(
    ("name", "arguments", "results"),
    [
        ("data.jsonl", [], "{'a': 1}\n[2]\n"),
        ("data.json", [], "{'a': 1}\n[2]\n"),
        ("data.txt", [], "'{\"a\": 1}'\n''\n'[2]'\n"),
        ("data.jsonl", ["--items", "text"], "'{\"a\": 1}'\n''\n'[2]'\n"),
        ("data.txt", ["--items", "json"], "{'a': 1}\n[2]\n"),
    ],
)
def test_the_name_of_the_input_or_items_says_what_a_line_holds(
    echo: str, name: str, arguments: list[str], results: str
) -> None:
    write(name, '{"a": 1}\n\n[2]')
    assert cli("run", echo, "--input", name, *arguments).stdout == results


def test_a_byte_order_mark_and_carriage_returns_are_no_text(echo: str) -> None:
    assert cli("run", echo, text=b"\xef\xbb\xbfa\r\nb\r\n").stdout == "'a'\n'b'\n"


def test_a_line_that_is_no_json_is_named(echo: str) -> None:
    write("data.jsonl", '{"a": 1}\n{"b":\n')
    done = cli("run", echo, "--input", "data.jsonl")
    assert (done.exit_code, done.stdout) == (1, "{'a': 1}\n")
    assert done.stderr == (
        'error: line 2 of "data.jsonl" is no JSON: EOF while parsing a value at column 5; '
        "put one JSON value on each line, or say --items text\n"
    )


TYPED = """
from collections.abc import Iterable
from dataclasses import dataclass
from pydantic import BaseModel
from rivusio import AsyncBasePipe, SyncBasePipe, batch, drop_none, map

class Model(BaseModel):
    delay: int

@dataclass
class Record:
    delay: int

class Plain:
    delay: int

class ParseModel(SyncBasePipe[Model, int]):
    def process(self, data: Model) -> int:
        return data.delay

class AskModel(AsyncBasePipe[Model, int]):
    async def process(self, data: Model) -> int:
        return data.delay

class ParseRecord(SyncBasePipe[Record, int]):
    def process(self, data: Record) -> int:
        return data.delay

def shown(data: Plain) -> str:
    return repr(data)

def untold(data):
    return repr(data)

def twice(numbers: Iterable[int]) -> list[int]:
    return [*numbers, *numbers]

def odd(data: "not a type") -> str:
    return repr(data)

def total(records: list[Record]) -> int:
    return sum(record.delay for record in records)

model = ParseModel() >> str
asked = AskModel() >> str
record = ParseRecord() >> str
records = batch(2) >> total
some = drop_none() >> ParseModel() >> str
plain = map(shown) >> str
nothing = map(untold) >> str
senseless = map(odd) >> str
doubled = map(twice) >> str
"""


@pytest.mark.parametrize(
    ("chain", "results"),
    [
        ("model", "3\n4\n"),
        ("asked", "3\n4\n"),
        ("record", "3\n4\n"),
        ("records", "7\n"),
        ("plain", "{'delay': 3}\n{'delay': '4'}\n"),
        ("nothing", "{'delay': 3}\n{'delay': '4'}\n"),
        ("senseless", "{'delay': 3}\n{'delay': '4'}\n"),
        ("doubled", "['delay', 'delay']\n['delay', 'delay']\n"),
    ],
)
def test_json_is_made_what_the_first_stage_takes(chain: str, results: str) -> None:
    write("flow.py", TYPED)
    write("data.jsonl", '{"delay": 3}\n\n{"delay": "4"}\n')
    done = cli("run", f"flow.py:{chain}", "--input", "data.jsonl")
    assert (done.exit_code, done.stdout, done.stderr) == (0, results, "")


def test_null_that_is_dropped_need_not_fit() -> None:
    write("flow.py", TYPED)
    done = cli("run", "flow.py:some", "--items", "json", text='null\n{"delay": 3}\n')
    assert (done.exit_code, done.stdout, done.stderr) == (0, "3\n", "")


@pytest.mark.parametrize("chain", ["model", "asked", "record"])
def test_a_line_that_does_not_fit_the_first_stage_is_named(chain: str) -> None:
    write("flow.py", TYPED)
    write("data.jsonl", '{"delay": 3}\n\n{"delay": "late"}\n')
    done = cli("run", f"flow.py:{chain}", "--input", "data.jsonl")
    assert (done.exit_code, done.stdout) == (1, "3\n")
    assert done.stderr == (
        'error: line 3 of "data.jsonl" does not fit the first stage: delay: '
        "Input should be a valid integer, unable to parse string as an integer\n"
    )


def test_a_line_that_is_no_json_need_not_be_text_where_a_model_is_wanted() -> None:
    write("flow.py", TYPED)
    done = cli("run", "flow.py:model", "--items", "json", text="{")
    assert done.stderr.endswith("; put one JSON value on each line\n")


def test_a_line_that_is_not_utf8_is_named(echo: str) -> None:
    done = cli("run", echo, text=b"a\nb\xff\n")
    assert (done.exit_code, done.stdout) == (1, "'a'\n")
    assert done.stderr == (
        'error: line 2 of "stdin" is not UTF-8: byte 0xff at column 2; convert the file to UTF-8\n'
    )


@pytest.mark.parametrize(("name", "found"), [("missing", "No such file"), (".", "Is a directory")])
def test_an_input_that_cannot_be_read(echo: str, name: str, found: str) -> None:
    done = cli("run", echo, "--input", name)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f'error: cannot read "{name}": {found}')
    assert done.stderr.endswith("; give another file with --input\n")


async def test_live_lines_arrive_as_they_are_written() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read, os.fdopen(writing, "wb", buffering=0) as written:
        lines = Lines(read, "pipe")
        assert lines.may_wait
        items = LineItems(lines, Reading("json")).live()
        written.write(b'{"a": 1}\n\n{"b"')
        assert await anext(items) == {"a": 1}
        written.write(b": 2}\n3")
        assert await anext(items) == {"b": 2}
        written.close()
        assert await anext(items) == 3
        with pytest.raises(StopAsyncIteration):
            await anext(items)


def test_a_line_error_is_a_value_error() -> None:
    assert issubclass(LineError, ValueError)


# Where it writes


@pytest.mark.usefixtures("flow")
def test_an_output_is_replaced_at_the_end_and_keeps_its_mode() -> None:
    old = Path(write("out.txt", "old\n"))
    old.chmod(0o600)
    done = cli("run", "flow.py:numbers", "--output", "out.txt", text="1\n2\n")
    assert (done.exit_code, done.stdout) == (0, "")
    assert old.read_text(encoding="utf-8") == "2\n4\n"
    assert old.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path().glob("out*")] == ["out.txt"]


@pytest.mark.usefixtures("flow")
def test_a_failing_run_leaves_the_output_as_it_was() -> None:
    old = Path(write("out.txt", "old\n"))
    done = cli("run", "flow.py:numbers", "--output", "out.txt", text="1\nx\n")
    assert done.exit_code == 1
    [unfinished] = Path().glob("out.txt.*.partial")
    assert done.stderr.endswith(
        f'    "out.txt" is as it was; the results so far are in "{unfinished}"\n'
    )
    assert old.read_text(encoding="utf-8") == "old\n"
    assert unfinished.read_text(encoding="utf-8") == "2\n"


@pytest.mark.usefixtures("flow")
def test_a_run_that_fails_before_its_first_result_leaves_nothing_behind() -> None:
    done = cli("run", "flow.py:numbers", "--output", "out.txt", text="x\n")
    assert done.exit_code == 1
    assert not list(Path().glob("out*"))


@pytest.mark.usefixtures("flow")
def test_an_output_that_cannot_be_written() -> None:
    done = cli("run", "flow.py:numbers", "--output", "missing/out.txt", text="1\n")
    assert done.exit_code == 1
    assert done.stderr == (
        'error: cannot write "missing/out.txt": No such file or directory; '
        "give another file with --output\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize(("command", "hint"), [("run", "; use --output FILE"), ("graph", "")])
def test_only_a_command_that_can_write_elsewhere_says_so(command: str, hint: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rivusio.cli", command, "flow.py:numbers"],
            input="1\n",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    message = f"error: cannot write the results: No space left on device{hint}\n"
    assert (done.returncode, done.stderr) == (1, message)


# What can go wrong


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize("chain", ["numbers", "pairs"])
def test_an_error_names_the_stage_the_item_and_the_users_line(chain: str) -> None:
    done = cli("run", f"flow.py:{chain}", text="1\nx\n")
    assert done.exit_code == 1
    first, source, item, *_ = done.stderr.splitlines()
    assert first == (
        'flow.py:9: error: stage 1 "Number" failed at item 1: '
        "ValueError: invalid literal for int() with base 10: 'x'"
    )
    assert source == "    return int(data)"
    assert item == "    its input was 'x'"


@pytest.mark.usefixtures("flow")
def test_an_error_says_what_was_pending() -> None:
    done = cli("run", "flow.py:pairs", text="1\nx\n")
    assert done.stderr.endswith("    pending items: 1\n")


def test_an_error_of_a_function_that_is_not_the_users_has_no_line() -> None:
    write("flow.py", "import json\nfrom rivusio import map\nloads = map(json.loads)\n")
    done = cli("run", "flow.py", text="{\n")
    assert done.stderr.startswith('error: stage 1 "loads" failed at item 0: ')


@pytest.mark.usefixtures("flow")
def test_a_mode_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "compile_on_demand", None)
    with rivusio.mode("compiled"):
        done = cli("run", "flow.py:numbers", text="1\n")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: cannot run: ")


# How it ends


@pytest.mark.usefixtures("flow")
def test_a_reader_that_has_enough_is_no_error() -> None:
    with started("run", "flow.py:numbers") as (process, stdin, stdout, stderr):
        stdin.write("1\n")
        assert stdout.readline() == "2\n"
        stdout.close()
        stdin.write("2\n")
        stdin.close()
        assert stderr.read() == ""
        assert process.wait() == 0


@pytest.mark.usefixtures("flow")
def test_a_stage_that_prints_to_a_reader_that_has_enough_is_no_error() -> None:
    write(
        "printing.py", "from rivusio import map\nprinting = map(lambda _: print('x' * 100_000))\n"
    )
    with started("run", "printing.py") as (process, stdin, stdout, stderr):
        stdout.close()
        stdin.write("1\n")
        stdin.close()
        assert stderr.read() == ""
        assert process.wait() == 0
