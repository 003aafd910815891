"""`rivusio graph`: the stages of a pipeline, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import click
from rich.table import Table

from rivusio.cli.messages import report_failures
from rivusio.cli.terminal import show
from rivusio.graph.stage import Stage
from rivusio.pipes.base import BasePipe
from rivusio.safe_repr import str_of, type_name
from rivusio.user_code.pipeline_file import find_pipeline


@click.command()
@click.argument("target")
def graph(target: str) -> None:
    """Show the stages of a pipeline: what they do, and their settings."""
    with report_failures():
        show(_make_table(*find_pipeline(target)))


def _make_table(name: str, pipe: BasePipe[Any, Any]) -> Table:
    """Show the stages of a pipeline."""
    table = Table(title=name)
    table.add_column("stage", justify="right")
    for title in ("name", "what it does", "family", "settings"):
        table.add_column(title, overflow="fold")
    for number, stage in enumerate(pipe._rivusio_stages(), 1):
        family = "async" if stage.pipe.is_async else "sync"
        settings = "\n".join(_describe_settings(stage))
        table.add_row(str(number), stage.name, stage.operation.words, family, settings)
    return table


def _describe_settings(stage: Stage) -> Iterator[str]:
    """Say what applies to a stage, in the order in which it does."""
    settings = stage.settings
    if (buffer := settings.backpressure) is not None:
        yield f"buffer of {buffer.max_buffer_size}, overflow {buffer.overflow}"
    if (concurrency := stage.concurrency) is not None:
        yield (
            f"{concurrency.limit} at once, {'' if concurrency.ordered else 'un'}ordered"
            f"{', in threads' if concurrency.threads else ''}"
        )
    if settings.timeout is not None:
        yield f"timeout {settings.timeout:g} s"
    if (retry := settings.retry) is not None:
        yield f"{retry.attempts} tries, delay {retry.delay:g} s, backoff {retry.backoff:g}"
    if stage.handler is not None:
        yield "handle_error"
    if settings.on_error == "skip":
        yield "on_error: skip"
    elif callable(settings.on_error):
        yield f"dead letters to {_name_of(settings.on_error)}"
    if settings.skip_none:
        yield "skip_none"


def _name_of(function: object) -> str:
    if isinstance(function, BasePipe):
        return str_of(function)
    name = None
    with suppress(Exception):  # what stands for another object may fail for want of that
        name = getattr(function, "__qualname__", None)
    return name if isinstance(name, str) else type_name(function)
