"""Short words for what the tests of this shape make again and again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from penstock.core.chat import ChatRequest, Message
from penstock.core.events import Event, Frame
from penstock.core.losses import Losses, OnUnsupported
from penstock.core.parts import Part, Text
from penstock.dialects.converse.dialect import ConverseDialect
from penstock.ports.translation import Addressee, Asked, WireEvent
from penstock.providers.converse.api import ConverseProvider
from penstock.providers.converse.profile import converse_profile

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
OLD_CLAUDE = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
NEW_CLAUDE = "us.anthropic.claude-opus-4-8"
NOVA = "us.amazon.nova-2-lite-v1:0"
LLAMA = "us.meta.llama4-maverick-17b-instruct-v1:0"
GPT_OSS = "openai.gpt-oss-120b-1:0"

DIALECT, PROVIDER = ConverseDialect(), ConverseProvider()


def asked() -> Asked:
    """A request that nobody looks at, and what its reply is to carry."""
    return Asked(ChatRequest(model="m"), "m", "req_1", 1_700_000_000)


def addressee(model: str = CLAUDE, policy: OnUnsupported = "map") -> Addressee:
    """A model with its profile."""
    return Addressee(model, converse_profile(model), Losses(policy))


def sent(request: ChatRequest, model: str = CLAUDE) -> tuple[dict[str, Any], Losses]:
    """The body for a model, and what was lost."""
    to = addressee(model)
    body = PROVIDER.encode_request(request, to)
    json.dumps(body)
    return body, to.losses


def ask(*parts: Part | str, **more: Any) -> ChatRequest:
    """A request with one message of the user."""
    return ChatRequest(model="m", messages=(said("user", *parts),), **more)


def said(role: Any, *parts: Part | str) -> Message:
    """A message; words are text."""
    return Message(role, tuple([Text(part) if isinstance(part, str) else part for part in parts]))


def written(*events: Event, end: bool = True) -> list[tuple[str, Any]]:
    """What a client gets for foreign events, each in a frame of its own."""
    encoder = DIALECT.stream(asked())
    found = [each for event in events for each in encoder.write(Frame("", (event,)))]
    return shown(found + (encoder.end() if end else []))


def shown(events: Iterable[WireEvent]) -> list[tuple[str, Any]]:
    """Wire events with their payloads as values."""
    return [(event.name, json.loads(event.data)) for event in events]


def read(*messages: tuple[str, Any]) -> list[Event]:
    """The events of a vendor's stream."""
    decoder = PROVIDER.stream()
    return [event for name, data in messages for event in decoder.read(name, json.dumps(data).encode()).events]
