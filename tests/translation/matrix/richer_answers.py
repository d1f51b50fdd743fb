"""What fewer of each vendor's answers have: sources, log probabilities, refusals, counts of every kind."""

from __future__ import annotations

from typing import Any

from tests.translation.matrix.vendor_answers import (
    ANSWERS,
    candidate,
    chat_chunks,
    chat_reply,
    conversed,
    message_reply,
    response,
    said_item,
)

_PROBABLE: dict[str, Any] = {
    "content": [
        {
            "token": "So",
            "logprob": -0.5,
            "bytes": [83, 111],
            "top_logprobs": [
                {"token": "So", "logprob": -0.5, "bytes": [83, 111]},
                {"token": "Thus", "logprob": -1.5, "bytes": None},
            ],
        }
    ],
    "refusal": None,
}
_SOURCE: dict[str, Any] = {
    "type": "url_citation",
    "url_citation": {"url": "https://example.org/a", "title": "A", "start_index": 0, "end_index": 3},
}
_COUNTS = {
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 3, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 2},
}


def _rich_openai() -> dict[str, Any]:
    probable = chat_reply({"content": "So"}, "stop", **_COUNTS)
    probable["choices"][0]["logprobs"] = _PROBABLE
    refused = [{"role": "assistant", "content": None, "refusal": "I cannot "}, {"refusal": "help."}]
    return {
        "probable": probable,
        "cited": chat_reply({"content": "So it is.", "annotations": [_SOURCE]}, "stop"),
        "streams": {"refusal": chat_chunks(*refused, finish="stop")},
    }


def _rich_responses() -> dict[str, Any]:
    source: dict[str, Any] = {"type": "url_citation", **_SOURCE["url_citation"]}
    text: dict[str, Any] = {
        "type": "output_text",
        "text": "So it is.",
        "annotations": [source],
        "logprobs": _PROBABLE["content"],
    }
    return {"cited": response({**said_item(""), "content": [text]})}


def _rich_anthropic() -> dict[str, Any]:
    place = {
        "type": "web_search_result_location",
        "url": "https://example.org/a",
        "title": "A",
        "encrypted_index": "e",
        "cited_text": "It is so.",
    }
    usage = {
        "input_tokens": 10, "cache_read_input_tokens": 15, "cache_creation_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
        "output_tokens": 12, "output_tokens_details": {"thinking_tokens": 5}, "service_tier": "standard",
    }  # fmt: skip
    compacted = {
        "type": "compaction",
        "input_tokens": 900,
        "output_tokens": 80,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
    }
    plain = message_reply({"type": "text", "text": "So."})
    return {
        "cited": {**message_reply({"type": "text", "text": "So it is.", "citations": [place]}), "usage": usage},
        "compacted": {**plain, "usage": {**usage, "iterations": [compacted, {**usage, "type": "message"}]}},
        "paused": message_reply({"type": "text", "text": "So."}, stop="pause_turn"),
    }


def _rich_gemini() -> dict[str, Any]:
    cited, probable = candidate({"text": "So it is."}), candidate({"text": "So"})
    cited["candidates"][0]["groundingMetadata"] = {
        "groundingChunks": [{"web": {"uri": "https://example.org/a", "title": "A"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 0, "endIndex": 2, "text": "So"}, "groundingChunkIndices": [0]}
        ],
    }
    probable["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": [{"token": "So", "tokenId": 1, "logProbability": -0.5}],
        "topCandidates": [
            {"candidates": [{"token": "So", "logProbability": -0.5}, {"token": "Thus", "logProbability": -1.5}]}
        ],
    }
    probable["usageMetadata"]["promptTokensDetails"] = [
        {"modality": "TEXT", "tokenCount": 27},
        {"modality": "AUDIO", "tokenCount": 3},
    ]
    return {"cited": cited, "probable": probable}


def _rich_converse() -> dict[str, Any]:
    where = {
        "title": "A",
        "sourceContent": [{"text": "It is so."}],
        "location": {"web": {"url": "https://example.org/a", "domain": "example.org"}},
    }
    return {
        "cited": conversed({"citationsContent": {"content": [{"text": "So it is."}], "citations": [where]}})
    }


def _rich_cohere() -> dict[str, Any]:
    source = {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "text": "It is so.", "title": "A"}}
    message = {
        "role": "assistant",
        "content": [{"type": "text", "text": "So it is."}],
        "citations": [{"start": 0, "end": 2, "text": "So", "sources": [source]}],
    }
    probable = [{"token_ids": [1], "text": "So", "logprobs": [-0.5]}]
    usage = {
        "billed_units": {"input_tokens": 9, "output_tokens": 12},
        "tokens": {"input_tokens": 30, "output_tokens": 12},
    }
    return {
        "cited": {
            "id": "co-1",
            "finish_reason": "COMPLETE",
            "message": message,
            "logprobs": probable,
            "usage": usage,
        }
    }


def _joined(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    return {**one, **two, "streams": {**one["streams"], **two.get("streams", {})}}


_RICHER: dict[str, dict[str, Any]] = {
    "openai.chat": _rich_openai(),
    "openai.responses": _rich_responses(),
    "anthropic": _rich_anthropic(),
    "gemini": _rich_gemini(),
    "converse": _rich_converse(),
    "cohere": _rich_cohere(),
}
ALL_ANSWERS = {target: _joined(answers, _RICHER.get(target, {})) for target, answers in ANSWERS.items()}
