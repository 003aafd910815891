"""Messages and what is known about them."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from rivusio import Message, MessageMetadata


def test_a_message_holds_any_value() -> None:
    value = object()
    assert Message(value).value is value


def test_every_message_has_an_id_of_its_own() -> None:
    """0.2 made one id for all messages of a process."""
    assert MessageMetadata().message_id != MessageMetadata().message_id
    assert Message(1).metadata.message_id != Message(1).metadata.message_id


def test_the_timestamp_is_taken_when_the_message_is_made() -> None:
    """0.2 took it when the module was imported."""
    before = datetime.now(UTC)
    made = Message(1).metadata.timestamp
    assert before <= made <= datetime.now(UTC)


def test_a_timestamp_knows_its_time_zone() -> None:
    assert MessageMetadata().timestamp.utcoffset() == timedelta(0)


def test_headers_are_not_shared() -> None:
    assert MessageMetadata().headers is not MessageMetadata().headers


def test_the_other_fields_are_empty_unless_given() -> None:
    metadata = MessageMetadata()
    assert (metadata.source, metadata.correlation_id, metadata.headers) == (None, None, {})


def test_given_metadata_is_kept() -> None:
    metadata = MessageMetadata(source="sensor", correlation_id="batch 1", headers={"room": 3})
    assert Message("warm", metadata).metadata is metadata


def test_metadata_may_be_given_as_a_mapping() -> None:
    assert Message("warm", {"source": "sensor"}).metadata.source == "sensor"


def test_a_message_takes_its_arguments_by_name() -> None:
    message = Message(value=3, metadata={"source": "sensor"})
    assert (message.value, message.metadata.source) == (3, "sensor")


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="sauce"):
        Message(1, {"sauce": "sensor"})


def test_a_field_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(ValidationError, match="timestamp"):
        MessageMetadata(timestamp="yesterday")  # type: ignore[arg-type]  # that is the test


def test_metadata_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="MessageMetadata"):
        Message(1, "sensor")  # type: ignore[arg-type]  # that is the test


def test_metadata_cannot_be_changed() -> None:
    metadata = MessageMetadata(source="sensor")
    with pytest.raises(ValidationError, match="frozen"):
        metadata.source = "another"


def test_messages_with_the_same_content_are_equal() -> None:
    metadata = MessageMetadata()
    assert Message(1, metadata) == Message(1, metadata)
    assert Message(1, metadata) != Message(2, metadata)
    assert Message(1) != Message(1)
    assert Message(1) != 1


def test_a_message_survives_pickling_and_copying() -> None:
    message = Message([1], MessageMetadata(headers={"a": 1}))
    assert pickle.loads(pickle.dumps(message)) == message
    assert copy.deepcopy(message) == message


def test_a_message_shows_its_value() -> None:
    assert repr(Message(3)).startswith("Message(3, MessageMetadata(")
