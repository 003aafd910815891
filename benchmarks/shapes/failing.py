"""One item in a hundred makes a stage fail: skipped, handled, set aside, retried."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from benchmarks.shape import Fails, Shape, failed, numbers
from benchmarks.shapes.arithmetic import Scale, Shift
from rivusio import DeadLetter, StreamConfig, SyncBasePipe

SCALE, SHIFT = Scale(3), Shift(7)


def prices(count: int) -> list[str]:
    """Give prices as text; one in a hundred is missing."""
    return ["n/a" if number % 100 == 99 else str(number % 977) for number in range(count)]


class Limit(SyncBasePipe[int, int]):
    """A stage behind the one that fails, which may fail, too."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def process(self, data: int) -> int:
        """Refuse what is too much.

        Raises:
            OverflowError: if it is.
        """
        if data > self.most:
            raise OverflowError("too much")
        return data


LIMIT = Limit(10_000)


class Parse(SyncBasePipe[str, int]):
    """A number."""

    def process(self, data: str) -> int:
        """Read it."""
        return int(data)


skipped = Parse().with_config(StreamConfig(on_error="skip")) >> LIMIT


def skipped_by_hand(items: Iterable[str]) -> Iterator[int]:
    """What cannot be read is passed over."""
    limit = LIMIT
    for index, item in enumerate(items):
        try:
            number = int(item)
        except Exception:  # noqa: BLE001, S112  as the settings say
            continue
        try:
            if number > limit.most:
                raise OverflowError("too much")
        except Exception as error:
            raise failed("Limit", error, 1, number, index) from error
        yield number


class ParseOr(SyncBasePipe[str, int]):
    """A number, or another in its place."""

    def __init__(self, otherwise: int) -> None:
        super().__init__()
        self.otherwise = otherwise

    def process(self, data: str) -> int:
        """Read it."""
        return int(data)

    def handle_error(self, error: Exception, data: str) -> int:  # noqa: ARG002  as rivusio calls it
        """Give what stands for it."""
        return self.otherwise


PARSE_OR = ParseOr(-1)

handled = PARSE_OR >> LIMIT


def handled_by_hand(items: Iterable[str]) -> Iterator[int]:
    """What cannot be read becomes something else."""
    parse_or, limit = PARSE_OR, LIMIT
    for index, item in enumerate(items):
        try:
            number = int(item)
        except Exception:  # noqa: BLE001  as the handler takes it
            number = parse_or.otherwise
        try:
            if number > limit.most:
                raise OverflowError("too much")
        except Exception as error:
            raise failed("Limit", error, 1, number, index) from error
        yield number


LETTERS: deque[DeadLetter] = deque(maxlen=100)

set_aside = Parse().with_config(StreamConfig(on_error=LETTERS.append)) >> LIMIT


def set_aside_by_hand(items: Iterable[str]) -> Iterator[int]:
    """What cannot be read becomes a dead letter."""
    limit = LIMIT
    for index, item in enumerate(items):
        try:
            number = int(item)
        except Exception as error:  # noqa: BLE001  as the settings say
            LETTERS.append(DeadLetter(item, "Parse", 0, error, index))
            continue
        try:
            if number > limit.most:
                raise OverflowError("too much")
        except Exception as error:
            raise failed("Limit", error, 1, number, index) from error
        yield number


class BusyError(Exception):
    """Try again."""


class Busy(SyncBasePipe[int, int]):
    """A service that refuses one call in a hundred."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def process(self, data: int) -> int:
        """Count the calls.

        Raises:
            BusyError: now and then.
        """
        self.calls += 1
        if self.calls % 100 == 0:
            raise BusyError("try again")
        return data + 1


BUSY = Busy()

retried = SCALE >> BUSY.with_config(StreamConfig(retry_attempts=3, retry_delay=0)) >> SHIFT


def retried_by_hand(items: Iterable[int]) -> Iterator[int]:
    """Three tries, and nothing between them."""
    scale, busy, shift = SCALE, BUSY, SHIFT
    for index, item in enumerate(items):
        try:
            scaled = item * scale.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        tries = 3
        while True:
            try:
                busy.calls += 1
                if busy.calls % 100 == 0:
                    raise BusyError("try again")
                answer = scaled + 1
            except Exception as error:
                tries -= 1
                if tries:
                    continue
                raise failed("Busy", error, 1, scaled, index) from error
            break
        try:
            shifted = answer + shift.by
        except Exception as error:
            raise failed("Shift", error, 2, answer, index) from error
        yield shifted


SHAPES = (
    Shape(
        name="skipped",
        about='1 % of the items fail: `on_error="skip"`',
        chain=skipped,
        expert=skipped_by_hand,
        items=prices,
        count=15_000,
        failing=("10001",),
    ),
    Shape(
        name="handled",
        about="1 % fail: `handle_error`",
        chain=handled,
        expert=handled_by_hand,
        items=prices,
        count=15_000,
        failing=("10001",),
    ),
    Shape(
        name="set_aside",
        about="1 % fail: dead letters",
        aside=LETTERS,
        chain=set_aside,
        expert=set_aside_by_hand,
        items=prices,
        count=15_000,
        failing=("10001",),
    ),
    Shape(
        name="retried",
        about="1 % fail: tried again",
        chain=retried,
        expert=retried_by_hand,
        items=numbers,
        count=10_000,
        failing=(None, Fails(0), Fails(1), Fails(2)),
    ),
)
