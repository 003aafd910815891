"""Bodies and types that generated code must take as they are, so that mypy has nothing to say."""

# ruff: noqa: E741, RET504, SIM108, UP006, UP035  what people write, and this must take

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Dict, Generic, List, Literal, NamedTuple, Protocol, TypedDict, TypeVar

from pydantic import BaseModel

from rivusio import (
    AsyncBasePipe,
    BatchStreamPipe,
    FilterPipe,
    FlatMapPipe,
    StreamConfig,
    SyncBasePipe,
    drop_none,
    filter,
    map,
)

T = TypeVar("T")


class Row(TypedDict):
    name: str
    size: int


class Pair(NamedTuple):
    left: str
    right: int


@dataclass
class Point:
    x: int
    y: int | None = None


class Sized(Protocol):
    def size(self) -> int: ...


class Box:
    def size(self) -> int:
        return 3


class Model(BaseModel):
    name: str
    number: int = 0


class Early(SyncBasePipe[str, int | str]):
    def process(self, data: str) -> int | str:
        if data.isdigit():
            return int(data)
        return data


class Private(SyncBasePipe[int | str, str]):
    def __init__(self) -> None:
        super().__init__()
        self.__seen: int = 0

    def process(self, data: int | str) -> str:
        self.__seen += 1
        return f"{data}{self.__seen}"


class Bare(SyncBasePipe[str, int]):
    def process(self, data: str) -> int:
        x: int | None
        if data:
            x = None
        else:
            x = 3
        return x or 0


class Given(FilterPipe[int | None]):
    def keep(self, item: int | None) -> bool:
        return item is not None


class EarlyKeep(FilterPipe[int | None]):
    def keep(self, item: int | None) -> bool:
        if item is None:
            return False
        return item > 0


class Same(SyncBasePipe[T, T], Generic[T]):
    def __init__(self, default: T) -> None:
        super().__init__()
        self.default = default

    def process(self, data: T) -> T:
        kept: T = data
        if kept is None:
            return self.default
        return kept


class ToRow(SyncBasePipe[int | None, Row]):
    def process(self, data: int | None) -> Row:
        return {"name": "x", "size": data or 0}


class ToPair(SyncBasePipe[Row, Pair]):
    def process(self, data: Row) -> Pair:
        return Pair(data["name"], data["size"])


class ToPoint(SyncBasePipe[Pair, Point]):
    def process(self, data: Pair) -> Point:
        left, right = data
        return Point(right, len(left))


class ToSized(SyncBasePipe[Point, Sized]):
    def process(self, data: Point) -> Sized:
        if data.y is None:
            raise ValueError(data)
        return Box()


class ToLiteral(SyncBasePipe[Sized, Literal["big", "small"]]):
    def process(self, data: Sized) -> Literal["big", "small"]:
        if data.size() > 2:
            return "big"
        return "small"


class ToModel(SyncBasePipe[Literal["big", "small"], Model]):
    def process(self, data: Literal["big", "small"]) -> Model:
        return Model(name=data)


class ToDict(SyncBasePipe[Model, Dict]):  # type: ignore[type-arg]
    def process(self, data: Model) -> Dict:  # type: ignore[type-arg]
        return data.model_dump()


class ToList(SyncBasePipe[Dict, List]):  # type: ignore[type-arg]
    def process(self, data: Dict) -> List:  # type: ignore[type-arg]
        return list(data)


class Optional_(SyncBasePipe[str, str | None]):
    def process(self, data: str) -> str | None:
        if not data:
            return None
        return data.upper()


class ListOr(SyncBasePipe[str, list[int]]):
    def process(self, data: str) -> list[int]:
        if not data:
            return []
        return [len(data)]


class DictOr(SyncBasePipe[list[int], dict[str, int]]):
    def process(self, data: list[int]) -> dict[str, int]:
        try:
            return {"a": data[0]}
        except IndexError:
            return {}


class Dicts(SyncBasePipe[str, Row]):
    def process(self, data: str) -> Row:
        if not data:
            return {"name": "", "size": 0}
        return {"name": data, "size": 1}


class Shared(SyncBasePipe[str, dict[str, object]]):
    def process(self, data: str) -> dict[str, object]:
        return {"a": 1, "b": data}


class Means(BatchStreamPipe[dict[str, object], list[float]]):
    async def process_batch(self, batch: list[dict[str, object]]) -> list[float]:
        if not batch:
            return []
        return [len(batch)]


class Any_(SyncBasePipe[Any, Any]):
    def process(self, data: Any) -> Any:
        if data:
            return 1
        return "x"


class Chars(FlatMapPipe[str, str]):
    def expand(self, data: str) -> list[str]:
        return list(data)


class Assigns(SyncBasePipe[int | str, int]):
    def process(self, data: int | str) -> int:
        data = str(data)
        return len(data)


class Narrow(SyncBasePipe[int | str, int]):
    def process(self, data: int | str) -> int:
        if isinstance(data, str):
            return len(data)
        return data + 1


class Widen(SyncBasePipe[str, float]):
    def process(self, data: str) -> float:
        return len(data)


class Halve(SyncBasePipe[float, float]):
    def process(self, data: float) -> float:
        return data / 2


class Seq(SyncBasePipe[str, list[int | str]]):
    def process(self, data: str) -> list[int | str]:
        return [1]


class SeqUse(SyncBasePipe[list[int | str], list[int | str]]):
    def process(self, data: list[int | str]) -> list[int | str]:
        data.append("x")
        return data


class Empty(SyncBasePipe[str, list[int]]):
    def process(self, data: str) -> list[int]:
        return []


class AfterEmpty(SyncBasePipe[list[int], Pair]):
    def process(self, data: list[int]) -> Pair:
        return Pair("", sum(data))


class NoneOut(SyncBasePipe[int, None]):
    def process(self, data: int) -> None:
        print(data)


class WhatNone(SyncBasePipe[int | None, int]):
    def process(self, data: int | None) -> int:
        if data is None:
            return 0
        return data


class SeqCopy(SyncBasePipe[dict[str, int], list[str]]):
    def process(self, data: dict[str, int]) -> list[str]:
        out = []
        for key, value in data.items():
            out.append(f"{key}{value}")
        return out


class Match(SyncBasePipe[int | str | Point, str]):
    def process(self, data: int | str | Point) -> str:
        match data:
            case int():
                return "int"
            case str():
                return data
            case Point(x=x):
                return str(x)


class Local(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        NOTHING = data
        settings_0 = NOTHING + 1
        counters_0 = l = settings_0
        m_edge = l
        deque = counters_0 + m_edge
        return deque


class Keys(SyncBasePipe[list[int], list[int]]):
    def process(self, data: list[int]) -> list[int]:
        return sorted(data, key=lambda item: -item)


class Keys2(SyncBasePipe[list[int], list[int]]):
    def process(self, data: list[int]) -> list[int]:
        return sorted(data, key=lambda pipe_1: -pipe_1)


class Clash(SyncBasePipe[list[int], list[int]]):
    sign = -1

    def process(self, data: list[int]) -> list[int]:
        return sorted([*data, self.sign], key=lambda pipe_0: -pipe_0)


class Multi(FilterPipe[int]):
    def keep(self, item: int) -> bool:
        if item > 3:
            return False
        return item > 0


class Wide(SyncBasePipe[int, list[int | None]]):
    async_ = 1

    def process(self, data: int) -> list[int | None]:
        out: list[int | None]
        if data:
            out = [1]
        else:
            out = [None]
        return out


class Seen(SyncBasePipe[int, int | None]):
    def process(self, data: int) -> int | None:
        return data or None


class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * 2


class Waits(AsyncBasePipe[int, str | None]):
    async def process(self, data: int) -> str | None:
        await asyncio.sleep(0)
        return None


async def written(text: str) -> None:
    await asyncio.sleep(len(text))


early = Early() >> Private() >> Optional_()
bare = (
    Bare()
    >> Given()
    >> Same[int | None](0)
    >> ToRow()
    >> ToPair()
    >> ToPoint()
    >> ToSized()
    >> ToLiteral()
    >> ToModel()
)
loose = ToModel() >> ToDict() >> ToList()
lists = ListOr() >> DictOr() >> SeqCopy()
dicts = Dicts() >> ToPair()
shared = Shared() >> Means(batch_size=3)
anys = Any_() >> Any_()
chars = Chars() >> Early() >> Assigns() >> NoneOut()
narrow = Early() >> Narrow() >> WhatNone() >> EarlyKeep() >> map(lambda n: n or 0)
widen = Widen() >> Halve()
seq = Seq() >> SeqUse()
empty = Empty() >> AfterEmpty()
only = Bare() >> EarlyKeep() >> WhatNone()
match_ = Early() >> Match()
local = Local().with_config(StreamConfig(retry_attempts=2)) >> map(lambda n: n + 1)
keys = Keys() >> Keys2()
clash = Clash() >> Clash()
multi = Multi() >> Multi().with_config(StreamConfig(retry_attempts=2)) >> Wide()
stripped = map(str.strip) >> filter(lambda s: s.strip()).with_config(StreamConfig(on_error="skip"))
present = Seen() >> drop_none() >> Double() >> Waits() >> drop_none() >> map(str.strip)
nothing = map(str.strip) >> written
