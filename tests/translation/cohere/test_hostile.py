"""Nonsense in Cohere's shape ends in ShapeError or in an answer, never in anything else."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings

from penstock.core.chat import ChatRequest
from penstock.core.events import Frame
from penstock.core.losses import Losses
from penstock.dialects.cohere.dialect import CohereDialect
from penstock.dialects.ollama.dialect import OllamaDialect
from penstock.ports.translation import Addressee, Asked
from penstock.providers.cohere.api import CohereProvider
from penstock.providers.cohere.errors import read_error
from penstock.providers.cohere.profile import DEFAULT
from tests.translation.vectors.hostile import deep, objects, only_shape_errors, seconds, wide

ASKED = Asked(ChatRequest(model="m"), "m", "1", 1)
NAMES = (
    "id", "message", "role", "content", "type", "text", "thinking", "tool_plan", "tool_calls",
    "function", "name", "arguments", "citations", "start", "end", "sources", "content_index",
    "document", "data", "usage", "billed_units", "tokens", "input_tokens", "finish_reason",
    "logprobs", "messages", "tools", "documents", "response_format", "delta", "index", "image_url",
    "url", "tool_call_id",
)  # fmt: skip
TYPES = (
    "message-start", "content-start", "content-delta", "content-end", "tool-plan-delta",
    "tool-call-start", "tool-call-delta", "tool-call-end", "citation-start", "citation-end", "message-end",
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(objects(*NAMES))
def test_only_shape_errors(body: dict[str, Any]) -> None:
    """Any object as a request, a reply or an event is read or refused, and what is read can be written."""
    provider = CohereProvider()

    def ask() -> None:
        request = CohereDialect().decode_request(body, "m", stream=False)
        provider.encode_request(request, Addressee("m", DEFAULT, Losses()))

    def answer() -> None:
        reply = provider.decode_reply(body)
        CohereDialect().encode_reply(reply, ASKED)
        OllamaDialect().encode_reply(reply, ASKED)

    def stream() -> None:
        decoder, encoder, other = (
            provider.stream(),
            CohereDialect().stream(ASKED),
            OllamaDialect().stream(ASKED),
        )
        for kind in (*TYPES, body.get("type")):
            frame = decoder.read("", msgspec.json.encode({**body, "type": kind}))
            encoder.write(frame)
            other.write(Frame("", frame.events))

    only_shape_errors(ask)
    only_shape_errors(answer)
    only_shape_errors(stream)
    read_error(msgspec.json.encode(body))


def test_large_and_deep_input_is_read_soon() -> None:
    """What is wide or deep takes less than 50 ms."""
    provider = CohereProvider()
    for name in ("citations", "content", "tool_calls"):
        body = {"message": wide(name)}
        assert seconds(lambda body=body: only_shape_errors(lambda: provider.decode_reply(body))) < 0.05
    assert seconds(lambda: only_shape_errors(lambda: provider.stream().read("", deep()))) < 0.05
