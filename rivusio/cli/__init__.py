"""The command `rivusio`: run a pipeline over lines, show, check, compile and verify it.

run, graph, check, compile, explain, verify     the commands, one a file
running, compiling, verifying                   their helpers

What several commands use:

messages             what leaves a command: a message in lines, and an exit code
terminal             what is written for people, whatever the terminal can show
signals              the first ends the source of a run, the second cancels it
annotations          what callables and pipes say of the types that they take and give
item_types           what a chain takes and gives, by its stages' annotations
line_readings        how lines become items of a type
"""

from __future__ import annotations

import click

import rivusio
from rivusio.cli import check, compile, explain, graph, run, verify


@click.group()
@click.version_option(rivusio.__version__, prog_name="rivusio", message="%(prog)s %(version)s")
def main() -> None:
    """Stream pipelines of small typed pipes, joined with >>.

    A TARGET is a Python file that holds a pipeline, or FILE:NAME where it holds several.
    """


for command in (
    run.run,
    graph.graph,
    check.check,
    compile.compile_,
    explain.explain,
    verify.verify,
):
    main.add_command(command)
