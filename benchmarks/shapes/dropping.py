"""Fewer items, or more: filters, lambdas, a flat-map, `drop_none`, `take`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.shape import Fails, Shape, failed, numbers
from benchmarks.shapes.arithmetic import Scale, Shift
from rivusio import FilterPipe, FlatMapPipe, SyncBasePipe, drop_none, filter, map, take

SCALE, SHIFT = Scale(3), Shift(7)


class Words(FlatMapPipe[str, str]):
    """The words of a line."""

    def expand(self, item: str) -> list[str]:
        """Split it."""
        return item.split()


class IsField(FilterPipe[str]):
    """Words that are fields."""

    def keep(self, item: str) -> bool:
        """Look for the sign."""
        return "=" in item


class Pair(SyncBasePipe[str, tuple[str, str]]):
    """A name and a value."""

    def process(self, data: str) -> tuple[str, str]:
        """Take it apart."""
        name, _, value = data.partition("=")
        return name, value


fields = Words() >> IsField() >> Pair()


def fields_by_hand(items: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A loop in the loop."""
    for index, item in enumerate(items):
        try:
            words = item.split()
        except Exception as error:
            raise failed("Words", error, 0, item, index) from error
        for word in words:
            try:
                if "=" not in word:
                    continue
            except Exception as error:
                raise failed("IsField", error, 1, word, index) from error
            try:
                name, _, value = word.partition("=")
            except Exception as error:
                raise failed("Pair", error, 2, word, index) from error
            yield name, value


def log_lines(count: int) -> list[str]:
    """Give the lines of a log."""
    return [
        f"INFO served path=/a/{number} status=200 took {number % 90} ms" for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class OddLine:
    """Words that are none: something that is no text has come in."""

    words: tuple[object, ...]

    def split(self) -> list[object]:
        """Give them."""
        return list(self.words)


class Above(FilterPipe[int]):
    """Numbers that are large enough."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least

    def keep(self, item: int) -> bool:
        """Compare."""
        return item >= self.least


class NotBy(FilterPipe[int]):
    """Numbers that cannot be divided."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self.by = by

    def keep(self, item: int) -> bool:
        """Divide."""
        return item % self.by != 0


ABOVE, NOT_BY = Above(10), NotBy(3)

filters = ABOVE >> NOT_BY >> str


def filters_by_hand(items: Iterable[int]) -> Iterator[str]:
    """Two questions that read `self`."""
    above, not_by = ABOVE, NOT_BY
    for index, item in enumerate(items):
        try:
            if not item >= above.least:
                continue
        except Exception as error:
            raise failed("Above", error, 0, item, index) from error
        try:
            if item % not_by.by == 0:
                continue
        except Exception as error:
            raise failed("NotBy", error, 1, item, index) from error
        try:
            text = str(item)
        except Exception as error:
            raise failed("str", error, 2, item, index) from error
        yield text


@dataclass(frozen=True, slots=True)
class OddNumber:
    """A number that is large, may not be divided, and has no text."""

    rest: int | None = None

    def __ge__(self, _: object) -> bool:
        return True

    def __mod__(self, _: object) -> int:
        if self.rest is None:
            raise ArithmeticError("this cannot be divided")
        return self.rest

    def __str__(self) -> str:
        raise ArithmeticError("this has no text")


lambdas = SCALE >> filter(lambda number: number % 4 != 3) >> map(lambda number: (number, -number))


def lambdas_by_hand(items: Iterable[int]) -> Iterator[tuple[int, int]]:
    """What stands in a lambda stands in the loop."""
    scale = SCALE
    for index, item in enumerate(items):
        try:
            scaled = item * scale.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        try:
            if scaled % 4 == 3:
                continue
        except Exception as error:
            raise failed("filter", error, 1, scaled, index) from error
        try:
            pair = scaled, -scaled
        except Exception as error:
            raise failed("<lambda>", error, 2, scaled, index) from error
        yield pair


PRICES = {f"item {number}": number for number in range(0, 1_000, 2)}
PRICES["a gift"] = Fails(0)  # type: ignore[assignment]  # so that the last stage can fail, too

known = map(PRICES.get) >> drop_none() >> SHIFT


def known_by_hand(items: Iterable[str]) -> Iterator[int]:
    """Look up, and go on if something was found."""
    shift = SHIFT
    for index, item in enumerate(items):
        try:
            price = PRICES.get(item)
        except Exception as error:
            raise failed("get", error, 0, item, index) from error
        if price is None:
            continue
        try:
            shifted = price + shift.by
        except Exception as error:
            raise failed("Shift", error, 2, price, index) from error
        yield shifted


def item_names(count: int) -> list[str]:
    """Give names, every other of them known."""
    return [f"item {number % 1_000}" for number in range(count)]


TAKEN = 8_000

taken = SCALE >> take(TAKEN) >> SHIFT


def taken_by_hand(items: Iterable[int]) -> Iterator[int]:
    """Nothing is asked of the source after the last item that is wanted."""
    scale, shift = SCALE, SHIFT
    for index, item in enumerate(items):
        try:
            scaled = item * scale.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        try:
            shifted = scaled + shift.by
        except Exception as error:
            raise failed("Shift", error, 2, scaled, index) from error
        yield shifted
        if index == TAKEN - 1:
            break


SHAPES = (
    Shape(
        name="flat_map",
        about="a flat-map over `split`, a filter, a pair",
        chain=fields,
        expert=fields_by_hand,
        items=log_lines,
        count=4_000,
        failing=(None, OddLine((5,)), OddLine(("a=b", ["="]))),
    ),
    Shape(
        name="filters",
        about="2 filters that read `self`, then `str`",
        chain=filters,
        expert=filters_by_hand,
        items=numbers,
        count=15_000,
        failing=(None, OddNumber(), OddNumber(1)),
    ),
    Shape(
        name="lambdas",
        about="a stage, a lambda that filters, one that maps",
        chain=lambdas,
        expert=lambdas_by_hand,
        items=numbers,
        count=15_000,
        failing=(None, Fails(0), Fails(1), Fails(2)),
    ),
    Shape(
        name="drop_none",
        about="`dict.get`, `drop_none`, a stage",
        chain=known,
        expert=known_by_hand,
        items=item_names,
        count=15_000,
        failing=([], "a gift"),
    ),
    Shape(
        name="take",
        about="a stage, `take`, a stage",
        chain=taken,
        expert=taken_by_hand,
        items=lambda _: numbers(TAKEN + 100),
        count=TAKEN,
        failing=(None, Fails(0), Fails(1)),
    ),
)
