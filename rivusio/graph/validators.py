"""The rules for sizes and names, and the words in which they are told."""

from __future__ import annotations

import sys
from datetime import timedelta

from rivusio.safe_repr import describe, repr_of


def at_least(least: int, field: str, value: object) -> int:
    """Give `value` if it is a whole number, `least` or more.

    Raises:
        TypeError: if it is no whole number.
        ValueError: if it is too small.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        message = f"{field} must be a whole number, got {describe(value)}"
        raise TypeError(message)
    if value < least:
        message = f"{field} must be at least {least}, got {repr_of(value)}"
        raise ValueError(message)
    return value


def capacity(field: str, value: object) -> int:
    """Give `value` if it is a whole number of items, 1 or more, that a container can hold.

    Raises:
        TypeError: if it is no whole number.
        ValueError: if it is too small or too large.
    """
    items = at_least(1, field, value)
    if items > sys.maxsize:
        message = f"{field} must be at most {sys.maxsize}, got {repr_of(value)}"
        raise ValueError(message)
    return items


def seconds(field: str, value: object) -> float:
    """Give a duration in seconds, if it is longer than zero.

    Raises:
        TypeError: if it is no `timedelta`.
        ValueError: if it is zero or negative.
    """
    if not isinstance(value, timedelta):
        hint = f"; did you mean timedelta(seconds={repr_of(value)})?" if _is_number(value) else ""
        message = f"{field} must be a timedelta, got {describe(value)}{hint}"
        raise TypeError(message)
    if value <= timedelta(0):
        message = f"{field} must be longer than zero, got {repr_of(value)}"
        raise ValueError(message)
    return value.total_seconds()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(field: str, value: object) -> str:
    """Give `value` if it is a string.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(value, str):
        message = f"{field} must be a string, got {describe(value)}"
        raise TypeError(message)
    return value
