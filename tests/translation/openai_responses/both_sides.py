"""Both sides of the API, and short ways to use them."""

import json
from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.events import Event, Frame
from penstock.core.losses import Losses, OnUnsupported
from penstock.core.profile import Profile, profile_for
from penstock.dialects.openai_responses.dialect import OpenaiResponsesDialect
from penstock.ports.translation import Addressee, Asked, WireEvent
from penstock.providers.openai_responses.api import OpenaiResponsesProvider
from penstock.providers.openai_responses.profile import DEFAULT, ROWS

DIALECT, PROVIDER = OpenaiResponsesDialect(), OpenaiResponsesProvider()


def asked(request: ChatRequest | None = None) -> Asked:
    """The request that a reply answers."""
    return Asked(request or ChatRequest(model="house"), "house", "req_77", 1_700_000_000)


def sent(
    request: ChatRequest,
    model: str = "gpt-5.2",
    profile: Profile | None = None,
    policy: OnUnsupported = "map",
) -> tuple[dict[str, Any], str]:
    """A request as the vendor gets it, and the warning."""
    losses = Losses(policy)
    to = Addressee(model, profile or profile_for(model, ROWS, DEFAULT), losses)
    return PROVIDER.encode_request(request, to), losses.warning()


def got(body: dict[str, Any]) -> ChatRequest:
    """A client's request."""
    return DIALECT.decode_request(body, body.get("model", "m"), stream=body.get("stream") is True)


def shown(reply: ChatReply, request: ChatRequest | None = None) -> dict[str, Any]:
    """A reply as the client gets it."""
    return DIALECT.encode_reply(reply, asked(request))


def streamed(*events: Event, request: ChatRequest | None = None, ends: bool = True) -> list[dict[str, Any]]:
    """Foreign events as the client gets them, one frame each."""
    encoder = DIALECT.stream(asked(request))
    out: list[WireEvent] = []
    for event in events:
        out += encoder.write(Frame("", (event,)))
    if ends:
        out += encoder.end()
    assert encoder.end() == [] or not ends
    bodies = [json.loads(each.data) for each in out]
    assert [each.name for each in out] == [body["type"] for body in bodies]
    assert [body["sequence_number"] for body in bodies] == list(range(len(bodies)))
    return bodies
