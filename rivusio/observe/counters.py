"""What one run counts while it is observed.

The counters of a run are written by the run alone, with plain additions, and read by anybody:
that is what makes them exact without a lock per item. Clocks are dear, so each stage times one
call in `SAMPLE`, and throughput is looked at once in `SAMPLE` source items.
"""

from __future__ import annotations

from datetime import timedelta

from rivusio.observe.metrics import MetricValue, MetricWindow
from rivusio.time.clock import Clock

SAMPLE = 64
THROUGHPUT_INTERVAL = 0.1  # seconds that one throughput value stands for, at least
WHOLE_RUN = timedelta.max  # how long a measurement counts is for the monitor to say

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

    __slots__ = (*COUNTS, "calls", "name", "processing_time")

    def __init__(self, name: str) -> None:
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
        self.calls = 0
        self.processing_time = MetricWindow(window_size=WHOLE_RUN)

    @property
    def samples_next_call(self) -> bool:
        """Whether the call that comes next is one to be timed."""
        return self.calls % SAMPLE == 0

    def timed(self, started: float, ended: float) -> None:
        """Note how long a sampled call took."""
        self.processing_time.add_value(ended - started, ended)


class RunCounters:
    """The counts of one run: its stages', and what came in and went out."""

    def __init__(self, names: list[str], clock: Clock) -> None:
        self.stages = [StageCounters(name) for name in names]
        self.items_in = 0
        self.items_out = 0
        self.discarded_outputs = 0  # outputs of flat-maps that were never taken
        self._throughput = MetricWindow(window_size=WHOLE_RUN)
        self._started = 0.0
        self._ended: float | None = None
        self._clock = clock
        self._interval_start = 0.0
        self._interval_items = 0

    def begin(self) -> None:
        """Note when the run started."""
        self._started = self._interval_start = self._clock.now()

    def item_arrived(self) -> None:
        """Count a source item, and now and then note how fast they come."""
        self.items_in += 1
        if self.items_in % SAMPLE == 1:
            self._note_throughput()

    def _note_throughput(self) -> None:
        now = self._clock.now()
        seconds = now - self._interval_start
        if seconds >= THROUGHPUT_INTERVAL:
            self._throughput.add_value((self.items_in - self._interval_items) / seconds, now)
            self._interval_start = now
            self._interval_items = self.items_in

    def finish(self) -> None:
        """Note when the run ended."""
        self._ended = self._clock.now()

    def throughput(self) -> MetricWindow:
        """Give the source items per second; a short or slow run has one value for all of it."""
        if len(self._throughput):
            return self._throughput
        now = self._clock.now() if self._ended is None else self._ended
        seconds = now - self._started
        return MetricWindow([MetricValue(now, self.items_in / seconds)] if seconds > 0 else [])

    def processing_time(self) -> MetricWindow:
        """Give the seconds of work for one source item: what its stages take, added up.

        A stage counts as often as it is called for an item: a batch of ten with a tenth of its
        call. The stages were timed apart, so their values are added rank by rank: the quickest
        to the quickest, the slowest to the slowest.
        """
        timed = [stage for stage in self.stages if len(stage.processing_time)]
        if not timed or not self.items_in:
            return MetricWindow()
        ranked = [
            sorted(
                each.value * stage.calls / self.items_in for each in stage.processing_time.values
            )
            for stage in timed
        ]
        latest = max(stage.processing_time.values[-1].timestamp for stage in timed)
        most = max(map(len, ranked))
        sums = (
            sum(values[rank * len(values) // most] for values in ranked) for rank in range(most)
        )
        return MetricWindow(MetricValue(latest, value) for value in sums)

    def total(self, count: str) -> int:
        """Give the sum of one count over the stages."""
        return sum(getattr(stage, count) for stage in self.stages)
