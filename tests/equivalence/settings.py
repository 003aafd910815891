"""Settings of a stage: what it does about errors, time and buffers; and how they are given."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Handler = Literal["", "handles", "refuses", "some"]
POLICIES = ("raise", "skip", "told", "told_later", "refuses", "told_or_refused", "pipe", "apipe")
OVERFLOWS = ("block", "drop_oldest", "drop_newest", "fail")


@dataclass(frozen=True, slots=True)
class Buffer:
    """A buffer before a stage."""

    size: int
    threshold: float
    interval: float
    overflow: str

    def written(self) -> str:
        """Give the expression that makes it."""
        return (
            f"BackpressureConfig(max_buffer_size={self.size}, "
            f"throttle_threshold={self.threshold}, min_processing_time={self.interval}, "
            f"overflow={self.overflow!r})"
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of one stage.

    Attributes:
        policy: `on_error`: a word, or which of the dead-letter callables of the file.
        attempts: tries in total; 0 leaves it out.
        delay: seconds before the second.
        backoff: how many times the one before each further delay is.
        timeout: seconds for one try; 0 leaves it out.
        handler: what `handle_error` does, if there is one.
        skip_none: whether it is on.
        buffer: a buffer before the stage.
        given: whether the pipe is made with them, or a stage of it.
        alone: whether a buffer that is all there is is given as such.
    """

    policy: str = "raise"
    attempts: int = 0
    delay: float = 0.0
    backoff: float = 1.0
    timeout: float = 0.0
    handler: Handler = ""
    skip_none: bool = False
    buffer: Buffer | None = None
    given: Literal["stage", "pipe"] = "stage"
    alone: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be given but, perhaps, a handler."""
        return replace(self, handler="", given="stage", alone=False) == NOTHING

    def written(self) -> str:
        """Give the expression that makes the configuration."""
        said = []
        if self.policy in ("pipe", "apipe"):
            said.append("on_error=LETTERS" if self.policy == "pipe" else "on_error=LATER_LETTERS")
        elif self.policy in ("raise", "skip"):
            said += [f'on_error="{self.policy}"'] if self.policy == "skip" else []
        else:
            said.append(f"on_error={self.policy}")
        if self.attempts:
            said.append(f"retry_attempts={self.attempts}")
            said.append(f"retry_delay={self.delay}")
            said.append(f"retry_backoff={self.backoff}")
        if self.timeout:
            said.append(f"timeout={self.timeout}")
        if self.skip_none:
            said.append("skip_none=True")
        if self.buffer is not None:
            if self.alone and not said:
                return self.buffer.written()
            said.append(f"backpressure={self.buffer.written()}")
        return f"StreamConfig({', '.join(said)})"


NOTHING = Settings()


def settings(
    chosen: random.Random, *, is_async: bool, single_call: bool, buffers: bool, has_class: bool
) -> Settings:
    """Choose what is asked of a stage, of what can work there.

    Args:
        chosen: makes the choices.
        is_async: whether the stage is of an async family.
        single_call: whether there is one call of user code for an input.
        buffers: whether there may be a buffer: not in a chain that is to run without a loop.
        has_class: whether the stage has a class of its own, which may have a handler.
    """
    made = NOTHING
    if single_call and chosen.random() < 0.6:
        policies = POLICIES if buffers else [each for each in POLICIES if "later" not in each]
        policies = [each for each in policies if buffers or each != "apipe"]
        made = replace(made, policy=chosen.choice(policies))
        if chosen.random() < 0.4:
            delay = chosen.choice((0.0, 0.25, 1.0))
            backoff = chosen.choice((1.0, 2.0))
            attempts = chosen.choice((1, 2, 3))
            made = replace(made, attempts=attempts, delay=delay, backoff=backoff)
        if is_async and chosen.random() < 0.3:
            made = replace(made, timeout=chosen.choice((0.3, 1.0, 2.0)))
        if has_class and chosen.random() < 0.4:
            made = replace(made, handler=chosen.choice(("handles", "refuses", "some")))
    if chosen.random() < 0.15:
        made = replace(made, skip_none=True)
    if buffers and chosen.random() < 0.12:
        made = replace(made, buffer=buffer(chosen))
    if chosen.random() < 0.3:
        made = replace(made, given="pipe", alone=True)
    return made


def buffer(chosen: random.Random) -> Buffer:
    """Choose a buffer."""
    return Buffer(
        chosen.choice((1, 2, 3, 5, 100)),
        chosen.choice((0.4, 0.8, 1.0)),
        chosen.choice((0.0, 0.1, 0.6)),
        chosen.choice(OVERFLOWS),
    )


def simpler(asked: Settings) -> Iterator[Settings]:
    """Give settings that ask for less."""
    for field in ("policy", "attempts", "timeout", "handler", "skip_none", "buffer"):
        if getattr(asked, field) != getattr(NOTHING, field):
            yield replace(asked, **{field: getattr(NOTHING, field)})
    if asked.delay or asked.backoff != 1.0:
        yield replace(asked, delay=0.0, backoff=1.0)
    if asked.given != "stage":
        yield replace(asked, given="stage", alone=False)
