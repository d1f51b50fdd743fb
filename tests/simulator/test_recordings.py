"""The simulator is strict, but not stricter than its vendors: what they accepted, it accepts."""

from __future__ import annotations

import msgspec
import pytest

from penstock.simulator import anthropic_request, converse_request, gemini_request
from penstock.simulator.answer import prepare
from penstock.simulator.reply import Reply
from tests.translation.recordings import Exchange, exchanges

APIS = {
    "anthropic": ["anthropic.messages", "anthropic.count_tokens"],
    "gemini": [
        "gemini.generateContent",
        "gemini.streamGenerateContent",
        "gemini.countTokens",
        "gemini.embedContent",
        "gemini.batchEmbedContents",
    ],
    "converse": ["bedrock.converse", "bedrock.converse_stream"],
}
# What only some models take, and a recording whose ids were scrubbed each on its own.
STRICTER = {
    "bedrock-bedrock.converse-8ad9d284b5d9": "A conversation must alternate",
    "bedrock-bedrock.converse-c4d838599354": "A conversation must start with a user message",
    "anthropic-anthropic.messages-e94e232d6ea4": "unexpected `tool_use_id`",
}


def path_of(exchange: Exchange) -> tuple[str, str]:
    """The path at the vendor's own address, and the query; other clouds have Anthropic's API elsewhere."""
    path, _, query = exchange.path.partition("?")
    if exchange.api.startswith("anthropic") and "/messages" in path:
        path = path[path.index("/messages") :]
    return path, query


def signed(_signature: object, _kind: str, _content: object) -> bool:
    """Every signature is right."""
    return True


@pytest.mark.parametrize("api", APIS)
def test_requests_that_the_vendor_took_are_taken(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the recorded requests that were answered, only those on the list are refused."""
    # Signatures are the vendors' own.
    for module in (anthropic_request, converse_request, gemini_request):
        monkeypatch.setattr(module, "is_signed", signed)
    refused: dict[str, str] = {}
    for each in exchanges(*APIS[api]):
        path, query = path_of(each)
        if each.status != 200 or not each.as_sent or (api == "anthropic" and not path.startswith("/messages")):
            continue
        headers = {"anthropic-version": "2023-06-01"} | ({"anthropic-beta": "x"} if "beta" in query else {})
        answer = prepare("POST", path, query, headers, msgspec.json.encode(each.request))
        if isinstance(answer, Reply):
            refused[each.id] = answer.body.decode()
    wrong = {name: said for name, said in refused.items() if STRICTER.get(name, "?") not in said}
    assert wrong == {}
