"""What `rivusio run` writes: strings as they are, all else as JSON, and never something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.unit.cli.commandline import cli, write

FLOW = """
import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import *
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer, field_serializer
from pydantic_core import core_schema

from rivusio import batch, filter, flat_map, map

class Model(BaseModel):
    a: float
    at: date = date(2024, 2, 29)

class Told(BaseModel):
    a: int

    @field_serializer("a")
    def told(self, a: int) -> str:
        return hex(a)

class Child(Told):
    b: int = 2

@dataclass
class Record:
    a: int

class Pair(NamedTuple):
    a: int
    b: str

class Colour(Enum):
    RED = "red"

class Word(StrEnum):
    RED = "red"

class Thing:
    pass

class ToldByClass:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        told = core_schema.plain_serializer_function_ser_schema(lambda _: "told")
        return core_schema.any_schema(serialization=told)

class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no")

class Unwritable(BaseModel):
    a: int

    @field_serializer("a")
    def told(self, a: int) -> str:
        raise RuntimeError("cannot be told")

def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value

circle = []
circle.append(circle)
ring = {}
ring["a"] = ring

def made(line: str):
    return eval(line)

def any_made(line: str) -> Any:
    return eval(line)

def wrongly_made(line: str) -> float:
    return eval(line)

async def later(line: str):
    return eval(line)

untold = map(made)
told_any = map(any_made)
wrong = map(wrongly_made)
awaited = map(later)

def marked(line: str) -> Annotated[int, PlainSerializer(hex)]:
    return int(line)

def told(line: str) -> Told:
    return Child(a=int(line))

def many(line: str) -> list[Annotated[int, PlainSerializer(hex)]]:
    return [int(line)]

hexed = map(marked)
hexed_batches = map(marked) >> filter(bool) >> batch(2)
hexed_many = map(many)
hexed_flat = flat_map(many)
of_child = map(told)
"""


@pytest.fixture(autouse=True)
def flow(clean_imports: None) -> None:
    write("flow.py", FLOW)


def run(chain: str, text: str) -> Result:
    return cli("run", f"flow.py:{chain}", text=text)


CHAINS = ("untold", "told_any", "wrong", "awaited")


@pytest.mark.parametrize(
    ("made", "line"),
    [
        ("'as it is'", "as it is"),
        ("'two\\nlines'", "two\nlines"),
        ("'NaN'", "NaN"),
        ("''", ""),
        ("Word.RED", "red"),
        ("None", "null"),
        ("True", "true"),
        ("10**30", "1" + 30 * "0"),
        ("0.1", "0.1"),
        ("{'delay': 3, 'of': ('SFO', None)}", '{"delay":3,"of":["SFO",null]}'),
        ("{'NaN': 'Infinity'}", '{"NaN":"Infinity"}'),
        ("{1: 2}", '{"1":2}'),
        ("'caf\\xe9', '\\u20ac'", '["café","€"]'),
        ("b'caf\\xc3\\xa9'", '"café"'),
        ("[bytearray(b'x')]", '["x"]'),
        ("Model(a=1)", '{"a":1.0,"at":"2024-02-29"}'),
        ("[Told(a=10)]", '[{"a":"0xa"}]'),
        ("Record(1)", '{"a":1}'),
        ("Pair(1, 'x')", '[1,"x"]'),
        ("datetime(2024, 2, 29, tzinfo=timezone.utc)", '"2024-02-29T00:00:00Z"'),
        ("timedelta(seconds=90)", '"PT1M30S"'),
        ("Decimal('1.10')", '"1.10"'),
        ("UUID(int=1)", '"00000000-0000-0000-0000-000000000001"'),
        ("Colour.RED", '"red"'),
        ("Path('a/b')", '"a/b"'),
        ("PurePosixPath('a/b')", '"a/b"'),
        ("[ip_address('10.0.0.1')]", '["10.0.0.1"]'),
        ("ToldByClass()", '"told"'),
        ("{1}", "[1]"),
        ("frozenset([1])", "[1]"),
        ("deque([1])", "[1]"),
        ("Fraction(1, 2)", '"1/2"'),
        ("1j", '"1j"'),
        ("nested(100)", 101 * "[" + 101 * "]"),
    ],
)
def test_what_can_be_json_is(made: str, line: str) -> None:
    for chain in CHAINS:
        done = run(chain, made)
        assert (done.exit_code, done.stdout, done.stderr) == (0, f"{line}\n", ""), chain


SURROGATE = "it has half of a surrogate pair in it, which UTF-8 cannot hold: "
NOT_FINITE = "it has a number in it that is not finite: "
NOT_UTF8 = "it has bytes in it that are not UTF-8: "


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ("'\\ud800'", SURROGATE + "'\\ud800'"),
        ("['\\ud800']", SURROGATE + "['\\ud800']"),
        ("{'\\ud800': 1}", SURROGATE + "{'\\ud800': 1}"),
        ("float('nan')", NOT_FINITE + "nan"),
        ("float('inf')", NOT_FINITE + "inf"),
        ("-float('inf')", NOT_FINITE + "-inf"),
        ("{'a': [float('nan')]}", NOT_FINITE + "{'a': [nan]}"),
        ("Record(float('nan'))", NOT_FINITE + "Record(a=nan)"),
        ("['NaN', float('nan')]", NOT_FINITE + "['NaN', nan]"),
        ("b'\\xff'", NOT_UTF8 + "b'\\xff'"),
        ("{'a': b'\\xff'}", NOT_UTF8 + "{'a': b'\\xff'}"),
        ("nested(260)", "it is nested too deep: [["),
        ("nested(50_000)", "it is nested too deep: <list object whose repr raised RecursionError>"),
        ("circle", "it holds itself: [[...]]"),
        ("ring", "it holds itself: {'a': {...}}"),
        ("Thing()", "Unable to serialize unknown type: "),
        ("[1, Thing()]", "Unable to serialize unknown type: "),
        ("len", "Unable to serialize unknown type: "),
        ("Thing", "Unable to serialize unknown type: "),
        ("range(3)", "Unable to serialize unknown type: "),
        ("ValueError('x')", "Unable to serialize unknown type: "),
        ("Unspeakable()", "<Unspeakable object whose repr raised RuntimeError>"),
        ("Unwritable(a=1)", "cannot be told"),
    ],
)
def test_what_cannot_is_an_error_with_its_place(made: str, reason: str) -> None:
    for chain in CHAINS:
        done = run(chain, f"1\n{made}\n3\n")
        name = {"untold": "made", "told_any": "any_made", "wrong": "wrongly_made"}.get(
            chain, "later"
        )
        assert (done.exit_code, done.stdout) == (1, "1\n"), chain
        place = f'error: result 2 of stage 1 "{name}" cannot be written: '
        assert done.stderr.startswith(place)
        assert reason in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_result_in_a_message_is_not_endless() -> None:
    done = run("untold", "['x' * 10_000, Thing()]")
    assert done.exit_code == 1
    assert len(done.stderr) < 400
    assert done.stderr.endswith("…\n")


@pytest.mark.parametrize(
    ("chain", "lines"),
    [
        ("hexed", '"0xa"\n"0xb"\n'),
        ("hexed_batches", '["0xa","0xb"]\n'),
        ("hexed_many", '["0xa"]\n["0xb"]\n'),
        ("hexed_flat", '"0xa"\n"0xb"\n'),
        ("of_child", '{"a":"0xa","b":2}\n{"a":"0xb","b":2}\n'),
    ],
)
def test_the_type_of_the_last_stage_says_how(chain: str, lines: str) -> None:
    done = run(chain, "10\n11\n")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == lines
    for line in done.stdout.splitlines():
        json.loads(line)


def test_a_result_that_cannot_be_written_leaves_the_output_as_it_was() -> None:
    Path("out.jsonl").write_text("old\n", encoding="utf-8")
    done = cli("run", "flow.py:untold", "--output", "out.jsonl", text="1\nfloat('nan')\n")
    assert done.exit_code == 1
    assert Path("out.jsonl").read_text(encoding="utf-8") == "old\n"
    [unfinished] = Path().glob("out.jsonl.*.partial")
    assert unfinished.read_text(encoding="utf-8") == "1\n"
    assert f'the results so far are in "{unfinished}"' in done.stderr


def test_an_output_file_is_utf8_with_plain_ends_of_lines() -> None:
    cli("run", "flow.py:untold", "--output", "out", text="'caf\\xe9'\n['\\u20ac']\n")
    assert Path("out").read_bytes() == 'café\n["€"]\n'.encode()
