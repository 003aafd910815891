"""The items that the lines of an input become: one rule for `rivusio run` and `rivusio verify`."""

from __future__ import annotations

from pathlib import Path

import pytest

from rivusio.cli.item_types import type_of_items
from rivusio.cli.verifying.items import read_items
from rivusio.user_code.pipeline_file import find_pipeline
from tests.unit.cli.commandline import cli, write

FLOW = """
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import *

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from rivusio import AsyncBasePipe, SyncBasePipe, batch, drop_none, filter, map, sliding

class Word(str):
    pass

class Colour(StrEnum):
    RED = "red"

class Level(Enum):
    LOW = 1

class Row(TypedDict):
    a: int

@dataclass
class Record:
    a: int

class Model(BaseModel):
    a: int

class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    at: datetime
    of: tuple[int, ...]

Name = NewType("Name", str)
Number = NewType("Number", int)
T = TypeVar("T")
Few = TypeVar("Few", bound=int)

def taking(its):
    def show(item):
        return repr(item)
    show.__annotations__ = {"item": its, "return": str}
    return map(show)

def unannotated(item):
    return repr(item)

def shown(item: T) -> str:
    return repr(item)

def bounded(item: Few) -> str:
    return repr(item)

def all_of(numbers: list[int]) -> str:
    return repr(numbers)

def texts_of(texts: "list[str]") -> str:
    return repr(texts)

def both(pair: tuple[int, ...]) -> str:
    return repr(pair)

def number(item: int) -> str:
    return repr(item)

class Parse(SyncBasePipe[int, str]):
    def process(self, data):
        return repr(data)

class Ask(AsyncBasePipe[dict[str, int], str]):
    async def process(self, data: dict[str, int]) -> str:
        return repr(data)

text = taking(str)
octets = taking(bytes)
array = taking(bytearray)
integer = taking(int)
real = taking(float)
true = taking(bool)
decimal = taking(Decimal)
day = taking(date)
numbers = taking(list[int])
plain = taking(dict)
typed = taking(dict[str, int])
row = taking(Row)
record = taking(Record)
model = taking(Model)
strict = taking(Strict)
word = taking(Word)
colour = taking(Colour)
level = taking(Level)
name = taking(Name)
number_type = taking(Number)
marked = taking(Annotated[str, "marked"])
positive = taking(Annotated[int, Field(gt=0)])
long = taking(Annotated[str, Field(min_length=2)])
letter = taking(Literal["a", "b"])
digit = taking(Literal[1, 2])
either = taking(Union[int, str])
maybe = taking(Optional[str])
maybe_number = taking(Optional[int])
either_bytes = taking(bytes | int)
anything = taking(Any)
thing = taking(object)
nobody = map(unannotated)
variable = map(shown)
bound = map(bounded)
piped = Parse()
asked = Ask()
ints = map(int) >> repr
floats = map(float) >> repr
strips = map(str.strip) >> repr
decoded = map(bytes.decode) >> repr
batched = batch(2) >> all_of
batched_texts = batch(2) >> texts_of
windowed = sliding(2) >> all_of
some = drop_none() >> number
some_text = drop_none() >> text
kept = filter(bool) >> number
"""


@pytest.fixture(autouse=True)
def flow(clean_imports: None) -> None:
    write("flow.py", FLOW)


def read(chain: str, data: bytes, name: str, *options: str) -> list[str]:
    """Give the items of a run, each as its `repr`."""
    Path(name).write_bytes(data)
    done = cli("run", f"flow.py:{chain}", "--input", name, *options)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.splitlines()


def read_by_verify(chain: str, name: str) -> list[str]:
    _, pipe = find_pipeline(f"flow.py:{chain}")
    return [repr(item) for item in read_items(name, type_of_items(pipe._rivusio_stages()))]


ALL = ("data.txt", "data.jsonl")
TEXT = ("data.txt", "data", "data.jsonl.txt")
JSON = ("data.jsonl", "data.json", "data.ndjson", "data.JSONL")


@pytest.mark.parametrize(
    ("chain", "names", "data", "items"),
    [
        # Where it takes str, a line is text, whatever the name of the file.
        ("text", ALL, b'{"a": 1}\n"x"\n\n 1 \n', ["'{\"a\": 1}'", "'\"x\"'", "''", "' 1 '"]),
        ("word", ALL, b'1\n"x"\n', ["'1'", "'\"x\"'"]),
        ("colour", ALL, b"red\n", ["<Colour.RED: 'red'>"]),
        ("name", ALL, b"1\nx\n", ["'1'", "'x'"]),
        ("marked", ALL, b"1\nx\n", ["'1'", "'x'"]),
        ("long", ALL, b"12\n", ["'12'"]),
        ("letter", ALL, b"a\nb\n", ["'a'", "'b'"]),
        ("strips", ALL, b" 1 \n", ["'1'"]),
        ("some_text", ALL, b"null\n\n", ["'null'", "''"]),
        # Where it takes bytes, the line as it is.
        ("octets", ALL, b'1\n\n"\xff"\n', ["b'1'", "b''", "b'\"\\xff\"'"]),
        ("array", ALL, b"1\n\xff\n", ["bytearray(b'1')", "bytearray(b'\\xff')"]),
        ("decoded", ALL, b'"1"\n', ["'\"1\"'"]),
        # Else JSON, made what it takes.
        ("integer", ALL, b"1\n\n 22\n", ["1", "22"]),
        ("number_type", ALL, b"1\n", ["1"]),
        ("positive", ALL, b"1\n", ["1"]),
        ("digit", ALL, b"1\n2\n", ["1", "2"]),
        ("level", ALL, b"1\n", ["<Level.LOW: 1>"]),
        ("real", ALL, b"1\n2.5\n", ["1.0", "2.5"]),
        ("true", ALL, b"true\n", ["True"]),
        ("decimal", ALL, b'"1.10"\n', ["Decimal('1.10')"]),
        ("day", ALL, b'"2024-02-29"\n', ["datetime.date(2024, 2, 29)"]),
        ("numbers", ALL, b"[1, 2]\n", ["[1, 2]"]),
        ("plain", ALL, b'{"a": [1]}\n', ["{'a': [1]}"]),
        ("typed", ALL, b'{"a": 1}\n', ["{'a': 1}"]),
        ("row", ALL, b'{"a": 1}\n', ["{'a': 1}"]),
        ("record", ALL, b'{"a": 1}\n', ["Record(a=1)"]),
        ("model", ALL, b'{"a": 1}\n', ["Model(a=1)"]),
        ("bound", ALL, b"1\n", ["1"]),
        ("piped", ALL, b"1\n", ["1"]),
        ("asked", ALL, b'{"a": 1}\n', ["{'a': 1}"]),
        ("maybe_number", ALL, b"1\nnull\n", ["1", "None"]),
        (
            "strict",
            ALL,
            b'{"at": "2024-02-29T10:00:00", "of": [1]}\n',
            ["Strict(at=datetime.datetime(2024, 2, 29, 10, 0), of=(1,))"],
        ),
        # Also behind what passes items on as they are.
        ("batched", ALL, b"1\n2\n3\n", ["[1, 2]", "[3]"]),
        ("batched_texts", ALL, b"1\n2\n3\n", ["['1', '2']", "['3']"]),
        ("windowed", ALL, b"1\n2\n3\n", ["[1, 2]", "[2, 3]"]),
        ("some", ALL, b"null\n1\n", ["1"]),
        ("kept", ALL, b"0\n1\n", ["1"]),
        # Where it may be text or not, the name of the file tells.
        ("either", TEXT, b'1\n"x"\n', ["'1'", "'\"x\"'"]),
        ("either", JSON, b'1\n"x"\n', ["1", "'x'"]),
        ("maybe", TEXT, b"null\n", ["'null'"]),
        ("maybe", JSON, b'null\n"x"\n', ["None", "'x'"]),
        ("either_bytes", TEXT, b"1\n", ["b'1'"]),
        ("either_bytes", JSON, b"1\n", ["1"]),
        # And where nobody says.
        ("anything", TEXT, b"1\n\n", ["'1'", "''"]),
        ("anything", JSON, b'1\n\n"x"\n', ["1", "'x'"]),
        ("thing", TEXT, b"1\n", ["'1'"]),
        ("thing", JSON, b"1\n", ["1"]),
        ("nobody", TEXT, b"1\n", ["'1'"]),
        ("nobody", JSON, b"1\n", ["1"]),
        ("variable", TEXT, b"1\n", ["'1'"]),
        ("variable", JSON, b"1\n", ["1"]),
        ("ints", TEXT, b"1\n", ["1"]),
        ("floats", TEXT, b"1\n", ["1.0"]),
    ],
)
def test_what_the_first_stage_takes_says_what_a_line_holds(
    chain: str, names: tuple[str, ...], data: bytes, items: list[str]
) -> None:
    for name in names:
        assert read(chain, data, name) == items, name


@pytest.mark.parametrize(
    ("chain", "options", "data", "items"),
    [
        ("integer", "text", b"1\n", ["'1'"]),
        ("typed", "text", b'{"a": 1}\n\n', ["'{\"a\": 1}'", "''"]),
        ("octets", "text", b"1\n", ["'1'"]),
        ("either", "text", b"1\n", ["'1'"]),
        ("text", "json", b'"x"\n\n', ["'x'"]),
        ("name", "json", b'"x"\n', ["'x'"]),
        ("either", "json", b'1\n"x"\n', ["1", "'x'"]),
        ("nobody", "json", b'1\n"x"\n', ["1", "'x'"]),
        ("octets", "json", b'"x"\n', ["b'x'"]),
    ],
)
def test_items_says_it_whatever_the_stage_takes(
    chain: str, options: str, data: bytes, items: list[str]
) -> None:
    for name in ("data.txt", "data.jsonl"):
        assert read(chain, data, name, "--items", options) == items


@pytest.mark.parametrize(
    ("chain", "name", "items"),
    [
        ("text", "data.txt", ["'1'", "''", "' 2'", "'3'"]),
        ("octets", "data.txt", ["b'\\xef\\xbb\\xbf1'", "b''", "b' 2'", "b'3'"]),
        ("integer", "data.txt", ["1", "2", "3"]),
        ("nobody", "data.jsonl", ["1", "2", "3"]),
        ("nobody", "data.txt", ["'1'", "''", "' 2'", "'3'"]),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_byte_order_mark_ends_of_lines_and_empty_lines(
    chain: str, name: str, items: list[str], end: bytes, *, last: bool
) -> None:
    data = b"\xef\xbb\xbf" + end.join([b"1", b"", b" 2", b"3"]) + (end if last else b"")
    assert read(chain, data, name) == items


NO_JSON = "put one JSON value on each line"
SAY = ", or say --items text"
INTEGER = "Input should be a valid integer"


@pytest.mark.parametrize(
    ("chain", "name", "line", "reason"),
    [
        ("integer", "data.txt", b"x", f"is no JSON: expected value at column 1; {NO_JSON}"),
        ("integer", "data.txt", b"1.5", f"{INTEGER}, got a number with a fractional part"),
        ("model", "data.txt", b'{"a": []}', f"does not fit the first stage: a: {INTEGER}"),
        ("typed", "data.txt", b"[]", "the item: Input should be an object"),
        ("nobody", "data.jsonl", b"x", f"is no JSON: expected value at column 1; {NO_JSON}{SAY}"),
        ("either", "data.jsonl", b"x", f"is no JSON: expected value at column 1; {NO_JSON}{SAY}"),
        ("maybe", "data.jsonl", b"1", f"the item: Input should be a valid string{SAY}"),
        ("letter", "data.txt", b"c", "the item: Input should be 'a' or 'b'"),
        ("long", "data.txt", b"1", "the item: String should have at least 2 characters"),
        ("text", "data.txt", b"x\xff", "is not UTF-8: byte 0xff at column 2; convert the file"),
        ("integer", "data.txt", b"\xff", "is not UTF-8: byte 0xff at column 1; convert the file"),
        ("plain", "data.txt", b'{"a": ' + 300 * b"[" + 300 * b"]" + b"}", "is nested too deep"),
        ("nobody", "data.jsonl", 300 * b"[" + 300 * b"]", "is nested too deep"),
    ],
)
def test_a_line_that_does_not_fit_is_named_by_both_commands(
    chain: str, name: str, line: bytes, reason: str
) -> None:
    is_picky = chain in {"letter", "long"}  # an empty line of text does not fit, either
    Path(name).write_bytes(line if is_picky else b"\n" + line + b"\n")
    number = 1 if is_picky else 2
    run, verified = (
        cli(command, f"flow.py:{chain}", "--input", name) for command in ("run", "verify")
    )
    for done in (run, verified):
        assert done.exit_code == 1
        assert done.stderr.startswith(f'error: line {number} of "{name}" ')
        assert reason in done.stderr
        assert (SAY in done.stderr) == (SAY in reason)
    assert run.stderr.splitlines()[0] == verified.stderr.splitlines()[0]


@pytest.mark.parametrize(
    "chain",
    ["text", "octets", "integer", "real", "either", "maybe_number", "nobody", "some", "word"],
)
@pytest.mark.parametrize("name", ["data.txt", "data.jsonl"])
def test_run_and_verify_read_the_same_items(chain: str, name: str) -> None:
    assert read(chain, b"\xef\xbb\xbf1\r\n2\n3", name) == read_by_verify(chain, name)
