"""Nonsense in Ollama's shape ends in ShapeError or in an answer, never in anything else."""

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
from penstock.providers.ollama.api import OllamaProvider
from penstock.providers.ollama.errors import read_error
from penstock.providers.ollama.profile import DEFAULT
from tests.translation.vectors.hostile import deep, objects, only_shape_errors, seconds, wide

ASKED = Asked(ChatRequest(model="m"), "m", "1", 1)
NAMES = (
    "model", "created_at", "message", "role", "content", "thinking", "tool_calls", "function",
    "name", "arguments", "id", "images", "done", "done_reason", "eval_count", "prompt_eval_count",
    "response", "logprobs", "messages", "tools", "format", "options", "stop", "num_predict",
    "think", "tool_name", "type", "error",
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(objects(*NAMES))
def test_only_shape_errors(body: dict[str, Any]) -> None:
    """Any object as a request, a reply or a line is read or refused, and what is read can be written."""
    provider = OllamaProvider()

    def ask() -> None:
        request = OllamaDialect().decode_request(body, "m", stream=False)
        provider.encode_request(request, Addressee("m", DEFAULT, Losses()))

    def answer() -> None:
        reply = provider.decode_reply(body)
        OllamaDialect().encode_reply(reply, ASKED)
        CohereDialect().encode_reply(reply, ASKED)

    def stream() -> None:
        decoder, encoder, other = (
            provider.stream(),
            OllamaDialect().stream(ASKED),
            CohereDialect().stream(ASKED),
        )
        for line in (body, {**body, "done": True}):
            frame = decoder.read("", msgspec.json.encode(line))
            encoder.write(frame)
            other.write(Frame("", frame.events))

    only_shape_errors(ask)
    only_shape_errors(answer)
    only_shape_errors(stream)
    read_error(msgspec.json.encode(body))


def test_large_and_deep_input_is_read_soon() -> None:
    """What is wide or deep takes less than 50 ms."""
    provider = OllamaProvider()
    for body in ({"message": wide("tool_calls")}, wide("logprobs")):
        assert seconds(lambda body=body: only_shape_errors(lambda: provider.decode_reply(body))) < 0.05
    assert seconds(lambda: only_shape_errors(lambda: provider.stream().read("", deep()))) < 0.05
