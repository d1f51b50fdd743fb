"""What is different at one target: its prompt in each API's own place, parameters, the output bound."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.compile.differences import target_with, variant_with
from penstock.core.prompt_variant import PromptVariant, with_prompt
from penstock.dialects.native import decode_native
from penstock.dialects.openai.decode import decode
from penstock.dialects.paths import find
from penstock.pipeline.translation import chat_of
from penstock.providers.native import native_body
from penstock.providers.openai.request import body_for
from penstock.shapes.openai_request import OpenAIRequest
from tests.routing.walking import target

BOTH = {"system_prefix": "First.", "system_suffix": "Last."}
TURN = {"role": "user", "content": "Hi"}
TEXTS = [{"type": "text", "text": "Own."}]


def read(path: str, body: dict[str, Any]) -> OpenAIRequest:
    """A request of that endpoint."""
    found = find(path)
    assert found is not None
    data = json.dumps(body).encode()
    return (
        decode(found.endpoint, data, b"") if found.endpoint.dialect == "openai" else decode_native(found, data)
    )


def sent(path: str, body: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The body that a target of the same API gets."""
    request = read(path, body)
    to = target_with(target("m"), config)
    native = request.endpoint.dialect != "openai"
    return json.loads((native_body if native else body_for)(request, to, None))


@pytest.mark.parametrize(
    ("path", "body", "name", "expected"),
    [
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "developer", "content": "Own."}, TURN]},
         "messages", [{"role": "developer", "content": "First."}, {"role": "developer", "content": "Own."},
                      {"role": "developer", "content": "Last."}, TURN]),
        ("/v1/chat/completions", {"model": "m", "messages": [TURN]}, "messages",
         [{"role": "system", "content": "First."}, {"role": "system", "content": "Last."}, TURN]),
        ("/v1/responses", {"model": "m", "input": "Hi", "instructions": "Own."}, "instructions",
         "First.\n\nOwn.\n\nLast."),
        ("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [TURN], "system": "Own."}, "system",
         "First.\n\nOwn.\n\nLast."),
        ("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [TURN], "system": TEXTS}, "system",
         [{"type": "text", "text": "First."}, *TEXTS, {"type": "text", "text": "Last."}]),
        ("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [TURN]}, "system",
         [{"type": "text", "text": "First."}, {"type": "text", "text": "Last."}]),
        ("/v1beta/models/m:generateContent",
         {"contents": [{"parts": [{"text": "Hi"}]}], "system_instruction": {"parts": [{"text": "Own."}]}},
         "system_instruction", {"parts": [{"text": "First."}, {"text": "Own."}, {"text": "Last."}]}),
        ("/model/m/converse", {"messages": [{"role": "user", "content": [{"text": "Hi"}]}],
                               "system": [{"text": "Own."}]},
         "system", [{"text": "First."}, {"text": "Own."}, {"text": "Last."}]),
    ],
)  # fmt: skip
def test_a_prompt_stands_where_its_api_keeps_it(
    path: str, body: dict[str, Any], name: str, expected: Any
) -> None:
    """Before and after the client's own, in the API's own place; all else is as received."""
    got = sent(path, body, BOTH)
    assert got[name] == expected
    assert {key: value for key, value in got.items() if key != name} == {
        key: value for key, value in body.items() if key != name
    }


def test_a_prompt_may_replace_the_clients() -> None:
    """The client's system prompt is left out, and nothing else."""
    body = {"model": "m", "messages": [{"role": "system", "content": "Own."}, TURN]}
    got = sent("/v1/chat/completions", body, {"system_prompt": "Ours."})
    assert got["messages"] == [{"role": "system", "content": "Ours."}, TURN]


def test_a_prompt_goes_through_translation() -> None:
    """What is translated carries the same prompt, in the pivot's order."""
    request = read("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [TURN], "system": "Own."})
    chat = with_prompt(chat_of(request), PromptVariant(None, "First.", "Last."))
    said = [(message.role, [getattr(part, "text", "") for part in message.parts]) for message in chat.messages]
    assert said == [("system", ["First."]), ("system", ["Own."]), ("system", ["Last."]), ("user", ["Hi"])]


def test_without_a_prompt_the_bytes_pass() -> None:
    """A target without differences gets the client's very bytes."""
    request = read("/v1/chat/completions", {"model": "m", "messages": [TURN]})
    assert request.fields is not None
    assert body_for(request, target("m"), None) is request.fields.body


def test_parameters_of_a_place_go_over_those_of_the_deployment() -> None:
    """A route's own value wins, the others stay, and the two places are told apart."""
    deployment = target_with(target("m"), {"temperature": 0.5, "top_p": 0.9, "output_limit": 800})
    place = variant_with(deployment, {"temperature": 0, "reasoning_effort": "low", "output_limit": 500})
    assert {name: json.loads(text) for name, text in place.set_fields.items()} == {
        "temperature": 0,
        "top_p": 0.9,
        "reasoning_effort": "low",
    }
    assert (deployment.max_output_tokens, place.max_output_tokens) == (800, 500)
    assert place.id == deployment.id
    assert place.place != deployment.place
