"""What pipelines are written for: lines of JSON, as dicts and as models of pydantic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from benchmarks.shape import Shape, failed
from rivusio import FilterPipe, SyncBasePipe, filter, map

FLIGHTS = Path(__file__).parents[2] / "examples" / "data" / "flights.jsonl"


@cache
def _flights() -> list[str]:
    return FLIGHTS.read_text(encoding="utf-8").splitlines()


def flight_lines(count: int) -> list[str]:
    """Give lines of JSON: real flights."""
    lines = _flights()
    return [lines[number % len(lines)] for number in range(count)]


Fields = dict[str, Any]  # what JSON gives


def is_late(flight: Fields) -> bool:
    """Tell whether a flight was not early."""
    late: bool = flight["delay"] >= 0
    return late


def late_only(flight: Fields) -> Fields:
    """Keep what will be asked for."""
    return {"from": flight["origin"], "to": flight["destination"], "late": flight["delay"] > 15}


json_records = map(json.loads) >> filter(is_late) >> map(late_only) >> json.dumps


def json_records_by_hand(items: Iterable[str]) -> Iterator[str]:
    """Read, look, choose, write."""
    for index, item in enumerate(items):
        try:
            flight = json.loads(item)
        except Exception as error:
            raise failed("loads", error, 0, item, index) from error
        try:
            if not flight["delay"] >= 0:
                continue
        except Exception as error:
            raise failed("filter", error, 1, flight, index) from error
        try:
            fields = {
                "from": flight["origin"],
                "to": flight["destination"],
                "late": flight["delay"] > 15,
            }
        except Exception as error:
            raise failed("late_only", error, 2, flight, index) from error
        try:
            text = json.dumps(fields)
        except Exception as error:
            raise failed("dumps", error, 3, fields, index) from error
        yield text


class Flight(BaseModel):
    """A flight, validated."""

    origin: str
    destination: str
    delay: int


class Validate(SyncBasePipe[str, Flight]):
    """A flight of a line."""

    def process(self, data: str) -> Flight:
        """Let pydantic read it."""
        return Flight.model_validate_json(data)


class LateFlight(FilterPipe[Flight]):
    """Flights that were late enough."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least

    def keep(self, item: Flight) -> bool:
        """Compare."""
        return item.delay >= self.least


class Write(SyncBasePipe[Flight, str]):
    """A line of a flight."""

    def process(self, data: Flight) -> str:
        """Let pydantic write it."""
        return data.model_dump_json()


LATE = LateFlight(0)

models = Validate() >> LATE >> Write()


def models_by_hand(items: Iterable[str]) -> Iterator[str]:
    """Validate, look, write."""
    late = LATE
    for index, item in enumerate(items):
        try:
            flight = Flight.model_validate_json(item)
        except Exception as error:
            raise failed("Validate", error, 0, item, index) from error
        try:
            if not flight.delay >= late.least:
                continue
        except Exception as error:
            raise failed("LateFlight", error, 1, flight, index) from error
        try:
            text = flight.model_dump_json()
        except Exception as error:
            raise failed("Write", error, 2, flight, index) from error
        yield text


SHAPES = (
    Shape(
        name="json_records",
        about="JSON: `loads`, a filter, a dict, `dumps`",
        chain=json_records,
        expert=json_records_by_hand,
        items=flight_lines,
        count=1_000,
        failing=(None, "{", "{}", '{"delay": 3}', '{"delay": "x"}'),
    ),
    Shape(
        name="pydantic_items",
        about="pydantic: validate JSON, a filter, write JSON",
        chain=models,
        expert=models_by_hand,
        items=flight_lines,
        count=2_000,
        failing=(None, "{", "{}"),
    ),
)
