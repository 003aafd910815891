"""`rivusio verify`: whether the chains of a file do compiled what they do interpreted."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from tempfile import TemporaryDirectory

import click

from rivusio.cli.messages import told_in_lines
from rivusio.cli.terminal import say
from rivusio.cli.trial_runs import ANSWER, REQUEST, Answer, ChainTrials, Request, Trial
from rivusio.mode import Mode
from rivusio.testing import Event, difference
from rivusio.user_file import Refusal, split_target

WORKER = "rivusio.cli.trial_runs"
MODES: tuple[Mode, Mode] = ("interpreted", "compiled")
TWICE = ("interpreted", "interpreted once more")
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
    same twice.
    """
    with told_in_lines():
        path, name = split_target(target)
        request = Request(str(path), name, "interpreted", source, lists, seed, items, only)
        interpreted, compiled = _answers(request, MODES, timeout)
        count = events = 0
        for index, (left, right) in enumerate(
            zip(interpreted.chains, compiled.chains, strict=True)
        ):
            if (found := _first_difference(left, right, MODES)) is not None:
                [again] = _answers(request, ("interpreted",), timeout)
                changed = _first_difference(left, again.chains[index], TWICE)
                if changed is not None:
                    _tell_of_the_chain(left, changed, only)
                else:
                    _tell(left, found, request)
                sys.exit(1)
            events += sum(len(trial.events) for trial in left.trials)
            count += len(left.trials)
            told = left.left_out or f"the same in {len(left.trials):,} runs"
            say(f"{left.name}: {'not verified: ' * bool(left.left_out)}{told}")
        for name in interpreted.hidden:
            say(f"{name}: not verified: it has no name at the top level")
        if not count:
            raise Refusal(f'no chain of "{path}" was verified')
        say(f"{path}: interpreted and compiled are the same in {events:,} events of {count:,} runs")


def _answers(request: Request, modes: Sequence[Mode], timeout: float) -> list[Answer]:
    """Let modes run, at the same time, each in a process of its own.

    Raises:
        Refusal: when one of them cannot.
    """
    with TemporaryDirectory() as folder:
        # What is in a set comes in the same order in all; what hypothesis keeps is of no use.
        same = {"PYTHONHASHSEED": "0", "HYPOTHESIS_STORAGE_DIRECTORY": folder}
        return _answers_in(request, modes, timeout, {**os.environ, **same})


def _answers_in(
    request: Request, modes: Sequence[Mode], timeout: float, environment: dict[str, str]
) -> list[Answer]:
    children = [
        subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-P", "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for _ in modes
    ]
    try:
        requests = [REQUEST.dump_json(replace(request, mode=mode)) for mode in modes]
        for child, asked in zip(children, requests, strict=True):
            assert child.stdin is not None  # noqa: S101  it was asked for
            with suppress(BrokenPipeError):  # it has ended: so says what it leaves
                child.stdin.write(asked)
                child.stdin.close()
            child.stdin = None
        return [_answer(child, timeout) for child in children]
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _answer(child: subprocess.Popen[bytes], timeout: float) -> Answer:
    try:
        stdout, stderr = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Refusal(
            f"the runs have not ended within {timeout:g} s; give fewer items, or try "
            f"--timeout {2 * timeout:g}"
        ) from None
    if not stdout:
        lines = stderr.decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"exit code {child.returncode}"
        raise Refusal(f"the process of the runs has ended: {said}")
    answer = ANSWER.validate_json(stdout)
    if answer.refused:
        raise Refusal(answer.refused)
    for chain in answer.chains:
        if chain.refused:
            raise Refusal(chain.refused)
    return answer


def _first_difference(
    left: ChainTrials, right: ChainTrials, names: tuple[str, str]
) -> tuple[int, str] | None:
    """Give the first run of a chain in which two recordings differ, and how they do."""
    for number, (one, other) in enumerate(zip(left.trials, right.trials, strict=True)):
        told = difference(list(_events(one)), list(_events(other)), names)
        if told is not None:
            return number, told
    return None


def _events(trial: Trial) -> Iterator[Event]:
    return (Event(at, kind, value) for at, kind, value in trial.events)


def _tell(chain: ChainTrials, found: tuple[int, str], request: Request) -> None:
    """Show a difference of the modes, and the command that shows it again."""
    number, told = found
    only = request.only or number + 1
    title = chain.trials[number].title
    say(f"{chain.name}: compiled differs from interpreted; run {only}, {title}:")
    say(told)
    words = ["rivusio", "verify", f"{request.path}:{chain.name}", "--only", str(only)]
    if request.source is not None:
        words += ["--input", request.source]
    else:
        words += ["--lists", str(request.lists), "--seed", str(request.seed)]
    if request.items is not None:
        words += ["--items", str(request.items)]
    say(f"this shows it again, please report it: {shlex.join(words)}")


def _tell_of_the_chain(chain: ChainTrials, changed: tuple[int, str], only: int | None) -> None:
    """Show what a chain does differently of itself, which no compiler can be blamed for."""
    number, told = changed
    title = chain.trials[number].title
    say(
        f"{chain.name}: not verified: interpreted twice, the chain does not do the same twice; "
        f"run {only or number + 1}, {title}:"
    )
    say(told)
    say(
        "look in its own code for what changes from one process to the next: random numbers, "
        "the time, the order of a set, files that it writes; then verify it again"
    )
