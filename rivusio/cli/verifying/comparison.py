"""The chains of a file in both modes, compared, and what is told of each."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rivusio.artifacts.mode import Mode
from rivusio.cli.terminal import say
from rivusio.cli.verifying.processes import run_in_modes
from rivusio.cli.verifying.trials import ChainTrials, Request, Trial
from rivusio.testing import Event, difference
from rivusio.user_code.refusal import Refusal

MODES: tuple[Mode, Mode] = ("interpreted", "compiled")
TWICE = ("interpreted", "interpreted once more")


@dataclass(slots=True)
class Verified:
    """What has come of the chains of a file.

    Attributes:
        runs: how many runs were the same in both modes.
        events: how many events they had.
        is_in_trouble: whether there was a difference, or a chain that cannot run as it should.
    """

    runs: int = 0
    events: int = 0
    is_in_trouble: bool = False


def verify_chains(request: Request, timeout: float) -> Verified:
    """Run the chains in both modes, and tell of each of them."""
    verified = Verified()
    (interpreted, compiled), ended = run_in_modes(request, MODES, timeout)
    for index, (left, right) in enumerate(zip(interpreted.chains, compiled.chains, strict=True)):
        if refused := left.refused or right.refused or left.left_out or right.left_out:
            if request.name is not None:
                raise Refusal(refused)
            say(f"{left.name}: not verified: {refused}")
            verified.is_in_trouble |= bool(left.refused or right.refused)
        elif (found := _first_difference(left, right, MODES)) is not None:
            without = replace(request, without=tuple(ended))
            ([again], _) = run_in_modes(without, ("interpreted",), timeout)
            changed = _first_difference(left, again.chains[index], TWICE)
            if changed is not None:
                _report_unsteady_chain(left, changed)
            else:
                _report_difference(left, found, request)
            verified.is_in_trouble = True
        else:
            say(f"{left.name}: the same in {len(left.trials):,} runs{_describe_left_runs(left)}")
            verified.events += sum(len(trial.events) for trial in left.trials)
            verified.runs += len(left.trials)
    for name, reason in ended.items():
        say(f"{name}: not verified: {reason}")
        verified.is_in_trouble = True
    for name in interpreted.hidden:
        say(f"{name}: not verified: it has no name at the top level")
    return verified


def _describe_left_runs(chain: ChainTrials) -> str:
    """Say by whom runs of a chain were left, and which of them first."""
    left = [trial for trial in chain.trials if trial.left_by]
    if not left:
        return ""
    return f"; {left[0].left_by}, first in run {left[0].number}, {left[0].title}"


def _first_difference(
    left: ChainTrials, right: ChainTrials, names: tuple[str, str]
) -> tuple[int, str] | None:
    """Give the first run of a chain in which two recordings differ, and how they do."""
    for number, (one, other) in enumerate(zip(left.trials, right.trials, strict=True)):
        told = difference(list(_events_of(one)), list(_events_of(other)), names)
        if told is not None:
            return number, told
    return None


def _events_of(trial: Trial) -> Iterator[Event]:
    return (Event(at, kind, value) for at, kind, value in trial.events)


def _report_difference(chain: ChainTrials, found: tuple[int, str], request: Request) -> None:
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


def _report_unsteady_chain(chain: ChainTrials, changed: tuple[int, str]) -> None:
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
