"""`rivusio verify`: whether the chains of a file do compiled what they do interpreted."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals
from tempfile import TemporaryDirectory

import click

from rivusio.artifacts.mode import Mode
from rivusio.cli.leaving import WHEREABOUTS, Whereabouts
from rivusio.cli.messages import FAILED, told_in_lines
from rivusio.cli.terminal import say
from rivusio.cli.trial_runs import ANSWER, REQUEST, Answer, ChainTrials, Request, Trial
from rivusio.testing import Event, difference
from rivusio.user_code.user_file import Refusal, split_target

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
    same twice. The exit code is 1 if there is a difference, if a chain cannot run compiled or
    ends its process, and if nothing was verified.
    """
    with told_in_lines():
        path, name = split_target(target)
        request = Request(str(path), name, "interpreted", source, lists, seed, items, only)
        verified = _verified(request, timeout)
        if not verified.runs and not verified.is_in_trouble:
            raise Refusal(f'no chain of "{path}" was verified')
        if verified.is_in_trouble:
            sys.stdout.flush()
            sys.exit(FAILED)
        say(
            f"{path}: interpreted and compiled are the same in {verified.events:,} events of "
            f"{verified.runs:,} runs"
        )


@dataclass(slots=True)
class _Verified:
    """What has come of the chains of a file.

    Attributes:
        runs: how many runs were the same in both modes.
        events: how many events they had.
        is_in_trouble: whether there was a difference, or a chain that cannot run as it should.
    """

    runs: int = 0
    events: int = 0
    is_in_trouble: bool = False


def _verified(request: Request, timeout: float) -> _Verified:
    """Run the chains in both modes, and tell of each of them."""
    verified = _Verified()
    (interpreted, compiled), ended = _answers(request, MODES, timeout)
    for index, (left, right) in enumerate(zip(interpreted.chains, compiled.chains, strict=True)):
        if refused := left.refused or right.refused or left.left_out or right.left_out:
            if request.name is not None:
                raise Refusal(refused)
            say(f"{left.name}: not verified: {refused}")
            verified.is_in_trouble |= bool(left.refused or right.refused)
        elif (found := _first_difference(left, right, MODES)) is not None:
            without = replace(request, without=tuple(ended))
            ([again], _) = _answers(without, ("interpreted",), timeout)
            changed = _first_difference(left, again.chains[index], TWICE)
            if changed is not None:
                _tell_of_the_chain(left, changed)
            else:
                _tell(left, found, request)
            verified.is_in_trouble = True
        else:
            say(f"{left.name}: the same in {len(left.trials):,} runs{_left_in(left)}")
            verified.events += sum(len(trial.events) for trial in left.trials)
            verified.runs += len(left.trials)
    for name, reason in ended.items():
        say(f"{name}: not verified: {reason}")
        verified.is_in_trouble = True
    for name in interpreted.hidden:
        say(f"{name}: not verified: it has no name at the top level")
    return verified


def _left_in(chain: ChainTrials) -> str:
    """Say by whom runs of a chain were left, and which of them first."""
    left = [trial for trial in chain.trials if trial.left_by]
    if not left:
        return ""
    return f"; {left[0].left_by}, first in run {left[0].number}, {left[0].title}"


class _EndedError(Exception):
    """A process was ended while a chain ran in it."""

    def __init__(self, chain: str, reason: str) -> None:
        super().__init__(reason)
        self.chain = chain


def _answers(
    request: Request, modes: Sequence[Mode], timeout: float
) -> tuple[list[Answer], dict[str, str]]:
    """Let modes run, at the same time, each in a process of its own.

    A chain that ends a process is left out, and the others run anew; the second result is why.

    Raises:
        Refusal: when one of them cannot.
    """
    ended: dict[str, str] = {}
    while True:
        without = (*request.without, *ended)
        with TemporaryDirectory() as folder:
            # What is in a set comes in the same order in all; what hypothesis keeps is of no use.
            same = {"PYTHONHASHSEED": "0", "HYPOTHESIS_STORAGE_DIRECTORY": folder}
            requests = [
                replace(request, mode=mode, diary=f"{folder}/{number}.json", without=without)
                for number, mode in enumerate(modes)
            ]
            try:
                return _answers_to(requests, timeout, {**os.environ, **same}), ended
            except _EndedError as error:
                if request.name is not None or error.chain in ended:
                    raise Refusal(str(error)) from None
                ended[error.chain] = str(error)


def _answers_to(
    requests: Sequence[Request], timeout: float, environment: dict[str, str]
) -> list[Answer]:
    children = [
        subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-P", *_flags(), "-c", f"from {WORKER} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for _ in requests
    ]
    try:
        for child, request in zip(children, requests, strict=True):
            assert child.stdin is not None  # noqa: S101  it was asked for
            with suppress(BrokenPipeError):  # it has ended: so says what it leaves
                child.stdin.write(REQUEST.dump_json(request))
                child.stdin.close()
            child.stdin = None
        return [
            _answer(child, request, timeout)
            for child, request in zip(children, requests, strict=True)
        ]
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _flags() -> list[str]:
    """Give the warnings and the mode of development that this process was started with."""
    development = ["-X", "dev"] if sys.flags.dev_mode else []
    return [*development, *(f"-W{each}" for each in sys.warnoptions)]


def _answer(child: subprocess.Popen[bytes], request: Request, timeout: float) -> Answer:
    try:
        stdout, stderr = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        where = _whereabouts(request)
        at = f"; it is at {where.chain}, {_run(where)}" if where else ""
        raise Refusal(
            f"the runs have not ended within {timeout:g} s{at}; give fewer items, or try "
            f"--timeout {2 * timeout:g}"
        ) from None
    if not stdout:
        said = _ending(child.returncode, stderr)
        where = _whereabouts(request)
        if where is None:
            raise Refusal(f"the process of the runs has ended: {said}")
        how = where.exits or said
        reason = f"{request.mode}, {_run(where)}, has ended its process: {how}"
        raise _EndedError(where.chain, reason)
    answer = ANSWER.validate_json(stdout)
    if answer.refused:
        raise Refusal(answer.refused)
    return answer


def _whereabouts(request: Request) -> Whereabouts | None:
    try:
        return WHEREABOUTS.validate_json(Path(request.diary).read_bytes())
    except (OSError, ValueError):  # it has come to no run, or was ended while it wrote that
        return None


def _run(where: Whereabouts) -> str:
    return f"run {where.number}, {where.title}" if where.number else where.title


def _ending(code: int, stderr: bytes) -> str:
    """Say how a process has ended: by which signal, by which error, or with which exit code."""
    if code < 0:
        return f"killed by {Signals(-code).name}"
    lines = stderr.decode(errors="replace").strip().splitlines()
    if code == 1 and any(line.startswith("Traceback (most recent") for line in lines):
        return lines[-1]
    return f"exit code {code}"


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
    index, told = found
    only, title = chain.trials[index].number, chain.trials[index].title
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


def _tell_of_the_chain(chain: ChainTrials, changed: tuple[int, str]) -> None:
    """Show what a chain does differently of itself, which no compiler can be blamed for."""
    index, told = changed
    number, title = chain.trials[index].number, chain.trials[index].title
    say(
        f"{chain.name}: not verified: interpreted twice, the chain does not do the same twice; "
        f"run {number}, {title}:"
    )
    say(told)
    say(
        "look in its own code for what changes from one process to the next: random numbers, "
        "the time, the order of a set, files that it writes, what a repr says; then verify it again"
    )
