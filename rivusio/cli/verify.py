"""`rivusio verify`: whether the chains of a file do compiled what they do interpreted."""

from __future__ import annotations

import click

from rivusio.cli.messages import leave_failed, report_failures
from rivusio.cli.terminal import say
from rivusio.cli.verifying.comparison import verify_chains
from rivusio.cli.verifying.trials import Request
from rivusio.user_code.pipeline_file import split_target
from rivusio.user_code.refusal import Refusal

INPUT = "The items, one a line: text if the first stage takes str, else JSON."
LISTS = "How many lists of items are made, where no input is given."
SEED = "What they are made from; the same seed gives the same items."


@click.command()
@click.argument("target")
@click.option("--input", "source", metavar="DATA", help=INPUT)
@click.option("--lists", type=click.IntRange(1), default=20, show_default=True, help=LISTS)
@click.option("--seed", type=int, default=0, show_default=True, help=SEED)
@click.option("--timeout", type=click.FloatRange(1), default=300, show_default=True)
@click.option("--items", type=click.IntRange(0), help="Only the first so many items of each list.")
@click.option("--only", type=click.IntRange(1), help="Only the run of this number.")
def verify(
    target: str,
    source: str | None,
    lists: int,
    seed: int,
    timeout: float,
    items: int | None,
    only: int | None,
) -> None:
    """Run the compiled chains of a file both interpreted and compiled, and compare all events.

    Each mode has a process of its own, in which the file is imported. The runs have sources that
    are idle and that fail, and consumers that are slow, leave, stop or are cancelled. Time is
    virtual: nothing waits. The code of the pipes really runs, and does what it does. At a
    difference the chain is interpreted once more, to tell whether its own code does not do the
    same twice. The exit code is 1 if there is a difference, if a chain cannot run compiled or
    ends its process, and if nothing was verified.
    """
    with report_failures():
        path, name = split_target(target)
        request = Request(str(path), name, "interpreted", source, lists, seed, items, only)
        verified = verify_chains(request, timeout)
        if not verified.runs and not verified.is_in_trouble:
            raise Refusal(f'no chain of "{path}" was verified')
        if verified.is_in_trouble:
            leave_failed()
        say(
            f"{path}: interpreted and compiled are the same in {verified.events:,} events of "
            f"{verified.runs:,} runs"
        )
