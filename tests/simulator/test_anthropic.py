"""Anthropic's Messages API: exact shapes, streams, thinking, tools, and what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.simulator.asking import ANTHROPIC, WEATHER, Answer, ask

TOOLS = [{"name": name, "description": "d", "input_schema": WEATHER} for name in ("weather", "tides")]
THINKING = {"type": "enabled", "budget_tokens": 1024}
USER = {"role": "user", "content": "Say it, please."}


def request(model: str = "echo", **fields: object) -> dict[str, Any]:
    """A request with one message."""
    return {"model": model, "max_tokens": 2000, "messages": [USER], **fields}


def messages(body: object, path: str = "/v1/messages", **headers: str) -> Answer:
    """The answer to a request with the version header."""
    return ask(path, body, ANTHROPIC | headers)


def refusal(body: object, path: str = "/v1/messages") -> str:
    """The message of a 400 in Anthropic's shape."""
    answer = messages(body, path)
    assert answer.status == 400, answer
    assert set(answer.json) == {"type", "error", "request_id"}
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert answer.headers["request-id"] == answer.json["request_id"]
    return answer.json["error"]["message"]


def assembled(answer: Answer) -> dict[str, Any]:
    """The message that a stream's events add up to, as Anthropic's clients do it."""
    events = answer.events
    assert [kind for kind, _ in events] == [value["type"] for _, value in events]
    message: dict[str, Any] = {}
    for kind, value in events:
        if kind == "message_start":
            message = value["message"]
        elif kind == "content_block_start":
            assert value["index"] == len(message["content"])
            message["content"].append(value["content_block"])
        elif kind == "content_block_delta":
            block, delta = message["content"][value["index"]], value["delta"]
            field = delta["type"].removesuffix("_delta").replace("input_json", "partial_json")
            block[field] = block.get(field, "") + delta[field]
        elif kind == "message_delta":
            message |= value["delta"]
            message["usage"] |= value["usage"]
    return message


def test_a_message_has_the_documented_shape() -> None:
    """Every field of a message, with usage that counts texts and three tokens a message."""
    answer = messages(request(system="Be kind."))
    value = answer.json
    assert value.pop("id").startswith("msg_01")
    assert value == {
        "model": "echo",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Say it, please."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 3 + 2 + 3 + 3,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 3,
            "service_tier": "standard",
            "inference_geo": "global",
        },
    }
    assert answer.headers["request-id"].startswith("req_01")
    assert "openai-version" not in answer.headers


def test_a_stream_has_the_documented_events() -> None:
    """Start, block, ping, deltas, stop, the end with usage, and the last event."""
    kinds = [kind for kind, _ in messages(request(stream=True)).events]
    deltas = ["content_block_delta"] * 3
    start = ["message_start", "content_block_start", "ping"]
    assert kinds == [*start, *deltas, "content_block_stop", "message_delta", "message_stop"]
    without = [kind for kind, _ in messages(request("no-done", stream=True)).events]
    assert without == kinds[:-1]


@pytest.mark.parametrize(
    "model", ["echo", "reasoning-5", "redacted-thinking", "parallel-tools+text-with-tools+reasoning", "empty"]
)
def test_streamed_and_whole_messages_are_the_same(model: str) -> None:
    """The events add up to the message, under the same id, with the same usage."""
    whole = messages(request(model, tools=TOOLS)).json
    streamed = assembled(messages(request(model, tools=TOOLS, stream=True)))
    for block in streamed["content"]:
        if block["type"] == "tool_use":
            block["input"] = json.loads(block.pop("partial_json"))
    assert streamed == whole


def test_a_loop_of_tools_with_thinking_ends() -> None:
    """Thoughts, text and two calls; given back with results, the same thoughts are taken and a text follows."""
    body = request("parallel-tools+text-with-tools", tools=TOOLS, thinking=THINKING)
    first = messages(body).json
    assert [block["type"] for block in first["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert first["stop_reason"] == "tool_use"
    second = messages(body | {"model": "echo", "messages": turn_after(first["content"])}).json
    assert [block["type"] for block in second["content"]] == ["thinking", "text"]
    assert second["stop_reason"] == "end_turn"


def turn_after(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation with every call of an answer answered."""
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "ok"}
        for block in content
        if block["type"] == "tool_use"
    ]
    return [USER, {"role": "assistant", "content": content}, {"role": "user", "content": results}]


def test_changed_thoughts_are_refused() -> None:
    """A signed block that comes back with another text or signature is a 400, as is one that is left out."""
    body = request("parallel-tools", tools=TOOLS, thinking=THINKING)
    content = messages(body).json["content"]
    for field in ("thinking", "signature"):
        changed = copy.deepcopy(content)
        changed[0][field] = "A" + changed[0][field][1:] + "="
        said = refusal(body | {"messages": turn_after(changed)})
        assert said == "messages.1.content.0: Invalid `signature` in `thinking` block"
    said = refusal(body | {"messages": turn_after(content[1:])})
    assert "Expected `thinking` or `redacted_thinking`, but found `tool_use`" in said
    redacted = messages(body | {"model": "redacted-thinking+tool-call"}).json["content"]
    assert messages(body | {"messages": turn_after(redacted)}).status == 200
    redacted[0]["data"] = "QUJD"
    said = refusal(body | {"messages": turn_after(redacted)})
    assert said == "messages.1.content.0: Invalid `data` in `redacted_thinking` block"


def test_thoughts_that_are_not_shown_are_signed_all_the_same() -> None:
    """`display: omitted` leaves the text out; the empty block comes back and is taken."""
    thinking = THINKING | {"display": "omitted"}
    body = request("tool-call", tools=TOOLS, thinking=thinking)
    content = messages(body).json["content"]
    assert content[0]["thinking"] == ""
    assert content[0]["signature"]
    assert messages(body | {"messages": turn_after(content)}).status == 200


def test_tool_choice_is_followed() -> None:
    """A tool by name, any, none, and no more than one at a time."""
    named = messages(request(tools=TOOLS, tool_choice={"type": "tool", "name": "tides"})).json
    assert [block["name"] for block in named["content"]] == ["tides"]
    none = messages(request(tools=TOOLS, tool_choice={"type": "none"})).json
    assert none["stop_reason"] == "end_turn"
    one = messages(request("tool-calls-3", tools=TOOLS, tool_choice={"type": "auto"})).json
    assert len(one["content"]) == 3
    single = {"type": "auto", "disable_parallel_tool_use": True}
    one = messages(request("tool-calls-3", tools=TOOLS, tool_choice=single)).json
    assert len(one["content"]) == 1


@pytest.mark.parametrize(
    ("model", "fields", "reason", "sequence"),
    [
        ("echo", {"stop_sequences": ["it"]}, "stop_sequence", "it"),
        ("tokens-50", {"max_tokens": 10}, "max_tokens", None),
        ("content-filter", {}, "refusal", None),
        ("safety-block", {}, "refusal", None),
    ],
)
def test_a_message_says_why_it_ends(
    model: str, fields: dict[str, Any], reason: str, sequence: str | None
) -> None:
    """Stop sequences, caps and filters each have their own reason."""
    value = messages(request(model, **fields)).json
    assert (value["stop_reason"], value["stop_sequence"]) == (reason, sequence)
    assert (value["stop_details"] is not None) == (reason == "refusal")
    if model == "safety-block":
        assert value["content"] == []


def test_structured_output_conforms() -> None:
    """`output_config.format` gives JSON by its schema."""
    form = {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {"const": 7}}}}
    value = messages(request(output_config={"format": form})).json
    assert value["content"][0]["text"] == '{"a":7}'


def test_usage_separates_what_was_cached() -> None:
    """Input is without what was read from a cache or written to it."""
    usage = messages(request("cached-4+cache-write-2")).json["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (3, 4)
    assert usage["cache_creation_input_tokens"] == 2
    assert "usage" not in messages(request("no-usage")).json


def test_tokens_are_counted_without_an_answer() -> None:
    """The count is that of the message's usage, and takes no cap."""
    body = {"model": "echo", "messages": [USER], "tools": TOOLS}
    counted = messages(body, "/v1/messages/count_tokens").json
    assert counted == {"input_tokens": messages(body | {"max_tokens": 9}).json["usage"]["input_tokens"]}
    said = refusal(body | {"max_tokens": 9}, "/v1/messages/count_tokens")
    assert said == "max_tokens: Extra inputs are not permitted"


def test_models_are_listed_for_its_clients() -> None:
    """With the version header, the list has Anthropic's shape; without, OpenAI's."""
    listed = ask("/v1/models", {}, ANTHROPIC, method="GET").json
    assert listed["data"][0]["type"] == "model"
    assert listed["has_more"] is False
    assert ask("/v1/models", {}, method="GET").json["object"] == "list"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_errors_have_their_kind(status: int, kind: str) -> None:
    """Status and kind are those of Anthropic's table."""
    answer = messages(request(f"error-{status}"))
    assert answer.status == status
    assert (answer.json["type"], answer.json["error"]["type"]) == ("error", kind)
    assert answer.headers.get("retry-after") == ("1" if status == 429 else None)


def test_errors_in_streams_are_events() -> None:
    """An error event ends the stream."""
    kind, value = messages(request("error-after-3", stream=True)).events[-1]
    assert kind == "error"
    assert value["error"]["type"] == "overloaded_error"


CALL: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
RESULT: dict[str, Any] = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
TEXT: dict[str, Any] = {"type": "text", "text": "a"}


def said_by(*turns: object) -> dict[str, Any]:
    """A conversation of which the first message is the user's."""
    roles = ["user", "assistant"] * len(turns)
    return {"messages": [{"role": role, "content": turn} for role, turn in zip(roles, turns, strict=False)]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": None}, "max_tokens: Field required"),
    ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
    ({"frequency_penalty": 1}, "frequency_penalty: Extra inputs are not permitted"),
    ({"mcp_servers": []}, "mcp_servers: Extra inputs are not permitted"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": [{"role": "system", "content": "a"}]}, 'Unexpected role "system"'),
    (
        {"messages": [{"role": "tool", "content": "a"}]},
        "messages.0.role: Input should be 'user', 'assistant' or 'system'",
    ),
    ({"messages": [{"role": "assistant", "content": "a"}]}, 'first message must use the "user" role'),
    ({"messages": [{"role": "user", "content": "a", "name": "b"}]}, "messages.0.name: Extra inputs"),
    (said_by([]), "messages.0: all messages must have non-empty content"),
    (said_by(""), "text content blocks must be non-empty"),
    (said_by("a", "b "), "final assistant content cannot end with trailing whitespace"),
    (said_by([{"type": "input_text", "text": "a"}]), "messages.0.content.0: Input tag"),
    (said_by([TEXT | {"foo": 1}]), "messages.0.content.0.text.foo: Extra inputs are not permitted"),
    (
        said_by([{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": ""}}]),
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'",
    ),
    (said_by([CALL]), "`tool_use` blocks are not permitted in `user` messages"),
    (said_by("a", [CALL], "b"), "messages.1: `tool_use` ids were found without `tool_result` blocks"),
    (said_by("a", [CALL]), "messages.1: `tool_use` ids were found without `tool_result` blocks"),
    (said_by("a", [CALL], [TEXT, RESULT]), "`tool_use` ids were found without `tool_result` blocks"),
    (said_by("a", [CALL, CALL], [RESULT]), "`tool_use` ids must be unique"),
    (said_by("a", [CALL], [RESULT, RESULT]), "each tool_use must have a single result"),
    (
        said_by([RESULT]),
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1",
    ),
    (said_by("a", [CALL | {"input": "{}"}], [RESULT]), "tool_use.input: Input should be a valid dictionary"),
    (said_by("a", [CALL | {"id": "a.b"}], [RESULT]), "tool_use.id: String should match pattern"),
    (
        said_by("a", [{"type": "thinking", "thinking": "x", "signature": "eA=="}, TEXT], "b"),
        "Invalid `signature`",
    ),
    ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools.0: Input tag"),
    ({"tools": [TOOLS[0] | {"name": "a b"}]}, "tools.0.custom.name: String should match pattern"),
    ({"tools": [TOOLS[0], TOOLS[0]]}, "Tool names must be unique"),
    (
        {"tools": [{"name": "a", "input_schema": {"type": "string"}}]},
        "input_schema.type: Input should be 'object'",
    ),
    ({"tool_choice": {"type": "auto"}}, "tool_choice: may only be specified while providing `tools`"),
    ({"tools": TOOLS, "tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary"),
    ({"tools": TOOLS, "tool_choice": {"type": "tool", "name": "x"}}, "Tool 'x' not found in provided tools"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 100}},
        "budget_tokens: Input should be greater than or equal",
    ),
    ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "`max_tokens` must be greater than"),
    ({"thinking": THINKING, "temperature": 0.5}, "`temperature` may only be set to 1 when thinking is enabled"),
    ({"thinking": THINKING, "top_k": 5}, "`top_k` must be unset when thinking is enabled"),
    (
        {"thinking": THINKING, "tools": TOOLS, "tool_choice": {"type": "any"}},
        "Thinking may not be enabled when",
    ),
    ({"metadata": {"user": "a"}}, "metadata.user: Extra inputs are not permitted"),
    (
        said_by([TEXT | {"cache_control": {"type": "ephemeral"}}] * 5),
        "A maximum of 4 blocks with cache_control",
    ),
    ({"system": [{"type": "text", "text": ""}]}, "system: text content blocks must be non-empty"),
]


@pytest.mark.parametrize(("fields", "says"), REFUSED)
def test_what_anthropic_refuses_is_refused(fields: dict[str, Any], says: str) -> None:
    """Each mistake is a 400 with Anthropic's kind of message."""
    assert says in refusal(request(**fields))


def test_the_version_header_is_required() -> None:
    """Without it there is a 400; beta fields want theirs."""
    assert "anthropic-version" in ask("/v1/messages", request()).json["error"]["message"]
    assert messages(request(mcp_servers=[]), **{"anthropic-beta": "mcp-client-2025-11-20"}).status == 200


def test_neighbours_of_one_role_are_one_turn() -> None:
    """Two user messages in a row are allowed, and results may be spread over them."""
    turns: list[Any] = [
        USER,
        USER,
        {"role": "assistant", "content": [CALL]},
        {"role": "user", "content": [RESULT]},
        USER,
    ]
    assert messages(request(messages=turns, tools=TOOLS)).status == 200
    later = [USER, {"role": "system", "content": "Be brief."}]
    assert messages(request(messages=later)).json["content"][0]["text"] == "Say it, please."
