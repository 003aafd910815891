"""What the child processes of `rivusio verify` are asked, and what they answer."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pydantic import TypeAdapter

from rivusio.artifacts.mode import Mode


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the child.

    Attributes:
        path: the user's file.
        name: the one chain that is meant; all that are compiled, if none is.
        mode: how they run.
        source: the file with the items; if none, values are made.
        lists: how many lists of values are made.
        seed: what they are made from.
        items: the first so many items only; all, if none.
        only: the number of the one run that is meant, from 1; all, if none.
        diary: the file in which the child writes down where it is.
        without: the chains that are left out: those that have ended their process.
    """

    path: str
    name: str | None
    mode: Mode
    source: str | None
    lists: int
    seed: int
    items: int | None = None
    only: int | None = None
    diary: str = os.devnull
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a chain: what it was like, all that was seen of it, and who has left it."""

    number: int
    title: str
    events: tuple[tuple[float, str, str | None], ...]
    left_by: str = ""


@dataclass(frozen=True, slots=True)
class ChainTrials:
    """The runs of one chain.

    Attributes:
        name: its name.
        trials: the runs.
        refused: why it cannot run as it should.
        left_out: why there was nothing to run it on.
    """

    name: str
    trials: tuple[Trial, ...]
    refused: str = ""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child answers: the chains, those that cannot be reached, or why there is nothing."""

    chains: tuple[ChainTrials, ...] = ()
    hidden: tuple[str, ...] = ()
    refused: str = ""


REQUEST, ANSWER = TypeAdapter(Request), TypeAdapter(Answer)
