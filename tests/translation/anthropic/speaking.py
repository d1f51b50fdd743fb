"""Short ways to say what these tests translate."""

from __future__ import annotations

import json
from typing import Any

from penstock.core.chat import ChatReply, ChatRequest, Choice, Message
from penstock.core.events import Event, Frame
from penstock.core.losses import Losses, OnUnsupported
from penstock.core.parts import Part, Text
from penstock.core.profile import profile_for
from penstock.dialects.anthropic.dialect import AnthropicDialect
from penstock.ports.translation import Addressee, Asked, WireEvent
from penstock.providers.anthropic.api import AnthropicProvider
from penstock.providers.anthropic.profile import DEFAULT, ROWS

DIALECT = AnthropicDialect()
PROVIDER = AnthropicProvider()
ASKED = Asked(ChatRequest(model="m"), "the-model", "abc", 1_700_000_000)


def to(model: str = "claude-sonnet-4-5", policy: OnUnsupported = "map") -> Addressee:
    """A model with its own profile."""
    return Addressee(model, profile_for(model, ROWS, DEFAULT), Losses(policy))


def sent(request: ChatRequest, target: Addressee | None = None) -> dict[str, Any]:
    """The body for a request of another dialect."""
    return PROVIDER.encode_request(request, target or to())


def read(**body: Any) -> ChatRequest:
    """A client's request, with a model, a bound and one message unless it says otherwise."""
    given = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **body}
    return DIALECT.decode_request(given, "claude", stream=False)


def again(request: ChatRequest, model: str = "claude") -> dict[str, Any]:
    """The body for a request of this dialect."""
    return PROVIDER.encode_request(request, to(model))


def shown(*parts: Part, **choice: Any) -> dict[str, Any]:
    """The message that a client sees of another vendor's answer."""
    reply = ChatReply(model="gpt", choices=(Choice(0, parts, **choice),))
    return DIALECT.encode_reply(reply, ASKED)


def message(*blocks: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A vendor's message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": list(blocks),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
        **members,
    }


def told(*frames: tuple[Event, ...], end: bool = True) -> list[dict[str, Any]]:
    """The wire events for another vendor's frames, without the ping of names and framing."""
    encoder = DIALECT.stream(ASKED)
    events: list[WireEvent] = []
    for events_of in frames:
        events += encoder.write(Frame("", events_of))
    events += encoder.end() if end else []
    values = [json.loads(event.data) for event in events]
    assert [event.name for event in events] == [value["type"] for value in values]
    return values


def blocks_of(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Blocks as (type, the pieces of their text), after a check that they never overlap."""
    found: list[tuple[Any, ...]] = []
    is_open = False
    for event in events:
        kind = event["type"]
        if kind == "content_block_start":
            assert not is_open
            assert event["index"] == len(found)
            is_open = True
            found.append((event["content_block"]["type"],))
        elif kind in ("content_block_delta", "content_block_stop"):
            assert is_open
            assert event["index"] == len(found) - 1
            is_open = kind != "content_block_stop"
            if kind == "content_block_delta":
                delta = dict(event["delta"])
                del delta["type"]
                (piece,) = delta.values()
                found[-1] += (piece,)
    assert not is_open
    return found


def asked(*messages: Message, **fields: Any) -> ChatRequest:
    """Another dialect's request."""
    return ChatRequest(model="gpt", messages=messages or (user("Hi"),), **fields)


def user(*parts: Part | str) -> Message:
    """A user's turn."""
    return Message("user", tuple([Text(part) if isinstance(part, str) else part for part in parts]))


def assistant(*parts: Part | str) -> Message:
    """An assistant's turn."""
    return Message("assistant", tuple([Text(part) if isinstance(part, str) else part for part in parts]))


def system(text: str) -> Message:
    """A system prompt."""
    return Message("system", (Text(text),))
