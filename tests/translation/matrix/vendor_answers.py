"""Replies of each vendor, whole and streamed, written from its documentation."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_OSLO, _BERN = '{"city":"Oslo"}', '{"city":"Bern"}'


def chat_reply(message: Json, finish: str, **usage: Any) -> Json:
    """A chat completion of one choice."""
    counts = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42, **usage}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1,
        "model": "v",
        "choices": [choice],
        "usage": counts,
    }


def _chat_call(call_id: str, arguments: str) -> Json:
    return {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": arguments}}


def chat_chunks(*deltas: Json, finish: str) -> list[Json]:
    """The chunks of a chat completion, its finish and its usage."""
    head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "v"}
    told: list[Json] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    told.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    usage = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
    return [*told, {**head, "choices": [], "usage": usage}]


def _like_chat(ids: tuple[str, str]) -> dict[str, Any]:
    calls = [_chat_call(ids[0], _OSLO), _chat_call(ids[1], _BERN)]
    details = {
        "prompt_tokens_details": {"cached_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    first = {"tool_calls": [{"index": 0, **_chat_call(ids[0], "")}]}
    piece = {"tool_calls": [{"index": 0, "function": {"arguments": _OSLO}}]}
    second = {"tool_calls": [{"index": 1, **_chat_call(ids[1], _BERN)}]}
    return {
        "text": chat_reply({"content": "Good day."}, "stop", **details),
        "calls": chat_reply({"content": None, "tool_calls": calls}, "tool_calls"),
        "length": chat_reply({"content": "Good"}, "length"),
        "filtered": chat_reply({"content": ""}, "content_filter"),
        "streams": {
            "text": chat_chunks({"role": "assistant", "content": "Good "}, {"content": "day."}, finish="stop"),
            "calls": chat_chunks(first, piece, second, finish="tool_calls"),
        },
    }


def _openai() -> dict[str, Any]:
    return _like_chat(("call_1", "call_2")) | {
        "refusal": chat_reply({"content": None, "refusal": "I cannot help with that."}, "stop")
    }


def response(*output: Json, **more: Any) -> Json:
    """A response with its output."""
    usage = {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 20},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 42,
    }
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "v", "status": "completed"}
    return {**head, "output": list(output), "usage": usage, **more}


def said_item(text: str, kind: str = "output_text") -> Json:
    """An output item that says a text, or a refusal."""
    content: Json = (
        {"type": kind, "text": text, "annotations": []} if kind == "output_text" else {"type": kind, kind: text}
    )
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [content]}


def _responses() -> dict[str, Any]:
    call = {"type": "function_call", "id": "fc_1", "status": "completed", "name": "weather"}
    calls = [
        {**call, "call_id": "call_1", "arguments": _OSLO},
        {**call, "call_id": "call_2", "arguments": _BERN},
    ]
    thought = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "I should ask."}],
        "encrypted_content": "c2VhbA==",
    }
    part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    begun: Json = {**said_item(""), "status": "in_progress", "content": []}
    return {
        "text": response(said_item("Good day.")),
        "calls": response(*calls),
        "thinking": response(thought, calls[0]),
        "length": response(
            said_item("Good"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}
        ),
        "refusal": response(said_item("I cannot help with that.", "refusal")),
        "streams": {
            "text": [
                {"type": "response.created", "response": response(status="in_progress", usage=None)},
                {"type": "response.output_item.added", "output_index": 0, "item": begun},
                {"type": "response.content_part.added", **part, "part": {"type": "output_text", "text": ""}},
                {"type": "response.output_text.delta", **part, "delta": "Good "},
                {"type": "response.output_text.delta", **part, "delta": "day."},
                {"type": "response.output_text.done", **part, "text": "Good day."},
                {"type": "response.output_item.done", "output_index": 0, "item": said_item("Good day.")},
                {"type": "response.completed", "response": response(said_item("Good day."))},
            ]
        },
    }


def message_reply(*content: Json, stop: str = "end_turn") -> Json:
    """A message of Anthropic's."""
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 15,
        "cache_creation_input_tokens": 5,
        "output_tokens": 12,
    }
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "v", "stop_sequence": None}
    return {**head, "content": list(content), "stop_reason": stop, "usage": usage}


def _block(index: int, start: Json, *deltas: Json) -> list[Json]:
    told = [{"type": "content_block_delta", "index": index, "delta": each} for each in deltas]
    begun = {"type": "content_block_start", "index": index, "content_block": start}
    return [begun, *told, {"type": "content_block_stop", "index": index}]


def _anthropic() -> dict[str, Any]:
    oslo = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
    bern = {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Bern"}}
    thought = {"type": "thinking", "thinking": "I should ask.", "signature": "c2VhbA=="}
    begin = {"type": "message_start", "message": {**message_reply(), "stop_reason": None}}

    def ends(stop: str) -> list[Json]:
        delta = {"stop_reason": stop, "stop_sequence": None}
        return [
            {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 12}},
            {"type": "message_stop"},
        ]

    text = [{"type": "text_delta", "text": each} for each in ("Good ", "day.")]
    thinking = [
        {"type": "thinking_delta", "thinking": "I should ask."},
        {"type": "signature_delta", "signature": "c2VhbA=="},
    ]
    pieces = [{"type": "input_json_delta", "partial_json": each} for each in ('{"city"', ':"Oslo"}')]
    return {
        "text": message_reply({"type": "text", "text": "Good day."}),
        "calls": message_reply({"type": "text", "text": "I ask."}, oslo, bern, stop="tool_use"),
        "thinking": message_reply(thought, oslo, stop="tool_use"),
        "length": message_reply({"type": "text", "text": "Good"}, stop="max_tokens"),
        "refusal": message_reply(stop="refusal"),
        "streams": {
            "text": [begin, *_block(0, {"type": "text", "text": ""}, *text), *ends("end_turn")],
            "thinking": [
                begin,
                *_block(0, {"type": "thinking", "thinking": "", "signature": ""}, *thinking),
                *_block(1, {**oslo, "input": {}}, *pieces),
                *ends("tool_use"),
            ],
        },
    }


def candidate(*parts: Json, finish: str | None = "STOP") -> Json:
    """A reply of Google's with one candidate."""
    candidate: Json = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish is None:
        return {"candidates": [candidate], "modelVersion": "v", "responseId": "g-1"}
    usage = {
        "promptTokenCount": 30,
        "cachedContentTokenCount": 20,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 42,
    }
    told = [{**candidate, "finishReason": finish}]
    return {"candidates": told, "usageMetadata": usage, "modelVersion": "v", "responseId": "g-1"}


def _gemini() -> dict[str, Any]:
    oslo = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}
    bern = {"functionCall": {"name": "weather", "args": {"city": "Bern"}}}
    sealed = {**oslo, "thoughtSignature": "c2VhbA=="}
    thought = {"text": "I should ask.", "thought": True}
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 30}}
    return {
        "text": candidate({"text": "Good day."}),
        "calls": candidate(oslo, bern),
        "thinking": candidate(thought, sealed),
        "length": candidate({"text": "Good"}, finish="MAX_TOKENS"),
        "filtered": blocked,
        "streams": {
            "text": [candidate({"text": "Good "}, finish=None), candidate({"text": "day."})],
            "thinking": [candidate(thought, finish=None), candidate(sealed)],
        },
    }


def conversed(*content: Json, stop: str = "end_turn") -> Json:
    """A reply of Converse."""
    message = {"role": "assistant", "content": list(content)}
    return {"output": {"message": message}, "stopReason": stop, "usage": _TOKENS, "metrics": {"latencyMs": 9}}


_TOKENS = {"inputTokens": 10, "outputTokens": 12, "totalTokens": 42, "cacheReadInputTokens": 20}


def _converse() -> dict[str, Any]:
    oslo = {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Oslo"}}}
    bern = {"toolUse": {"toolUseId": "tooluse_2", "name": "weather", "input": {"city": "Bern"}}}
    thought = {"reasoningContent": {"reasoningText": {"text": "I should ask.", "signature": "c2VhbA=="}}}
    return {
        "text": conversed({"text": "Good day."}),
        "calls": conversed(oslo, bern, stop="tool_use"),
        "thinking": conversed(thought, oslo, stop="tool_use"),
        "length": conversed({"text": "Good"}, stop="max_tokens"),
        "filtered": conversed({"text": "Sorry."}, stop="guardrail_intervened"),
        "streams": {
            "text": [
                ("messageStart", {"role": "assistant"}),
                ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Good "}}),
                ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "day."}}),
                ("contentBlockStop", {"contentBlockIndex": 0}),
                ("messageStop", {"stopReason": "end_turn"}),
                ("metadata", {"usage": _TOKENS, "metrics": {"latencyMs": 9}}),
            ]
        },
    }


def _cohere() -> dict[str, Any]:
    usage = {
        "billed_units": {"input_tokens": 9, "output_tokens": 12},
        "tokens": {"input_tokens": 30, "output_tokens": 12},
    }

    def reply(message: Json, finish: str) -> Json:
        return {
            "id": "co-1",
            "finish_reason": finish,
            "message": {"role": "assistant", **message},
            "usage": usage,
        }

    delta = {"type": "content-delta", "index": 0}
    return {
        "text": reply({"content": [{"type": "text", "text": "Good day."}]}, "COMPLETE"),
        "calls": reply(
            {
                "tool_plan": "I ask.",
                "tool_calls": [_chat_call("weather_1", _OSLO), _chat_call("weather_2", _BERN)],
            },
            "TOOL_CALL",
        ),
        "length": reply({"content": [{"type": "text", "text": "Good"}]}, "MAX_TOKENS"),
        "streams": {
            "text": [
                {
                    "type": "message-start",
                    "id": "co-1",
                    "delta": {"message": {"role": "assistant", "content": []}},
                },
                {
                    "type": "content-start",
                    "index": 0,
                    "delta": {"message": {"content": {"type": "text", "text": ""}}},
                },
                {**delta, "delta": {"message": {"content": {"text": "Good "}}}},
                {**delta, "delta": {"message": {"content": {"text": "day."}}}},
                {"type": "content-end", "index": 0},
                {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}},
            ]
        },
    }


def _ollama() -> dict[str, Any]:
    def reply(message: Json, *, done: bool = True, reason: str = "stop") -> Json:
        head = {"model": "v", "created_at": "2026-01-02T03:04:05Z", "message": {"role": "assistant", **message}}
        if not done:
            return {**head, "done": False}
        return {**head, "done": True, "done_reason": reason, "prompt_eval_count": 30, "eval_count": 12}

    calls = [{"function": {"name": "weather", "arguments": {"city": each}}} for each in ("Oslo", "Bern")]
    return {
        "text": reply({"content": "Good day.", "thinking": "A greeting."}),
        "calls": reply({"content": "", "tool_calls": calls}),
        "length": reply({"content": "Good"}, reason="length"),
        "streams": {
            "text": [
                reply({"content": "Good "}, done=False),
                reply({"content": "day."}, done=False),
                reply({"content": ""}),
            ]
        },
    }


ANSWERS: dict[str, dict[str, Any]] = {
    "openai.chat": _openai(),
    "openai.responses": _responses(),
    "anthropic": _anthropic(),
    "gemini": _gemini(),
    "converse": _converse(),
    "cohere": _cohere(),
    "mistral": _like_chat(("abcdefgh1", "abcdefgh2")),
    "ollama": _ollama(),
}
