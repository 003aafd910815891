"""Type variables of 0.2, for annotations that already name them."""

from typing import TypeVar

T = TypeVar("T")
BatchT = TypeVar("BatchT")
InputType = TypeVar("InputType", contravariant=True)
OutputType = TypeVar("OutputType", covariant=True)
