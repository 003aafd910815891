"""What one run counts while it is observed.

The counters of a run are written by the run alone, with plain additions, and read by anybody:
that is what makes them exact without a lock per item. Clocks are dear, so time is taken for one
call in `SAMPLE` and for every call of one source item in `SAMPLE`.
"""

from __future__ import annotations

from rivusio.clock import Clock
from rivusio.metrics import MetricWindow

SAMPLE = 64
THROUGHPUT_INTERVAL = 0.1  # seconds that one throughput value stands for, at least

COUNTS = (
    "items_in",
    "items_out",
    "errors",
    "retries",
    "filtered",
    "dropped",
    "discarded",
    "skipped",
    "dead_letters",
)


class StageCounters:
    """The counts of one stage in one run, in units of the stage's input."""

    __slots__ = (*COUNTS, "_calls", "_run", "name", "processing_time")

    def __init__(self, name: str, run: RunCounters) -> None:
        self.name = name
        self.items_in = 0
        self.items_out = 0
        self.errors = 0
        self.retries = 0
        self.filtered = 0
        self.dropped = 0
        self.discarded = 0
        self.skipped = 0
        self.dead_letters = 0
        self.processing_time = MetricWindow()
        self._calls = 0
        self._run = run

    def samples_this_call(self) -> bool:
        """Tell whether the call that begins now is one to be timed."""
        self._calls += 1
        return self._run.sampling or self._calls % SAMPLE == 1

    def timed(self, started: float, ended: float) -> None:
        """Note how long a sampled call took."""
        self.processing_time.add_value(ended - started, ended)
        self._run.sampled_seconds += ended - started


class RunCounters:
    """The counts of one run: its stages', and what came in and went out."""

    def __init__(self, names: list[str], clock: Clock) -> None:
        self.stages = [StageCounters(name, self) for name in names]
        self.items_in = 0
        self.items_out = 0
        self.discarded_outputs = 0  # outputs of flat-maps that were never taken
        self.throughput = MetricWindow()
        self.processing_time = MetricWindow()
        self.sampling = False
        self.sampled_seconds = 0.0
        self.started = 0.0
        self.ended: float | None = None
        self._clock = clock
        self._interval_start = 0.0
        self._interval_items = 0

    def begin(self) -> None:
        """Note when the run started."""
        self.started = self._interval_start = self._clock.now()

    def item_arrived(self) -> None:
        """Count a source item, and begin or end a sample."""
        self.items_in += 1
        if self.sampling:
            self._end_sample()
        if self.items_in % SAMPLE == 1:
            self.sampling = True
            self._note_throughput()

    def _end_sample(self) -> None:
        self.processing_time.add_value(self.sampled_seconds, self._clock.now())
        self.sampling = False
        self.sampled_seconds = 0.0

    def _note_throughput(self) -> None:
        now = self._clock.now()
        seconds = now - self._interval_start
        if seconds >= THROUGHPUT_INTERVAL:
            self.throughput.add_value((self.items_in - self._interval_items) / seconds, now)
            self._interval_start = now
            self._interval_items = self.items_in

    def finish(self) -> None:
        """Close the open sample and note when the run ended."""
        if self.sampling:
            self._end_sample()
        self.ended = self._clock.now()
        if not len(self.throughput):
            self._note_rest()

    def _note_rest(self) -> None:
        """Give a run that was over within the first interval the one value it has."""
        assert self.ended is not None  # noqa: S101  finish() has just set it
        seconds = self.ended - self.started
        if seconds > 0:
            self.throughput.add_value(self.items_in / seconds, self.ended)

    def total(self, count: str) -> int:
        """Give the sum of one count over the stages."""
        return sum(getattr(stage, count) for stage in self.stages)
