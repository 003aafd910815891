"""What came of a run: whether anything came out, and whether every item failed."""

from __future__ import annotations

from collections.abc import Sequence

from rivusio.cli.terminal import say
from rivusio.graph.operations import traits_of
from rivusio.graph.stage import Stage
from rivusio.io.line_items import LineItems
from rivusio.observe.counters import RunCounters
from rivusio.observe.monitoring import MetricsCollector, PipelineMonitor
from rivusio.user_code.refusal import Refusal


class Outcome:
    """Counts what came of a run.

    Args:
        stages: the stages of the run.
        items: its input.
        wanted: whether somebody wants the counts in any case.

    Attributes:
        results: those that were written.
        monitor: counts for the stages; there is none where no item can fail and the run go on.
    """

    def __init__(self, stages: Sequence[Stage], items: LineItems, *, wanted: bool) -> None:
        self._stages = stages
        self._items = items
        self.results = 0
        may_go_on = any(stage.settings.on_error != "raise" for stage in stages)
        self.monitor = PipelineMonitor() if wanted or may_go_on else None

    def beside(self, own: MetricsCollector | None) -> MetricsCollector | None:
        """Give what observes the run, for this and for the pipeline's own monitor."""
        if own is None or self.monitor is None:
            return self.monitor or own
        return _Both(own, self.monitor)

    def tell_of_skipped(self, *, lines: bool) -> None:
        """Say on stderr how many items were left out.

        Args:
            lines: whether lines that do not fit were.
        """
        skipped = self._count("skipped") + (self._items.failed if lines else 0)
        if skipped:
            say(
                f"{_items(skipped)} failed and {_was(skipped)} left out; --dead-letters FILE "
                f"keeps {'it' if skipped == 1 else 'them'}",
                err=True,
            )

    def refuse_if_all_failed(self) -> None:
        """Say on stderr if nothing came out.

        Raises:
            Refusal: when that is because every item failed.
        """
        if self.results:
            return
        came = self._items.count + self._items.failed
        if not came:
            say(f'nothing came out: there is no item in "{self._items.lines.name}"', err=True)
        elif self._all_failed():
            raise Refusal(f"all that came in failed: {_items(came)}; --on-error raise tells why")
        else:
            say(f"nothing came out: {_items(came)} went in", err=True)

    def _all_failed(self) -> bool:
        """Tell whether no item has gone another way than by failing."""
        if self.monitor is None:
            return not self._items.count
        if not self._items.failed + self._count("skipped") + self._count("dead_letters"):
            return False
        if self._count("filtered") + self._count("dropped") + self._count("discarded"):
            return False
        counts = self.monitor.get_metrics()["stages"]
        for stage, of_stage in zip(self._stages, counts, strict=False):
            failed = of_stage["skipped"] + of_stage["dead_letters"]
            makes_any_number = traits_of(stage.operation).gives_many
            if makes_any_number and not of_stage["items_out"] and of_stage["items_in"] > failed:
                return False
        return True

    def _count(self, what: str) -> int:
        return 0 if self.monitor is None else int(self.monitor.get_metrics()[what])


class _Both(MetricsCollector):
    """Lets two monitors observe one run."""

    def __init__(self, *monitors: MetricsCollector) -> None:
        super().__init__()
        self._monitors = monitors

    def attach(self, counters: RunCounters) -> None:
        """Called when the run starts."""
        for monitor in self._monitors:
            monitor.attach(counters)

    def detach(self, counters: RunCounters) -> None:
        """Called when the run has ended and cleaned up."""
        for monitor in self._monitors:
            monitor.detach(counters)


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
