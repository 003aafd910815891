"""Lists that a count closes: batches, of dataclasses and of text, and a sliding window."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass

from benchmarks.shape import Shape, failed, numbers
from rivusio import BatchStreamPipe, FilterPipe, SyncBasePipe, batch, map, sliding


@dataclass(frozen=True, slots=True)
class Record:
    """A price in its currency."""

    name: str
    price: float
    euro: float = 0.0


Row = tuple[str, float]


class Read(SyncBasePipe[Row, Record]):
    """A record of a row."""

    def process(self, data: Row) -> Record:
        """Make it."""
        return Record(data[0], data[1])


class Priced(FilterPipe[Record]):
    """Records with a price."""

    def keep(self, item: Record) -> bool:
        """Compare."""
        return item.price > 0


class Exchange(SyncBasePipe[Record, Record]):
    """The price in another currency."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def process(self, data: Record) -> Record:
        """Multiply."""
        return Record(data.name, data.price, data.price * self.rate)


class Total(BatchStreamPipe[Record, float]):
    """The sum of a batch."""

    async def process_batch(self, batch: list[Record]) -> float:
        """Add it up."""
        return sum(record.euro for record in batch)


EXCHANGE = Exchange(1.1)
SIZE = 100

batches = Read() >> Priced() >> EXCHANGE >> Total(batch_size=100)


async def batches_by_hand(items: Iterable[Row]) -> AsyncIterator[float]:
    """The rest is a batch, too; its error has no item of the source."""
    exchange = EXCHANGE
    held: list[Record] = []
    for index, item in enumerate(items):
        try:
            record = Record(item[0], item[1])
        except Exception as error:
            raise failed("Read", error, 0, item, index) from error
        try:
            if not record.price > 0:
                continue
        except Exception as error:
            raise failed("Priced", error, 1, record, index) from error
        try:
            exchanged = Record(record.name, record.price, record.price * exchange.rate)
        except Exception as error:
            raise failed("Exchange", error, 2, record, index) from error
        held.append(exchanged)
        if len(held) == SIZE:
            full, held = held, []
            try:
                total = sum(record.euro for record in full)
            except Exception as error:
                raise failed("Total", error, 3, full, index) from error
            yield total
    if held:
        try:
            total = sum(record.euro for record in held)
        except Exception as error:
            raise failed("Total", error, 3, held, None) from error
        yield total


def rows(count: int) -> list[Row]:
    """Give rows, one in four of them without a price."""
    return [(f"row {number}", float(number % 4)) for number in range(count)]


@dataclass(frozen=True, slots=True)
class OddPrice:
    """What can be compared, and multiplied if there is a product."""

    product: object = None

    def __gt__(self, _: object) -> bool:
        return True

    def __mul__(self, _: object) -> object:
        if self.product is None:
            raise ArithmeticError("this is no number")
        return self.product


def cleaned(cell: str) -> str:
    """Take the blanks around a cell away."""
    return cell.strip()


plain_batches = map(cleaned) >> batch(50) >> ",".join


def plain_batches_by_hand(items: Iterable[str]) -> Iterator[str]:
    """Without a class."""
    held: list[str] = []
    for index, item in enumerate(items):
        try:
            held.append(item.strip())
        except Exception as error:
            raise failed("cleaned", error, 0, item, index) from error
        if len(held) == 50:
            full, held = held, []
            try:
                line = ",".join(full)
            except Exception as error:
                raise failed("join", error, 2, full, index) from error
            yield line
    if held:
        try:
            line = ",".join(held)
        except Exception as error:
            raise failed("join", error, 2, held, None) from error
        yield line


class OddCell:
    """Something that is no text, though it can be stripped."""

    def strip(self) -> int:
        """Give what it is."""
        return 5


def cells(count: int) -> list[str]:
    """Give cells of a table."""
    return [f" {number} " for number in range(count)]


sums = sliding(10, 1) >> sum


def sums_by_hand(items: Iterable[int]) -> Iterator[int]:
    """The last ten, each time in a list that is the stage's own, as a run promises."""
    window: deque[int] = deque(maxlen=10)
    missing = 10
    for index, item in enumerate(items):
        window.append(item)
        if missing > 1:
            missing -= 1
            continue
        full = list(window)
        try:
            total = sum(full)
        except Exception as error:
            raise failed("sum", error, 1, full, index) from error
        yield total


def uncopied_sums_by_hand(items: Iterable[int]) -> Iterator[int]:
    """The last ten; whoever knows that a sum keeps no list makes none."""
    window: deque[int] = deque(maxlen=10)
    missing = 10
    for index, item in enumerate(items):
        window.append(item)
        if missing > 1:
            missing -= 1
            continue
        try:
            total = sum(window)
        except Exception as error:
            raise failed("sum", error, 1, list(window), index) from error
        yield total


SHAPES = (
    Shape(
        name="sliding",
        about="`sliding(10, 1)` and a sum",
        chain=sums,
        expert=sums_by_hand,
        items=numbers,
        count=10_000,
        failing=(None,),
    ),
    Shape(
        name="sliding_uncopied",
        about="`sliding(10, 1)` and a sum, against a loop that copies no window",
        chain=sums,
        expert=uncopied_sums_by_hand,
        items=numbers,
        count=10_000,
        failing=(None,),
    ),
    Shape(
        name="batch_join",
        about="a stage, `batch(50)`, a join",
        chain=plain_batches,
        expert=plain_batches_by_hand,
        items=cells,
        count=15_000,
        failing=(None, OddCell()),
    ),
    Shape(
        name="batch_records",
        about="dataclasses: read, filter, exchange, batches of 100 added up",
        chain=batches,
        expert=batches_by_hand,
        items=rows,
        count=5_000,
        way="stream",
        failing=(None, ("row", "text"), ("row", OddPrice()), ("row", OddPrice("text"))),
    ),
)
