"""Sync stages: one, five, chains inside chains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.shape import Fails, Shape, failed, numbers
from benchmarks.shapes.arithmetic import Back, Scale, Share, Shift, Wrap
from rivusio import SyncBasePipe

SCALE, SHIFT, WRAP, BACK, SHARE = Scale(3), Shift(7), Wrap(1000), Back(5), Share(2)

five = SCALE >> SHIFT >> WRAP >> BACK >> SHARE


def five_by_hand(items: Iterable[int]) -> Iterator[int]:
    """Five stages that read `self`, each time they need it: somebody may set it meanwhile."""
    scale, shift, wrap, back, share = SCALE, SHIFT, WRAP, BACK, SHARE
    for index, item in enumerate(items):
        try:
            scaled = item * scale.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        try:
            shifted = scaled + shift.by
        except Exception as error:
            raise failed("Shift", error, 1, scaled, index) from error
        try:
            wrapped = shifted % wrap.size
        except Exception as error:
            raise failed("Wrap", error, 2, shifted, index) from error
        try:
            less = wrapped - back.by
        except Exception as error:
            raise failed("Back", error, 3, wrapped, index) from error
        try:
            shared = less // share.among
        except Exception as error:
            raise failed("Share", error, 4, less, index) from error
        yield shared


class Price(SyncBasePipe[int, int]):
    """Whole cents with the tax."""

    def __init__(self, tax: int) -> None:
        super().__init__()
        self.tax = tax

    def process(self, data: int) -> int:
        """Add the tax."""
        return data + data * self.tax // 100


lone = Price(19)


def lone_by_hand(items: Iterable[int]) -> Iterator[int]:
    """One stage that reads `self`."""
    price = lone
    for index, item in enumerate(items):
        try:
            taxed = item + item * price.tax // 100
        except Exception as error:
            raise failed("Price", error, 0, item, index) from error
        yield taxed


class AddOne(SyncBasePipe[int, int]):
    """The least that a stage can do."""

    def process(self, data: int) -> int:
        """Add one."""
        return data + 1


add_one = AddOne()


def add_one_by_hand(items: Iterable[int]) -> Iterator[int]:
    """Add one."""
    for index, item in enumerate(items):
        try:
            more = item + 1
        except Exception as error:
            raise failed("AddOne", error, 0, item, index) from error
        yield more


class Strip(SyncBasePipe[str, str]):
    """A word without the blanks and marks around it."""

    def process(self, data: str) -> str:
        """Strip it."""
        return data.strip(" .,;")


class Fold(SyncBasePipe[str, str]):
    """A word in small letters."""

    def process(self, data: str) -> str:
        """Fold it."""
        return data.casefold()


class Start(SyncBasePipe[str, str]):
    """The start of a word."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def process(self, data: str) -> str:
        """Cut it."""
        return data[: self.size]


class Weight(SyncBasePipe[str, int]):
    """How often a letter stands in a word."""

    def __init__(self, letter: str) -> None:
        super().__init__()
        self.letter = letter

    def process(self, data: str) -> int:
        """Count it."""
        return data.count(self.letter)


START, WEIGHT = Start(4), Weight("e")
clean = Strip() >> Fold()
rate = START >> WEIGHT
nested = (clean >> rate) >> (SHIFT >> SCALE)


def nested_by_hand(items: Iterable[str]) -> Iterator[int]:
    """What is joined of chains is one flat chain, and one loop."""
    start, weight, shift, scale = START, WEIGHT, SHIFT, SCALE
    for index, item in enumerate(items):
        try:
            stripped = item.strip(" .,;")
        except Exception as error:
            raise failed("Strip", error, 0, item, index) from error
        try:
            folded = stripped.casefold()
        except Exception as error:
            raise failed("Fold", error, 1, stripped, index) from error
        try:
            cut = folded[: start.size]
        except Exception as error:
            raise failed("Start", error, 2, folded, index) from error
        try:
            count = cut.count(weight.letter)
        except Exception as error:
            raise failed("Weight", error, 3, cut, index) from error
        try:
            shifted = count + shift.by
        except Exception as error:
            raise failed("Shift", error, 4, count, index) from error
        try:
            scaled = shifted * scale.factor
        except Exception as error:
            raise failed("Scale", error, 5, shifted, index) from error
        yield scaled


@dataclass(frozen=True, slots=True)
class OddWord:
    """Something that is no text: what is done with it after `left` more times fails."""

    left: int

    def _next(self, *_: object) -> OddWord:
        if not self.left:
            raise TypeError("this is no text")
        return OddWord(self.left - 1)

    strip = casefold = __getitem__ = _next

    def count(self, _: object) -> Fails:
        """Give a number that fails in its turn."""
        return Fails(self._next().left)


def words(count: int) -> list[str]:
    """Give words with something around them."""
    some = (" The", "Tree,", "elephant ", "sees.", " me;")
    return [some[number % 5] for number in range(count)]


SHAPES = (
    Shape(
        name="add_one",
        about="1 sync stage that adds 1",
        chain=add_one,
        expert=add_one_by_hand,
        items=numbers,
        count=20_000,
        failing=(None, "text"),
    ),
    Shape(
        name="lone_pipe",
        about="1 sync stage that reads `self`, a pipe by itself",
        chain=lone,
        expert=lone_by_hand,
        items=numbers,
        count=20_000,
        failing=(None, Fails(0), Fails(1)),
    ),
    Shape(
        name="five",
        about="5 sync stages that read `self`",
        chain=five,
        expert=five_by_hand,
        items=numbers,
        count=10_000,
        failing=(None, *(Fails(stage) for stage in range(5))),
    ),
    Shape(
        name="nested",
        about="6 sync stages, chains joined of chains, over words",
        chain=nested,
        expert=nested_by_hand,
        items=words,
        count=6_000,
        failing=(None, *(OddWord(left) for left in range(6))),
    ),
)
