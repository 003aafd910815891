"""The command `rivusio`: run a pipeline over lines, show, check, compile and verify it."""

from __future__ import annotations

import click

import rivusio
from rivusio.cli.checking import check
from rivusio.cli.compiling import compile_, explain
from rivusio.cli.running import graph, run
from rivusio.cli.verifying import verify


@click.group()
@click.version_option(rivusio.__version__, prog_name="rivusio", message="%(prog)s %(version)s")
def main() -> None:
    """Stream pipelines of small typed pipes, joined with >>.

    A TARGET is a Python file that holds a pipeline, or FILE:NAME where it holds several.
    """


for command in (run, graph, check, compile_, explain, verify):
    main.add_command(command)
