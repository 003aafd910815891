"""§6: no message fails for what it tells of, whatever a user's `repr` and `str` do."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

import rivusio
from rivusio import (
    AsyncStream,
    DeadLetter,
    Message,
    PipeError,
    PipelineError,
    StreamConfig,
    StreamError,
    SyncBasePipe,
    batch,
    flat_map,
    map,
    take,
)
from rivusio.graph.validators import at_least
from tests.semantics.support import Double, outputs_of

NO_REPR = "<Silent object whose repr raised ZeroDivisionError>"


class Silent:
    """A value whose `repr` fails, and so its `str`."""

    def __repr__(self) -> str:
        return str(1 / 0)


class SilentError(Exception):
    """An error whose `str` fails."""

    def __str__(self) -> str:
        raise KeyError

    __repr__ = __str__


def odd() -> object:
    """Give a value of a type that cannot say its name; the value cannot be shown either."""

    class OddType(type):
        @property
        def __name__(cls) -> str:  # type: ignore[override]  # that is what is odd
            raise RuntimeError

    class Odd(metaclass=OddType):
        __repr__ = Silent.__repr__

    return Odd()


class Interrupted:
    """Ctrl-C is pressed while its `repr` is asked for."""

    def __repr__(self) -> str:
        raise KeyboardInterrupt


def fails(_: object) -> int:
    raise SilentError


@pytest.mark.usefixtures("mode")
@pytest.mark.rule("6.1")
def test_an_error_whose_str_fails_leaves_a_run_as_any_other() -> None:
    with pytest.raises(StreamError) as caught:
        list((Double() >> fails).iterate([1]))
    assert str(caught.value) == (
        "Error in pipe fails (stage 2, item 0): "
        "SilentError: <SilentError object whose str raised KeyError>"
    )
    assert repr(caught.value) == (
        "StreamError('fails', <SilentError object whose repr raised KeyError>)"
    )


@pytest.mark.usefixtures("mode")
@pytest.mark.rule("6.1")
def test_an_error_of_one_item_whose_str_fails() -> None:
    with pytest.raises(PipelineError) as caught:
        (Double() >> fails).process(1)
    assert str(caught.value) == (
        "Error in pipe fails: <SilentError object whose str raised KeyError>"
    )


@pytest.mark.usefixtures("mode")
@pytest.mark.rule("6.1")
def test_an_error_that_carries_what_has_no_repr_travels() -> None:
    def refuse(item: object) -> int:
        raise ValueError(item)

    with pytest.raises(StreamError) as caught:
        list((Double() >> (lambda _: Silent()) >> refuse).iterate([1]))
    told = "Error in pipe refuse (stage 3, item 0): ValueError: "
    assert str(caught.value) == f"{told}<ValueError object whose str raised ZeroDivisionError>"
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again).startswith("Error in pipe refuse (stage 3, item 0): ")


@pytest.mark.usefixtures("mode")
def test_an_error_while_closing_is_a_note_of_its_own() -> None:
    def expand(_: int) -> Any:
        try:
            yield 1
        finally:
            raise SilentError

    run = (flat_map(expand) >> flat_map(expand)).iterate([1])
    next(run)
    with pytest.raises(StreamError) as caught:
        run.close()
    [note] = caught.value.__notes__
    assert note.endswith("SilentError: <SilentError object whose str raised KeyError>")


@pytest.mark.usefixtures("mode")
def test_a_dead_letter_can_be_shown() -> None:
    letters: list[DeadLetter] = []
    config = StreamConfig(on_error=letters.append)
    chain = map(lambda _: Silent()) >> map(fails).with_config(config)
    assert list(chain.iterate([1])) == []
    assert repr(letters) == (
        f"[DeadLetter(item={NO_REPR}, pipe='fails', stage=1, "
        "error=<SilentError object whose repr raised KeyError>, item_index=0)]"
    )


@pytest.mark.usefixtures("mode")
async def test_a_refused_result_of_an_odd_type_is_named() -> None:
    with pytest.raises(StreamError) as caught:
        await outputs_of(flat_map(lambda _: odd()), [1])  # type: ignore[arg-type,return-value]  # odd
    assert str(caught.value.error) == "flat_map must give an iterable, got Odd"


class Named(SyncBasePipe[int, int]):
    """Its name is no text."""

    name: ClassVar[Any] = Silent()

    def process(self, data: int) -> int:
        return data // 0


class Nameless(Named):
    """Its name cannot be had."""

    @property  # type: ignore[misc]  # see above
    def name(self) -> str:
        raise ValueError


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize(
    ("pipe", "name"),
    [(Named(), "<Silent object whose str raised ZeroDivisionError>"), (Nameless(), "Nameless")],
)
def test_a_stage_has_a_name_whatever_its_class_says(pipe: Named, name: str) -> None:
    with pytest.raises(StreamError) as caught:
        list((Double() >> pipe).iterate([1]))
    assert caught.value.pipe == name


def test_a_name_that_is_set_later_is_a_string_too() -> None:
    with pytest.raises(TypeError, match="name must be a string, got 3 of type int"):
        Double().name = 3  # type: ignore[assignment]  # it is refused


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda silent: Double() >> silent, f"{NO_REPR} of type Silent is no pipe; join pipes"),
        (lambda silent: silent >> Double(), f"{NO_REPR} of type Silent is no pipe; join pipes"),
        (lambda silent: map(silent), f"map takes a function, got {NO_REPR} of type Silent"),
        (lambda silent: rivusio.pipe(silent), f"{NO_REPR} of type Silent cannot be called"),
        (lambda silent: batch(silent), f"n must be a whole number, got {NO_REPR} of type Silent"),
        (lambda silent: batch(2, silent), f"linger must be a timedelta, got {NO_REPR} of type"),
        (lambda silent: Double(silent), f"name must be a string, got {NO_REPR} of type Silent"),
        (lambda silent: Double().with_config(silent), "config must be a StreamConfig or a Back"),
        (lambda silent: take(1).iterate(silent), f"the source must be an iterable, got {NO_REPR}"),
        (lambda silent: take(1).iterate([], monitor=silent), f"got {NO_REPR} of type Silent"),
        (lambda silent: AsyncStream([], config=silent), f"got {NO_REPR} of type Silent"),
        (lambda silent: rivusio.register_sync_sink(silent), f"a string, but got {NO_REPR}"),
        (lambda silent: rivusio.register_sync_sink("x")(silent), f"{NO_REPR} is not a class"),
    ],
)
def test_what_is_refused_need_not_have_a_repr(act: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        act(Silent())
    assert said in str(caught.value)


def test_a_mode_that_is_refused_need_not_have_a_repr() -> None:
    with pytest.raises(ValueError, match="got <Silent object whose repr raised"):
        rivusio.mode(Silent())  # type: ignore[arg-type]  # it is refused


def test_a_number_too_long_to_be_written_is_refused_all_the_same() -> None:
    with pytest.raises(ValueError, match="n must be at least 1, got <int object whose repr raised"):
        batch(-(10**5000))


def test_what_is_of_an_odd_type_is_refused_all_the_same() -> None:
    said = "<Odd object whose repr raised ZeroDivisionError> of type Odd is no pipe"
    with pytest.raises(TypeError, match=said):
        Double() >> odd()  # type: ignore[operator]  # it is refused


def test_an_error_and_a_message_of_what_has_no_repr() -> None:
    assert repr(Message(Silent())).startswith(f"Message({NO_REPR}, MessageMetadata(")
    assert str(PipeError(Silent())) == "<Silent object whose str raised ZeroDivisionError>"
    assert repr(PipeError("gone")) == "PipeError('gone', None)"


def test_ctrl_c_in_a_repr_is_no_failure_of_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        at_least(1, "n", Interrupted())
