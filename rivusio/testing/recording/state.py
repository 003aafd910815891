"""What can be looked at beside a run: its monitor, and what its pipes keep on `self`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rivusio.observe.counters import COUNTS
from rivusio.observe.metrics import MetricWindow
from rivusio.observe.monitoring import PipelineMonitor
from rivusio.pipes.base import BasePipe
from rivusio.testing.as_text import text_of

WINDOWS = ("throughput", "processing_time", "error_rate")
# What rivusio and typing keep on a pipe, besides what begins with "_rivusio_".
OURS = {"_function", "_operation", "_stages", "__orig_class__"}


def describe_monitor(monitor: PipelineMonitor, *, whole: bool = False) -> str:
    """Give the counts of a monitor, those of each stage on a line; if `whole`, all it measures.

    The real time of the run is left out.
    """
    metrics = monitor.get_metrics()
    lines = [_line("run", metrics, whole=whole)]
    lines += [_line(text_of(each["name"]), each, whole=whole) for each in metrics["stages"]]
    return "\n".join(lines)


def _line(name: str, metrics: dict[str, Any], *, whole: bool) -> str:
    said = [f"{count}={metrics[count]}" for count in COUNTS if metrics[count]]
    if whole:
        # A stage's throughput is reckoned with the real time of the run.
        windows = WINDOWS if "stages" in metrics else WINDOWS[1:]
        said += [f"{window}={_values(metrics[window])}" for window in windows]
    return f"{name}: {' '.join(said)}"


def _values(window: MetricWindow) -> list[float]:
    return [round(each.value, 9) for each in window.values]


def state_of(pipe: BasePipe[Any, Any]) -> Iterator[str]:
    """Give what each pipe of a chain has on `self`, if it has anything of its own."""
    for stage in pipe._rivusio_stages():
        kept = {
            name: value
            for name, value in vars(stage.pipe).items()
            if not name.startswith("_rivusio_") and name not in OURS
        }
        if kept:
            yield f"{text_of(stage.name)}: {text_of(kept)}"
