"""What `rivusio run` does with items that fail, and with lines that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rivusio
from rivusio.artifacts import loader
from tests.unit.cli.commandline import cli, write

FLOW = """
from pydantic import BaseModel
from rivusio import *
from rivusio import batch, filter, flat_map, map, take

class Number(BaseModel):
    n: int

class Inverse(SyncBasePipe[Number, float]):
    def process(self, data: Number) -> float:
        return 1 / data.n

class AskInverse(AsyncBasePipe[Number, float]):
    async def process(self, data: Number) -> float:
        return 1 / data.n

class Through(StreamPipe[Number, int]):
    async def process_stream(self, stream):
        async for item in stream:
            yield item.n

def show(letter: DeadLetter) -> None:
    print("letter", letter.item_index, letter.stage, letter.pipe, letter.item)

async def ask(letter: DeadLetter) -> None:
    show(letter)

def fails(letter: DeadLetter) -> None:
    raise RuntimeError("no place for it")

def with_(on_error, **more):
    return StreamConfig(on_error=on_error, **more)

class Inverses(BatchStreamPipe[Number, float]):
    def process_batch(self, batch: list[Number]) -> float:
        return sum(1 / each.n for each in batch)

def double(number: float) -> float:
    if number == 0.5:
        raise ValueError("it is a half")
    return number * 2

chain = Inverse() >> double
asked = AskInverse() >> double
pairs = Inverse() >> batch(2)
skips = Inverse().with_config(with_("skip")) >> double
shows = Inverse().with_config(with_(show))
asks = Inverse().with_config(with_(ask))
ask_asks = AskInverse().with_config(with_(ask))
refuses = Inverse().with_config(with_(lambda letter: ask(letter)))
failing = Inverse().with_config(with_(fails))
tried = Inverse().with_config(StreamConfig(retry_attempts=3, retry_delay=0))
buffered = AskInverse().with_config(BackpressureConfig(max_buffer_size=3))
stream = Through() >> str
batches = Inverses(2)
taken = take(9) >> Inverse().with_config(with_("skip"))
none = filter(lambda number: number.n > 9) >> Inverse().with_config(with_("skip"))
expanded = flat_map(lambda number: []) >> Inverse().with_config(with_("skip"))
"""
LINES = '{"n":1}\n{"n":0}\n\nnope\n{"n":"x"}\n{"n":4}\n'

pytestmark = pytest.mark.usefixtures("mode", "clean_imports")


@pytest.fixture(autouse=True)
def flow(clean_imports: None) -> None:
    write("flow.py", FLOW)
    write("in.jsonl", LINES)


def letters_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


# Whose word counts


def test_without_a_policy_the_first_line_that_does_not_fit_ends_the_run() -> None:
    write("in.jsonl", '{"n":1}\n{"n":2}\n{"n":1}\nnope\n')
    done = cli("run", "flow.py:pairs", "--input", "in.jsonl")
    assert (done.exit_code, done.stdout) == (1, "[1.0,0.5]\n")
    assert done.stderr == (
        'error: line 4 of "in.jsonl" is no JSON: expected ident at column 2; '
        "put one JSON value on each line\n    pending items: 1\n"
    )


def test_the_first_stage_may_skip_lines_that_do_not_fit() -> None:
    done = cli("run", "flow.py:skips", "--input", "in.jsonl")
    assert (done.exit_code, done.stdout) == (0, "2.0\n0.5\n")
    assert done.stderr == "3 items failed and were left out; --dead-letters FILE keeps them\n"


def test_the_first_stage_that_calls_anything_is_the_first() -> None:
    write("in.jsonl", '{"n":1}\nnope\n')
    assert cli("run", "flow.py:taken", "--input", "in.jsonl").exit_code == 0
    assert cli("run", "flow.py:none", "--input", "in.jsonl").exit_code == 1


@pytest.mark.parametrize("chain", ["shows", "asks", "ask_asks"])
def test_the_dead_letter_callable_of_the_first_stage_gets_lines_that_do_not_fit(chain: str) -> None:
    done = cli("run", f"flow.py:{chain}", "--input", "in.jsonl")
    pipe = "AskInverse" if chain == "ask_asks" else "Inverse"
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "1.0",
        f"letter 1 0 {pipe} n=0",
        f"letter 2 0 {pipe} nope",
        f'letter 2 0 {pipe} {{"n":"x"}}',
        "0.25",
    ]


@pytest.mark.parametrize(
    ("chain", "failed"),
    [
        ("failing", "RuntimeError: no place for it"),
        ("refuses", "TypeError: the dead-letter callable is sync, but gave an awaitable"),
    ],
)
def test_a_dead_letter_callable_that_fails_on_a_line_is_the_error_of_its_stage(
    chain: str, failed: str
) -> None:
    write("in.jsonl", '{"n":1}\nnope\n')
    done = cli("run", f"flow.py:{chain}", "--input", "in.jsonl")
    assert (done.exit_code, done.stdout) == (1, "1.0\n")
    assert f'error: stage 1 "Inverse" failed at item 1: {failed}' in done.stderr
    assert done.stderr.endswith("    its input was 'nope'\n")


@pytest.mark.parametrize("chain", ["chain", "asked", "buffered", "tried", "skips"])
def test_a_run_can_be_told_to_skip(chain: str) -> None:
    done = cli("run", f"flow.py:{chain}", "--input", "in.jsonl", "--on-error", "skip")
    doubled = chain in ("chain", "asked", "skips")
    assert (done.exit_code, done.stdout) == (0, "2.0\n0.5\n" if doubled else "1.0\n0.25\n")
    assert done.stderr == "3 items failed and were left out; --dead-letters FILE keeps them\n"


def test_to_skip_leaves_a_stage_its_other_settings() -> None:
    write(
        "flaky.py",
        """
from rivusio import *
tries = []
@pipe
def flaky(n: int) -> int:
    tries.append(n)
    return n // (len(tries) - 1)
chain = flaky.with_config(StreamConfig(retry_attempts=2, retry_delay=0))
""",
    )
    assert cli("run", "flaky.py", "--on-error", "skip", text="1\n").stdout == "1\n"


def test_a_run_can_be_told_to_raise() -> None:
    write("in.jsonl", '{"n":1}\nnope\n')
    done = cli("run", "flow.py:skips", "--input", "in.jsonl", "--on-error", "raise")
    assert (done.exit_code, done.stdout) == (1, "2.0\n")
    write("in.jsonl", '{"n":1}\n{"n":0}\n')
    done = cli("run", "flow.py:shows", "--input", "in.jsonl", "--on-error", "raise")
    assert (done.exit_code, done.stdout) == (1, "1.0\n")


def test_to_skip_does_not_silence_a_stage_that_wants_its_dead_letters() -> None:
    done = cli("run", "flow.py:shows", "--input", "in.jsonl", "--on-error", "skip")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.count("letter") == 3


def test_lines_before_a_stream_of_the_users_can_be_skipped() -> None:
    write("in.jsonl", '{"n":1}\nnope\n{"n":2}\n')
    assert cli("run", "flow.py:stream", "--input", "in.jsonl").exit_code == 1
    done = cli("run", "flow.py:stream", "--input", "in.jsonl", "--on-error", "skip")
    assert (done.exit_code, done.stdout) == (0, "1\n2\n")


def test_a_compiled_chain_that_is_told_to_skip_says_why_it_is_interpreted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loader, "compile_on_demand", None)
    write(
        "one.py",
        "from rivusio import map\n"
        "def inverse(n: int) -> float: return 1 / n\n"
        "chain = map(inverse)\n",
    )
    with rivusio.mode("auto"):
        assert cli("compile", "one.py").exit_code == 0
        done = cli("run", "one.py", "--on-error", "skip", text="1\n0\n")
    assert (done.exit_code, done.stdout) == (0, "1.0\n")
    assert done.stderr == (
        "note: the chain runs interpreted, as it was compiled without --on-error skip; "
        "say on_error in the file, and compile it, to have both\n"
        "1 item failed and was left out; --dead-letters FILE keeps it\n"
    )


# Dead letters


def test_dead_letters_say_where_the_item_came_from_and_what_failed() -> None:
    write("dead.jsonl", '{"earlier": true}\n')
    write("in.jsonl", b'{"n":1}\n{"n":0}\n\n{"n":2}\nnope\n\xff\n{"n":4}')
    done = cli("run", "flow.py:chain", "--input", "in.jsonl", "--dead-letters", "dead.jsonl")
    assert (done.exit_code, done.stdout) == (0, "2.0\n0.5\n")
    assert done.stderr == '4 items failed: see "dead.jsonl"\n'
    of = {"file": "in.jsonl", "tries": 1}
    first = {"stage": 1, "pipe": "Inverse"}
    error = 'LineError: line {} of "in.jsonl" is {}'
    no_json = "no JSON: expected ident at column 2; put one JSON value on each line"
    no_text = "not UTF-8: byte 0xff at column 1; convert the file to UTF-8"
    assert letters_of("dead.jsonl") == [
        {"earlier": True},
        {
            **of,
            **first,
            "line": 2,
            "text": '{"n":0}',
            "item": {"n": 0},
            "error": "ZeroDivisionError: division by zero",
        },
        {
            **of,
            "line": 4,
            "text": '{"n":2}',
            "stage": 2,
            "pipe": "double",
            "item": 0.5,
            "error": "ValueError: it is a half",
        },
        {**of, **first, "line": 5, "text": "nope", "item": None, "error": error.format(5, no_json)},
        {
            **of,
            **first,
            "line": 6,
            "base64": "/w==",
            "item": None,
            "error": error.format(6, no_text),
        },
    ]


@pytest.mark.parametrize(
    ("chain", "line", "item", "tries"),
    [
        ("asked", 2, {"n": 0}, 1),
        ("buffered", 2, {"n": 0}, 1),
        ("tried", 2, {"n": 0}, 3),
        ("skips", 2, {"n": 0}, 1),
        ("batches", 2, [{"n": 1}, {"n": 0}], 1),
    ],
)
def test_dead_letters_of_every_kind_of_stage(
    chain: str, line: int, item: object, tries: int
) -> None:
    write("in.jsonl", '{"n":1}\n{"n":0}\n{"n":3}\n')
    cli("run", f"flow.py:{chain}", "--input", "in.jsonl", "--dead-letters", "dead.jsonl")
    [letter] = letters_of("dead.jsonl")
    assert (letter["line"], letter["item"], letter["tries"]) == (line, item, tries)


def test_an_item_whose_line_is_not_known_is_a_dead_letter_all_the_same() -> None:
    write("in.jsonl", '{"n":0}\n')
    cli("run", "flow.py:batches", "--input", "in.jsonl", "--dead-letters", "dead.jsonl")
    [letter] = letters_of("dead.jsonl")
    assert (letter["line"], letter["text"], letter["item"]) == (None, None, [{"n": 0}])


def test_what_is_no_json_and_cannot_say_what_it_is_is_a_dead_letter_too() -> None:
    write(
        "odd.py",
        """
from rivusio import map
class Odd:
    def __init__(self, text): pass
    def __repr__(self): raise ValueError
class OddError(Exception):
    def __str__(self): raise ValueError
def fails(odd):
    raise OddError
chain = map(Odd) >> fails
""",
    )
    cli("run", "odd.py", "--dead-letters", "dead.jsonl", text="a\n")
    [letter] = letters_of("dead.jsonl")
    assert letter["item"] == "<Odd object whose repr raised ValueError>"
    assert letter["error"] == "OddError: <OddError object whose str raised ValueError>"


def test_dead_letters_are_there_when_the_run_fails_later() -> None:
    write(
        "late.py",
        "from rivusio import *\n"
        "from rivusio import map\n"
        "def inverse(n: int) -> float: return 1 / n\n"
        "def fails(n: float) -> float: return 1 / (n - 1)\n"
        'chain = map(inverse) >> map(fails).with_config(StreamConfig(on_error="raise"))\n',
    )
    done = cli("run", "late.py", "--dead-letters", "dead.jsonl", text="0\n1\n")
    assert done.exit_code == 1
    assert [letter["line"] for letter in letters_of("dead.jsonl")] == [1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--on-error", "raise", "--dead-letters", "d"], 2, "--dead-letters goes with --on-error"),
        (["--dead-letters", "in.jsonl"], 1, '"in.jsonl" is given as --input and as --dead-letters'),
        (["--dead-letters", "no/d"], 1, 'cannot write "no/d": No such file or directory; give an'),
    ],
)
def test_dead_letters_that_cannot_be(arguments: list[str], code: int, message: str) -> None:
    done = cli("run", "flow.py:chain", "--input", "in.jsonl", *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert message in done.stderr
    assert Path("in.jsonl").read_text(encoding="utf-8") == LINES


@pytest.mark.parametrize("letters", ["new.txt", "./new.txt", "link.txt"])
@pytest.mark.parametrize("is_there", [True, False])
def test_dead_letters_and_results_are_two_files(letters: str, *, is_there: bool) -> None:
    Path("link.txt").symlink_to("new.txt")
    if is_there:
        write("new.txt", "old\n")
    arguments = ["--input", "in.jsonl", "--output", "new.txt", "--dead-letters", letters]
    done = cli("run", "flow.py:chain", *arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is given as --output and as --dead-letters; give two files" in done.stderr
    assert Path("new.txt").exists() == is_there
    assert not is_there or Path("new.txt").read_text(encoding="utf-8") == "old\n"


def test_links_that_lead_to_one_another_hold_no_dead_letters() -> None:
    Path("one.txt").symlink_to("two.txt")
    Path("two.txt").symlink_to("one.txt")
    arguments = ["--input", "in.jsonl", "--output", "new.txt", "--dead-letters", "one.txt"]
    done = cli("run", "flow.py:chain", *arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith('error: cannot write "one.txt": ')
    assert not Path("new.txt").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_dead_letter_that_cannot_be_written_ends_the_run() -> None:
    done = cli("run", "flow.py:chain", "--input", "in.jsonl", "--dead-letters", "/dev/full")
    assert (done.exit_code, done.stdout) == (1, "2.0\n")
    assert (
        "failed at item 1: OSError: [Errno 28] No space left on device: '/dev/full'" in done.stderr
    )


# What came of it


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        ("chain", "nope\nno\n"),
        ("chain", '{"n":0}\nnope\n'),
        ("asked", '{"n":0}\n{"n":2}\n'),
        ("batches", '{"n":0}\n{"n":1}\n{"n":0}\n'),
        ("stream", "nope\n"),
    ],
)
def test_a_run_in_which_every_item_failed_fails_and_replaces_nothing(chain: str, text: str) -> None:
    write("out.txt", "old\n")
    write("in.jsonl", text)
    arguments = ["run", f"flow.py:{chain}", "--input", "in.jsonl", "--output", "out.txt"]
    for policy in (["--on-error", "skip"], ["--dead-letters", "dead.jsonl"]):
        done = cli(*arguments, *policy)
        assert done.exit_code == 1
        count = "1 item" if text == "nope\n" else f"{text.count(chr(10))} items"
        assert f"error: all that came in failed: {count}; " in done.stderr
        assert [path.name for path in Path().glob("out*")] == ["out.txt"]
        assert Path("out.txt").read_text(encoding="utf-8") == "old\n"


@pytest.mark.parametrize(
    ("chain", "text", "said"),
    [
        ("chain", "", 'nothing came out: there is no item in "in.jsonl"\n'),
        ("none", '{"n":1}\n{"n":2}\n', "nothing came out: 2 items went in\n"),
        ("none", '{"n":1}\nnope\n', "nothing came out: 2 items went in\n"),
        ("expanded", '{"n":1}\nnope\n', "nothing came out: 2 items went in\n"),
    ],
)
def test_a_run_in_which_nothing_came_out_says_so(chain: str, text: str, said: str) -> None:
    write("in.jsonl", text)
    arguments = ["--input", "in.jsonl", "--output", "out.txt", "--on-error", "skip"]
    done = cli("run", f"flow.py:{chain}", *arguments)
    assert done.exit_code == 0
    assert done.stderr.endswith(said)
    assert Path("out.txt").read_text(encoding="utf-8") == ""


def test_a_monitor_of_the_pipelines_own_sees_the_run_all_the_same() -> None:
    write(
        "own.py",
        FLOW
        + """
monitor = PipelineMonitor()
def seen(n: float) -> tuple[float, int]:
    return n, monitor.get_metrics()["items_in"]
monitored = (Inverse().with_config(with_("skip")) >> seen).set_monitor(monitor)
""",
    )
    write("in.jsonl", '{"n":1}\n')
    assert cli("run", "own.py:monitored", "--input", "in.jsonl").stdout == "[1.0,1]\n"
