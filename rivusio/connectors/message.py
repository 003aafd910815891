"""A value on its way, with what is known about it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from rivusio.safe_repr import repr_of

T = TypeVar("T")


class MessageMetadata(BaseModel):
    """What is known about a message; it cannot be changed.

    Attributes:
        timestamp: when it was made, with its time zone (UTC unless given).
        source: where it comes from.
        message_id: its own name, a fresh UUID unless given.
        correlation_id: what it belongs to.
        headers: anything else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timestamp: datetime = Field(default_factory=lambda: datetime.now(UTC))
    source: str | None = None
    message_id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    correlation_id: str | None = None
    headers: Mapping[str, Any] = Field(default_factory=dict)


class Message(Generic[T]):
    """A value with its metadata.

    Args:
        value: anything.
        metadata: a `MessageMetadata`, or a mapping of its fields; fresh if left out.

    Raises:
        pydantic.ValidationError: for metadata that is neither, or has a wrong field.

    >>> Message(3).value
    3
    >>> Message(3).metadata.message_id == Message(3).metadata.message_id
    False
    """

    __slots__ = ("metadata", "value")

    def __init__(
        self, value: T, metadata: MessageMetadata | Mapping[str, Any] | None = None
    ) -> None:
        self.value = value
        self.metadata = MessageMetadata.model_validate({} if metadata is None else metadata)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return bool(self.value == other.value) and self.metadata == other.metadata

    __hash__ = None  # type: ignore[assignment]  # a value may be mutable, as in a list

    def __repr__(self) -> str:
        return f"Message({repr_of(self.value)}, {repr_of(self.metadata)})"
