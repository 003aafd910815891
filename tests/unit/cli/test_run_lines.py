"""What `rivusio run` and `rivusio verify` read a line as, and how `run` writes what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from rivusio.cli.item_types import type_of_items
from rivusio.cli.verifying.items import read_items
from rivusio.user_code.pipeline_file import find_pipeline
from rivusio.user_code.refusal import Refusal
from tests.unit.cli.commandline import cli, write

pytestmark = pytest.mark.usefixtures("mode", "clean_imports")

TAKES = """
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import *
from pydantic import BaseModel, ConfigDict, Field
from rivusio import *
from rivusio import batch, drop_none, filter, map, sliding

class Event(BaseModel):
    model_config = ConfigDict(strict=True)
    at: datetime.datetime

@dataclass
class Flight:
    miles: int

class Color(StrEnum):
    RED = "red"

class Code(str):
    pass

class Delay:
    minutes: int
    def __init__(self, minutes: str) -> None:
        self.minutes = int(minutes)
    def __repr__(self) -> str:
        return f"Delay({self.minutes})"

class Loud:
    def __call__(self, text: "int") -> str:
        return repr(text)

Name = NewType("Name", str)
Words = TypeVar("Words", bound=str)
T = TypeVar("T")

class Generic1(SyncBasePipe[T, T], Generic[T]):
    def process(self, data: T) -> T:
        return data

class OfInt(Generic1[int]):
    pass

class Unsaid(SyncBasePipe[int, int]):
    def process(self, data):
        return data + data

def shows(its):
    def show(item) -> str:
        return repr(item)
    show.__annotations__["item"] = its
    return map(show)

def total(numbers: list[int] | None) -> int:
    return sum(numbers)

def scale(number: float, by: float) -> float:
    return number * by

import functools
chain = CHAIN
"""


def takes(chain: str) -> str:
    return write("takes.py", TAKES.replace("CHAIN", chain))


@pytest.mark.parametrize(
    ("chain", "name", "line", "result"),
    [
        # text, where the stage takes nothing but text: whatever the file is called
        ("shows(str)", "a.txt", "1", "'1'"),
        ("shows(str)", "a.jsonl", '{"a": 1}', "'{\"a\": 1}'"),
        ("shows(Name)", "a.jsonl", "1", "'1'"),
        ("shows(Annotated[str, Field(max_length=3)])", "a.jsonl", "1", "'1'"),
        ("shows(Words)", "a.jsonl", "1", "'1'"),
        ("shows(LiteralString)", "a.jsonl", "1", "'1'"),
        ("shows(Literal['red', 'blue'])", "a.jsonl", "red", "'red'"),
        ("shows(Color)", "a.jsonl", "red", "<Color.RED: 'red'>"),
        ("shows(Code) >> type >> str", "a.jsonl", "red", None),
        ("map(str.strip) >> repr", "a.jsonl", "1", "'1'"),
        # the bytes of the line, where the stage takes bytes
        ("shows(bytes)", "a.jsonl", "1", "b'1'"),
        ("shows(bytearray)", "a.txt", "1", "bytearray(b'1')"),
        ("shows(bytes | None)", "a.txt", "1", "b'1'"),
        # JSON, where the stage takes neither
        ("shows(int)", "a.txt", "1", "1"),
        ("shows(float)", "a.txt", "1", "1.0"),
        ("shows(bool)", "a.txt", "true", "True"),
        ("shows(Decimal)", "a.txt", "1.5", "Decimal('1.5')"),
        ("shows(dict)", "a.txt", '{"a": 1}', "{'a': 1}"),
        ("shows(dict[str, int])", "a.txt", '{"a": 1}', "{'a': 1}"),
        ("shows(list[int] | None)", "a.txt", "null", "None"),
        ("shows(tuple[int, str])", "a.txt", '[1, "a"]', "(1, 'a')"),
        ("shows(set[int])", "a.txt", "[1]", "{1}"),
        ("shows(Literal[1, 2])", "a.txt", "1", "1"),
        ("shows(Flight)", "a.txt", '{"miles": 1}', "Flight(miles=1)"),
        ("shows(Event) >> len >> str", "a.txt", '{"at": "2026-11-28T10:30:00"}', None),
        ("shows(Iterable[int])", "a.txt", "[1]", "[1]"),
        ("shows(SupportsInt)", "a.txt", "1", "1"),
        # the file's name, where it takes text among others, or nobody has said
        ("shows(str | int)", "a.txt", "1", "'1'"),
        ("shows(str | int)", "a.jsonl", "1", "1"),
        ("shows(Optional[str])", "a.txt", "null", "'null'"),
        ("shows(Optional[str])", "a.jsonl", "null", "None"),
        ("shows(Literal['a', 1])", "a.txt", "a", "'a'"),
        ("shows(Any)", "a.txt", "1", "'1'"),
        ("shows(Any)", "a.jsonl", "1", "1"),
        ("shows(object)", "a.txt", "1", "'1'"),
        ("shows(T)", "a.txt", "1", "'1'"),
        ("map(lambda item: repr(item))", "a.txt", "1", "'1'"),
        ("map(int) >> repr", "a.txt", "1", "1"),
        ("map(float) >> repr", "a.txt", "1", "1.0"),
        # where the type is said, if not by the annotation of a function's first parameter
        ("OfInt() >> repr", "a.txt", "1", "1"),
        ("Generic1[int]() >> repr", "a.txt", "1", "1"),
        ("Unsaid() >> repr", "a.txt", "1", "2"),
        ("map(Delay) >> repr", "a.txt", "1", "Delay(1)"),
        ("map(Flight) >> repr", "a.txt", "1", "Flight(miles=1)"),
        ("map(Loud())", "a.txt", "1", "1"),
        ("map(functools.partial(scale, by=2)) >> repr", "a.txt", "1", "2.0"),
        ("StreamPipe() >> Unsaid() >> repr", "a.txt", "1", "2"),
        ("filter(lambda number: number != 5) >> Unsaid() >> repr", "a.txt", "1", "2"),
        ("drop_none() >> Unsaid() >> repr", "a.txt", "null\n1", "2"),
        ("batch(2) >> total >> repr", "a.txt", "1\n2", "3"),
        ("sliding(2) >> filter(len) >> total >> repr", "a.txt", "1\n2", "3"),
    ],
)
def test_what_the_first_stage_takes_says_what_a_line_holds(
    chain: str, name: str, line: str, result: str | None
) -> None:
    path = takes(chain)
    write(name, f"{line}\n")
    done = cli("run", path, "--input", name)
    assert (done.exit_code, done.stderr) == (0, "")
    assert result is None or done.stdout == f"{result}\n"


@pytest.mark.parametrize(
    ("chain", "line", "message"),
    [
        ("shows(int)", "x", "is no JSON: expected value at column 1; put one JSON value on each"),
        ("shows(int)", '"x"', "does not fit the first stage: the item: Input should be a valid "),
        ("shows(int)", "1" * 5000, "is no JSON: number out of range"),
        ("shows(dict)", "[" * 300, "is nested too deep to be read as JSON"),
        ("shows(dict)", '{"s": "\\ud83d"}', "is no JSON: unexpected end of hex escape"),
        ("shows(Literal['red'])", "blue", "does not fit the first stage: the item: Input should"),
        ("shows(Flight)", "{}", "does not fit the first stage: miles: Field required"),
    ],
)
def test_a_line_that_is_no_such_item_is_named(chain: str, line: str, message: str) -> None:
    done = cli("run", takes(chain), text=f"{line}\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f'error: line 1 of "stdin" {message}')


def test_what_a_line_holds_can_be_said() -> None:
    path = takes("shows(str)")
    assert cli("run", path, "--items", "json", text='"a"\n').stdout == "a\n".replace("a", "'a'")
    path = write("other.py", TAKES.replace("CHAIN", "shows(int)"))
    assert cli("run", path, "--items", "text", text="1\n").stdout == "'1'\n"


@pytest.mark.parametrize(
    ("chain", "results"),
    [
        ("shows(str)", "'\u00e9'\n'b\\r'\n''\n'last'\n"),
        ("shows(bytes)", "b'\\xef\\xbb\\xbf\\xc3\\xa9'\nb'b\\r'\nb''\nb'last'\n"),
    ],
)
def test_only_the_end_of_a_line_is_no_part_of_it(chain: str, results: str) -> None:
    text = b"\xef\xbb\xbf\xc3\xa9\nb\r\r\n\nlast"
    assert cli("run", takes(chain), text=text).stdout == results


@pytest.mark.parametrize("its", ["str", "bytes", "int", "str | int", "Any", "Flight", "dict"])
def test_run_and_verify_read_the_same(its: str) -> None:
    """One piece of code for both, whatever the name of the file."""
    path = takes(f"shows({its})")
    for name in ("a.txt", "a.jsonl"):
        write(name, '{"miles": 1}\n' if its in ("Flight", "dict") else "1\n")
        _, pipe = find_pipeline(path)
        items = read_items(name, type_of_items(pipe._rivusio_stages()))
        shown = "".join(f"{item!r}\n" for item in items)
        assert cli("run", path, "--input", name).stdout == shown


def test_verify_names_a_line_that_is_no_item() -> None:
    write("a.txt", "x\n")
    with pytest.raises(Refusal, match='line 1 of "a.txt" is no JSON'):
        read_items("a.txt", int)


# What comes out

GIVES = """
import collections, datetime, enum, math, pathlib, uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import *
from pydantic import BaseModel, PlainSerializer, field_serializer
from rivusio import *
from rivusio import batch, filter, flat_map, map, take

class Base(BaseModel):
    a: int
    @field_serializer("a")
    def _a(self, a: int) -> str:
        return f"<{a}>"

class Derived(Base):
    b: int = 2

@dataclass
class Data:
    a: float

Hex = Annotated[int, PlainSerializer(hex)]
Point = collections.namedtuple("Point", "x y")

class Color(enum.Enum):
    RED = "red"

def base(line: str) -> Base:
    return Derived(a=1)

def hexed(line: str) -> Hex:
    return int(line)

async def awaited(line: str) -> Hex:
    return int(line)

def many(line: str) -> Iterable[Hex]:
    return [int(line)]

def wrong(line: str) -> Hex:
    return [line]

def gives(value):
    return map(lambda line: value)

chain = CHAIN
"""


def gives(chain: str) -> str:
    return write("gives.py", GIVES.replace("CHAIN", chain))


@pytest.mark.parametrize(
    ("chain", "result"),
    [
        ("gives(datetime.date(2026, 11, 28))", '"2026-11-28"'),
        ("gives(Decimal('1.10'))", '"1.10"'),
        ("gives(uuid.UUID(int=1))", '"00000000-0000-0000-0000-000000000001"'),
        ("gives({1})", "[1]"),
        ("gives(b'text')", '"text"'),
        ("gives(Color.RED)", '"red"'),
        ("gives(pathlib.Path('a'))", '"a"'),
        ("gives(Point(1, 2))", "[1,2]"),
        ("gives(Data(1.5))", '{"a":1.5}'),
        ("gives('NaN')", "NaN"),
        ("gives(['NaN', 'Infinity'])", '["NaN","Infinity"]'),
        ("map(base)", '{"a":"<1>","b":2}'),  # a subclass loses nothing
        ("map(hexed)", '"0x1"'),
        ("map(awaited)", '"0x1"'),
        ("flat_map(many)", '"0x1"'),
        ("map(hexed) >> filter(bool) >> take(2)", '"0x1"'),
        ("map(hexed) >> batch(2)", '["0x1"]'),
        ("map(wrong)", '["1"]'),  # what is not of the type is written as what it is
    ],
)
def test_results_are_written_as_json_by_what_they_are_and_their_type(
    chain: str, result: str
) -> None:
    done = cli("run", gives(chain), text="1\n")
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{result}\n", "")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("math.nan", "it has a number in it that is not finite: nan"),
        ("Data(math.inf)", "it has a number in it that is not finite: Data(a=inf)"),
        ("b'\\xff'", "it has bytes in it that are not UTF-8: b'\\xff'"),
        ("{'s': '\\ud83d'}", "it has half of a surrogate pair in it, which UTF-8 cannot hold: "),
        ("'\\ud83d'", "it has half of a surrogate pair in it, which UTF-8 cannot hold: "),
        ("print", "Unable to serialize unknown type: "),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_result_that_is_no_json_fails_with_its_place(
    value: str, why: str, *, asynchronous: bool
) -> None:
    path = write(
        "gives.py", GIVES.replace("CHAIN", f"map(lambda line: 1 if line == 'a' else {value})")
    )
    if asynchronous:
        path = write(
            "gives.py",
            Path(path).read_text(encoding="utf-8")
            + "\nasync def same(x): return x\nchain >>= same\n",
        )
    done = cli("run", path, "--output", "out.jsonl", text="a\nb\n")
    last = 'stage 2 "same"' if asynchronous else 'stage 1 "<lambda>"'
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: result 2 of {last} cannot be written: {why}")
    [unfinished] = Path().glob("out.jsonl*")
    assert unfinished.read_text(encoding="utf-8") == "1\n"


def test_an_error_of_what_makes_json_of_a_result_is_one_of_that_result() -> None:
    path = gives("map(lambda line: (1 // 0 for _ in 'x'))")
    done = cli("run", path, text="1\n")
    assert done.exit_code == 1
    assert "cannot be written: ZeroDivisionError" in done.stderr
