"""What goes wrong in a stream: exceptions, streams that stop short, odd payloads; and framing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.errors import ShapeError
from penstock.core.events import (
    Broke,
    Frame,
    Started,
)
from penstock.ports.translation import WireEvent
from penstock.shapes.converse.framing import to_bytes, wire_event
from penstock.wire.aws_events import AwsEventDecoder, encode_message
from tests.translation.converse.made import DIALECT, PROVIDER, asked, shown

_SHORT: list[tuple[str, Any]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}),
]


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("throttlingException", {"message": "Slow."}, 429),
        ("modelStreamErrorException", {"message": "Slow.", "originalStatusCode": 503}, 503),
        ("validationException", {"message": "Slow."}, 400),
        ("brandNewException", {"message": "Slow."}, 0),
    ],
)
def test_exceptions_in_mid_stream(name: str, data: Any, status: int) -> None:
    """They are read as an error with a status, and come back as they were."""
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    frame = decoder.read(name, json.dumps(data).encode())
    (broke,) = [event for event in frame.events if isinstance(event, Broke)]
    assert (broke.message, broke.type, broke.status) == ("Slow.", name, status)
    assert shown(encoder.write(frame)) == [(name, data)]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "modelStreamErrorException"),
        (429, "throttlingException"),
        (503, "serviceUnavailableException"),
        (400, "validationException"),
        (500, "internalServerException"),
    ],
)
def test_failures_are_bedrocks_exceptions(status: int, name: str) -> None:
    """As a call and as an event of another vendor; nothing follows."""
    encoder = DIALECT.stream(asked())
    encoder.write(Frame("", (Started(),)))
    (event,) = encoder.fail(Broke("It broke.", status=status))
    assert (event.name, json.loads(event.data)) == (name, {"message": "It broke."})
    assert encoder.end() == []
    assert shown(DIALECT.stream(asked()).write(Frame("", (Broke("", status=status),))))[0][0] == name


def test_a_vendors_stream_that_stops_short_is_closed() -> None:
    """Blocks that are open and the message; usage that never came is not invented."""
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    for name, data in _SHORT:
        encoder.write(decoder.read(name, json.dumps(data).encode()))
    assert shown(encoder.end()) == [
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
    ]


def test_framing_of_events_exceptions_and_errors() -> None:
    """A message's type is the event's name, and its headers tell exceptions from events."""
    for event, kind in (
        (WireEvent("messageStop", b'{"stopReason":"end_turn"}'), "event"),
        (WireEvent("throttlingException", b'{"message":"x"}'), "exception"),
        (WireEvent("error", b'{"code":"InternalError","message":"x"}'), "error"),
    ):
        (message,) = AwsEventDecoder().feed(to_bytes(event))
        assert message.text(":message-type") == kind
        assert wire_event(message) == event
    (unnamed,) = AwsEventDecoder().feed(encode_message({":message-type": "exception"}, b"{}"))
    assert wire_event(unnamed).name == "exception"


@pytest.mark.parametrize("data", [b"", b"x", b"[1]", b'"x"', b"\xff", b"[" * 5000])
def test_a_payload_that_is_no_object_is_refused(data: bytes) -> None:
    """With the shape's own error."""
    with pytest.raises(ShapeError):
        PROVIDER.stream().read("contentBlockDelta", data)


def test_an_unknown_message_without_payload_passes() -> None:
    """AWS opens some streams with a message that says nothing."""
    assert PROVIDER.stream().read("initial-response", b"").events == ()
