"""Type variables of 0.2, for annotations that already name them."""

from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")
BatchT = TypeVar("BatchT", bound=Sequence[Any])  # a batch of whatever
InputType = TypeVar("InputType", contravariant=True)
OutputType = TypeVar("OutputType", covariant=True)
