"""What leaves a pipeline when something fails.

Every error of a pipeline is a `PipeError`. `StreamError` leaves a run over a stream,
`PipelineError` leaves the run of one item. Both carry what a person needs in order to go on:
which stage, which item, the original exception, and the items that were still inside.
"""

from __future__ import annotations

import contextlib
import pickle
from dataclasses import dataclass, fields
from typing import Any

from rivusio.items import Item
from rivusio.safe_repr import repr_of, str_of, summarize_error, type_name


class PipeError(Exception):
    """An error of a pipe, either described or caught.

    Args:
        pipe: the name of the pipe; or, when it is the only argument, the whole message.
        error: the exception that was caught.
        stage: the stage's index in the flat chain, from 0; `None` for the source.
        item: the failing stage's input: the list, where the stage takes batches or windows.
        item_index: the number, from 0, of the source item that was being handled; `None` in a
            flush, in a timer and after a user stream.
        pending: the items that had entered the run and were not delivered, `item` excepted.

    Both forms are for users too:

    >>> str(PipeError("the sensor is gone"))
    'the sensor is gone'
    >>> str(PipeError("Parse", ValueError("no number")))
    'Error in pipe Parse: no number'
    """

    def __init__(
        self,
        pipe: object,
        error: BaseException | None = None,
        *,
        stage: int | None = None,
        item: Item = None,
        item_index: int | None = None,
        pending: tuple[Item, ...] = (),
    ) -> None:
        super().__init__(pipe, error)
        self.pipe: str | None = None if error is None else str_of(pipe)
        self.error = error
        self.stage = stage
        self.item = item
        self.item_index = item_index
        self.pending = pending

    def __str__(self) -> str:
        if self.error is None:
            return str_of(self.args[0])
        return f"Error in pipe {self._place()}: {self._reason()}"

    def __repr__(self) -> str:
        return f"{type_name(self)}({', '.join(map(repr_of, self.args))})"

    def _place(self) -> str:
        return str(self.pipe)

    def _reason(self) -> str:
        return str_of(self.error)

    def __reduce__(self) -> tuple[Any, ...]:  # object.__reduce__'s own type
        state = {name: _portable(value) for name, value in vars(self).items() if name != "pending"}
        state["pending"] = tuple(_portable(item) for item in self.pending)
        args = tuple(_portable(argument) for argument in self.args)
        return _revive, (type(self), args, state)


class PipelineError(PipeError):
    """Running one item through a pipeline failed: `.pipe` says where, `.error` why."""


class StreamError(PipeError):
    """A run over a stream failed, in a stage or in its source.

    >>> error = StreamError("Parse", ValueError("no number"), stage=1, item="x", item_index=7)
    >>> str(error)
    'Error in pipe Parse (stage 2, item 7): ValueError: no number'
    """

    def _place(self) -> str:
        where = [] if self.stage is None else [f"stage {self.stage + 1}"]
        where += [] if self.item_index is None else [f"item {self.item_index}"]
        return f"{self.pipe} ({', '.join(where)})" if where else str(self.pipe)

    def _reason(self) -> str:
        return summarize_error(self.error)


class BufferOverflowError(RuntimeError):
    """An item arrived at a full buffer whose `overflow` is `"fail"`."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An item that a stage could not handle, as a dead-letter callable receives it.

    Attributes:
        item: the failing stage's input: the list, where the stage takes batches or windows.
        pipe: the stage's name.
        stage: the stage's index in the flat chain, from 0.
        error: the original exception.
        item_index: the number, from 0, of the source item that was being handled, or `None`.
    """

    item: Item
    pipe: str
    stage: int
    error: Exception
    item_index: int | None

    def __repr__(self) -> str:
        told = (f"{each.name}={repr_of(getattr(self, each.name))}" for each in fields(self))
        return f"{type_name(self)}({', '.join(told)})"


def _portable(value: object) -> object:
    """Give `value` if it survives pickling there and back, otherwise its `repr`."""
    # Whatever a user's own __reduce__ or __init__ raises means the same: it cannot travel.
    with contextlib.suppress(Exception):
        pickle.loads(pickle.dumps(value))  # noqa: S301  our own bytes, made on this line
        return value
    return repr_of(value)


def _revive(kind: type[PipeError], args: tuple[Any, ...], state: dict[str, Any]) -> PipeError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    if isinstance(error.error, BaseException):
        error.__cause__ = error.error
    return error


__all__ = [
    "BufferOverflowError",
    "DeadLetter",
    "PipeError",
    "PipelineError",
    "StreamError",
]
