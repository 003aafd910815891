"""What the stages of a run have counted, on stderr: a table, and a line for all of them."""

from __future__ import annotations

from rich.table import Table

from rivusio.cli.terminal import say, show
from rivusio.observe.monitoring import PipelineMonitor

COUNTED = ("errors", "retries", "filtered", "skipped", "dead_letters", "dropped", "discarded")


def show_statistics(name: str, monitor: PipelineMonitor) -> None:
    """Show what a monitor has counted in a run of the pipeline `name`."""
    show(_counts_of(name, monitor), err=True)
    say(_totals_of(monitor), err=True)


def _counts_of(name: str, monitor: PipelineMonitor) -> Table:
    """Show the counts; those that are 0 everywhere are left out."""
    metrics = monitor.get_metrics()
    counts = ["items_in", "items_out", *(count for count in COUNTED if metrics[count])]
    table = Table(title=name)
    table.add_column("stage", justify="right")
    table.add_column("name", overflow="fold")
    for count in counts:
        table.add_column(count.replace("_", " "), justify="right")
    for number, stage in enumerate(metrics["stages"], 1):
        table.add_row(str(number), stage["name"], *(f"{stage[count]:,}" for count in counts))
    return table


def _totals_of(monitor: PipelineMonitor) -> str:
    """Say in a line what all stages have done together."""
    metrics = monitor.get_metrics()
    return (
        f"{metrics['items_in']:,} items in, {metrics['items_out']:,} out, "
        f"{metrics['total_time']:.3f} s, {metrics['throughput']:,.0f} items/s"
    )
