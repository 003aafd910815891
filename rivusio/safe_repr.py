"""What a user's object says of itself, in messages: its own `repr` and `str` may fail."""

from __future__ import annotations

from collections.abc import Sequence

NAME_OF_TYPE = type.__dict__["__name__"]  # whatever a metaclass makes of `__name__`


def type_name(value: object) -> str:
    """Give the name of the type of `value`.

    >>> type_name(3)
    'int'
    """
    name: str = NAME_OF_TYPE.__get__(type(value))
    return name


def repr_of(value: object) -> str:
    """Give `repr(value)`, or that it failed: a message must not fail for what it tells of.

    What is no `Exception`, such as Ctrl-C, passes.

    >>> class Thing:
    ...     def __repr__(self) -> str:
    ...         return str(1 / 0)
    >>> repr_of("a"), repr_of(Thing())
    ("'a'", '<Thing object whose repr raised ZeroDivisionError>')
    """
    try:
        return str.__str__(repr(value))  # without what a subclass of str adds
    except Exception as error:  # noqa: BLE001  a user's __repr__ may raise anything
        return _failed(value, "repr", error)


def describe(value: object) -> str:
    """Give the `repr` of a value and its type, for the messages that refuse it.

    >>> describe(3)
    '3 of type int'
    """
    return f"{repr_of(value)} of type {type_name(value)}"


def str_of(value: object) -> str:
    """Do the same with `str(value)`.

    >>> str_of(ValueError("no number"))
    'no number'
    """
    try:
        return str.__str__(str(value))
    except Exception as error:  # noqa: BLE001  a user's __str__ may raise anything
        return _failed(value, "str", error)


def summarize_error(error: object) -> str:
    """Give an error as Python tells of it: its type, and what it says, if anything.

    >>> summarize_error(ValueError("no number")), summarize_error(KeyError())
    ('ValueError: no number', 'KeyError')
    """
    said = str_of(error)
    return f"{type_name(error)}: {said}" if said else type_name(error)


def notes_of(error: BaseException) -> list[str]:
    """Give the notes of an error, as Python shows them: whatever somebody has put there."""
    notes: object = getattr(error, "__notes__", None) or ()
    if not isinstance(notes, Sequence) or isinstance(notes, str | bytes):
        return [repr_of(notes)]
    return [str_of(note) for note in notes]


def _failed(value: object, what: str, error: Exception) -> str:
    return f"<{type_name(value)} object whose {what} raised {type_name(error)}>"
