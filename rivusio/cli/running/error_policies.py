"""What `rivusio run` does with items that fail: by the stages' own settings, and by its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from rivusio.engine.calls import is_awaitable, refuse
from rivusio.errors import DeadLetter, StreamError
from rivusio.graph.config import BackpressureConfig, StreamConfig
from rivusio.graph.settings import StageConfig
from rivusio.graph.stage import Stage
from rivusio.io.dead_letters import DeadLetters
from rivusio.io.line_items import LineError, OnBadLine

Choice = Literal["raise", "skip"]
OnError = Choice | Callable[[DeadLetter], object]


class LetterError(StreamError):
    """What came of giving a line that does not fit to the dead-letter callable of a stage."""


def apply_policy(
    stages: Sequence[Stage], choice: Choice | None, letters: DeadLetters | None
) -> tuple[Stage, ...]:
    """Give the stages with what the options of a run say of items that fail.

    `"raise"` holds for every stage. `"skip"` and a file of dead letters are for the stages that
    have not said anything of it; and the file gets what those have that only skip it, too.
    """
    return tuple(_apply(stage, choice, letters) for stage in stages)


def _apply(stage: Stage, choice: Choice | None, letters: DeadLetters | None) -> Stage:
    said = stage.said
    own = said.on_error if isinstance(said, StreamConfig) else "raise"
    has_said = isinstance(said, StreamConfig) and "on_error" in said.model_fields_set
    if choice is None and letters is None:
        return stage
    if choice == "raise":
        return stage if own == "raise" else _replace_on_error(stage, said, "raise")
    if not stage.has_single_call or (has_said and own != "skip"):
        return stage
    if letters is None:
        return stage if own == "skip" else _replace_on_error(stage, said, "skip")
    return _replace_on_error(stage, said, _make_writer(letters, stage))


def _replace_on_error(stage: Stage, said: StageConfig | None, on_error: OnError) -> Stage:
    if isinstance(said, StreamConfig):
        return replace(stage, config=said.model_copy(update={"on_error": on_error}))
    if isinstance(said, BackpressureConfig):
        return replace(stage, config=StreamConfig(backpressure=said, on_error=on_error))
    return replace(stage, config=StreamConfig(on_error=on_error))


def policy_for_lines(
    stages: Sequence[Stage], choice: Choice | None, letters: DeadLetters | None, *, in_loop: bool
) -> OnBadLine | None:
    """Give what becomes of a line that is no item: what the first stage does with what it fails on.

    The first stage is the first that calls anything; `stages` have the policy of the run already.
    """
    index, stage = _find_first_calling(stages)
    on_error: OnError = stage.settings.on_error
    if on_error == "raise" and not stage.has_single_call:  # then it has nothing to say of it
        on_error = choice or on_error
        if letters is not None:
            on_error = _make_writer(letters, stage)
    if on_error == "raise":
        return None
    if on_error == "skip":
        return skip
    return _make_giver(on_error, stage, index, in_loop=in_loop)


def skip(_error: LineError, _item_index: int) -> None:
    """Leave the line out; whoever reads lines counts it."""


def _make_writer(letters: DeadLetters, stage: Stage) -> Callable[[DeadLetter], None]:
    return lambda letter: letters.write(letter, stage)


def _make_giver(
    to: Callable[[DeadLetter], object], stage: Stage, index: int, *, in_loop: bool
) -> OnBadLine:
    """Give what hands bad lines to the dead-letter callable of a stage."""

    def give(error: LineError, item_index: int) -> object:
        item = _decode_if_text(error.line)
        letter = DeadLetter(item, stage.name, index, error, item_index)
        try:
            answer = to(letter)
            if is_awaitable(answer) and not in_loop:
                refuse(answer, "the dead-letter callable")
        except Exception as failure:
            raise _letter_error(failure, letter) from failure
        return _await_answer(answer, letter) if is_awaitable(answer) else None

    return give


def _find_first_calling(stages: Sequence[Stage]) -> tuple[int, Stage]:
    calling = ((at, each) for at, each in enumerate(stages) if each.operation.call is not None)
    return next(calling, (0, stages[0]))


def _letter_error(failure: Exception, letter: DeadLetter) -> LetterError:
    """Give the error of a stage whose dead-letter callable has failed (rule 6.7)."""
    if failure.__context__ is None and failure is not letter.error:
        failure.__context__ = letter.error
    return LetterError(
        letter.pipe, failure, stage=letter.stage, item=letter.item, item_index=letter.item_index
    )


async def _await_answer(answer: object, letter: DeadLetter) -> None:
    try:
        await answer  # type: ignore[misc]  # the caller has looked
    except Exception as failure:
        raise _letter_error(failure, letter) from failure


def _decode_if_text(line: bytes) -> str | bytes:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line
