"""Bedrock's Converse API: exact shapes, binary streams, thinking, tools, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from penstock.wire.aws_events import AwsMessage
from tests.simulator.asking import WEATHER, Answer, ask

USER = {"role": "user", "content": [{"text": "Say it, please."}]}
TOOLS = {
    "tools": [{"toolSpec": {"name": name, "inputSchema": {"json": WEATHER}}} for name in ("weather", "tides")]
}
THINKING: dict[str, Any] = {
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}
}


def converse(model: str = "echo", action: str = "converse", **fields: object) -> Answer:
    """The answer to a request with one message, unless the fields say otherwise."""
    return ask(f"/model/{model}/{action}", {"messages": [USER], **fields})


def streamed(model: str = "echo", **fields: object) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream, without their padding."""
    answer = converse(model, "converse-stream", **fields)
    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    return [(message.text(":event-type"), _value(message)) for message in answer.messages]


def _value(message: AwsMessage) -> dict[str, Any]:
    value = msgspec.json.decode(message.payload)
    value.pop("p")
    return value


def refusal(**fields: Any) -> str:
    """The message of a 400 in AWS's shape."""
    answer = converse(**fields)
    assert answer.status == 400, answer
    assert answer.headers["x-amzn-errortype"].startswith("ValidationException:")
    assert set(answer.json) == {"message"}
    return answer.json["message"]


def test_an_answer_has_the_documented_shape() -> None:
    """Message, reason, usage and metrics."""
    assert converse(system=[{"text": "Be kind."}]).json == {
        "metrics": {"latencyMs": 103},
        "output": {"message": {"content": [{"text": "Say it, please."}], "role": "assistant"}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3 + 2 + 3 + 3, "outputTokens": 3, "totalTokens": 14, "serverToolUsage": {}},
    }


def test_a_stream_has_the_documented_events() -> None:
    """Texts have no start of their own; usage comes last, in metadata."""
    kinds = [kind for kind, _ in streamed()]
    deltas = ["contentBlockDelta"] * 3
    assert kinds == ["messageStart", *deltas, "contentBlockStop", "messageStop", "metadata"]
    whole = converse().json
    assert streamed()[-1][1] == {"metrics": whole["metrics"], "usage": whole["usage"]}


def assembled(events: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The content that a stream's events add up to, as AWS's clients do it."""
    blocks: dict[int, dict[str, Any]] = {}
    for kind, value in events:
        if kind == "contentBlockStart":
            blocks[value["contentBlockIndex"]] = {"toolUse": value["start"]["toolUse"] | {"input": ""}}
        if kind == "contentBlockDelta":
            block, delta = blocks.setdefault(value["contentBlockIndex"], {}), value["delta"]
            if "text" in delta:
                block["text"] = block.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                block["toolUse"]["input"] += delta["toolUse"]["input"]
            elif "redactedContent" in delta["reasoningContent"]:
                block["reasoningContent"] = delta["reasoningContent"]
            else:
                thought = block.setdefault("reasoningContent", {"reasoningText": {}})["reasoningText"]
                for name, piece in delta["reasoningContent"].items():
                    thought[name] = thought.get(name, "") + piece
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = msgspec.json.decode(block["toolUse"]["input"])
    return list(blocks.values())


@pytest.mark.parametrize(
    "model", ["tokens-9", "parallel-tools+text-with-tools+reasoning-5", "redacted-thinking"]
)
def test_streamed_and_whole_messages_are_the_same(model: str) -> None:
    """The deltas add up to the blocks: thoughts with their signature, text, and two calls."""
    whole = converse(model, toolConfig=TOOLS).json
    events = streamed(model, toolConfig=TOOLS)
    assert assembled(events) == whole["output"]["message"]["content"]
    assert dict(events)["messageStop"] == {"stopReason": whole["stopReason"]}


def called() -> list[dict[str, Any]]:
    """The content of an answer that thinks and calls two tools."""
    value = converse("parallel-tools", toolConfig=TOOLS, **THINKING).json
    return value["output"]["message"]["content"]


def turn_after(content: list[dict[str, Any]]) -> dict[str, Any]:
    """The conversation with every call answered."""
    results = [
        {"toolResult": {"toolUseId": block["toolUse"]["toolUseId"], "content": [{"text": "ok"}]}}
        for block in content
        if "toolUse" in block
    ]
    turns = [USER, {"role": "assistant", "content": content}, {"role": "user", "content": results}]
    return {"messages": turns, "toolConfig": TOOLS, **THINKING}


def test_thoughts_come_back_as_they_left() -> None:
    """Given back unchanged they are taken; changed or left out they are refused."""
    content = called()
    value = converse(**turn_after(content)).json
    assert [set(block) for block in value["output"]["message"]["content"]] == [{"reasoningContent"}, {"text"}]
    changed = copy.deepcopy(content)
    changed[0]["reasoningContent"]["reasoningText"]["text"] += "."
    assert "messages.1.content.0: Invalid `signature` in `thinking` block" in refusal(**turn_after(changed))
    assert "must start with a thinking block" in refusal(**turn_after(content[1:]))


def test_a_signature_of_claude_is_taken_by_both_of_its_apis() -> None:
    """What Anthropic's API signed, Converse takes."""
    thinking = {"type": "enabled", "budget_tokens": 1024}
    body = {"model": "echo", "max_tokens": 2000, "thinking": thinking}
    asked = [{"role": "user", "content": "Hello"}]
    answer = ask("/v1/messages", body | {"messages": asked}, {"anthropic-version": "2023-06-01"}).json
    block = answer["content"][0]
    thought = {"reasoningText": {"text": block["thinking"], "signature": block["signature"]}}
    turn = {"role": "assistant", "content": [{"reasoningContent": thought}, {"text": "Hello"}]}
    assert converse(messages=[USER, turn, USER]).status == 200


@pytest.mark.parametrize(
    ("model", "fields", "reason"),
    [
        ("echo", {"inferenceConfig": {"stopSequences": ["it"]}}, "stop_sequence"),
        ("tokens-50", {"inferenceConfig": {"maxTokens": 10}}, "max_tokens"),
        ("content-filter", {}, "content_filtered"),
        ("safety-block", {}, "guardrail_intervened"),
        ("echo", {"toolConfig": TOOLS}, "tool_use"),
    ],
)
def test_a_message_says_why_it_ends(model: str, fields: dict[str, Any], reason: str) -> None:
    """Every reason that the simulator has, whole and streamed."""
    assert converse(model, **fields).json["stopReason"] == reason
    assert dict(streamed(model, **fields))["messageStop"]["stopReason"] == reason


def test_tool_choice_and_structured_output_are_followed() -> None:
    """A tool by name, any tool after a result, and JSON by a schema that is in a string."""
    named = converse(toolConfig=TOOLS | {"toolChoice": {"tool": {"name": "tides"}}}).json
    assert named["output"]["message"]["content"][0]["toolUse"]["name"] == "tides"
    schema = '{"type": "object", "properties": {"a": {"const": 7}}}'
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema}}}
    value = converse(outputConfig={"textFormat": form}).json
    assert value["output"]["message"]["content"] == [{"text": '{"a":7}'}]


def test_usage_separates_what_was_cached() -> None:
    """Input is without the cache's tokens, the total with them."""
    usage = converse("cached-4+cache-write-2").json["usage"]
    assert (usage["inputTokens"], usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (3, 4, 2)
    assert usage["totalTokens"] == 9 + 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (424, "ModelErrorException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ],
)
def test_errors_have_their_kind(status: int, kind: str) -> None:
    """The status and the header are those of the operation's table."""
    answer = converse(f"error-{status}")
    assert answer.status == status
    assert answer.headers["x-amzn-errortype"].startswith(f"{kind}:")


def test_errors_in_streams_are_exceptions() -> None:
    """An exception message ends the stream; no oddity of SSE touches the binary stream."""
    answer = converse("error-after-2+comments+crlf", "converse-stream")
    last = answer.messages[-1]
    assert len(answer.messages) == 3
    assert last.text(":message-type") == "exception"
    assert last.text(":exception-type") == "internalServerException"


def test_a_broken_event_is_framed_well() -> None:
    """`malformed-sse` breaks the JSON of the third event, not its frame."""
    messages = converse("malformed-sse", "converse-stream").messages
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(messages[2].payload)


def test_model_ids_are_decoded() -> None:
    """Clients write `:` and `+` of model ids in percents."""
    value = converse("us.anthropic%2Ftiny%2Bcached-1").json
    assert value["output"]["message"]["content"] == [{"text": "OK."}]


def said_by(*turns: list[dict[str, Any]]) -> dict[str, Any]:
    """A conversation of which the first message is the user's."""
    roles = ["user", "assistant"] * len(turns)
    return {"messages": [{"role": role, "content": turn} for role, turn in zip(roles, turns, strict=False)]}


TEXT: dict[str, Any] = {"text": "a"}
CALL: dict[str, Any] = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}}
RESULT: dict[str, Any] = {"toolResult": {"toolUseId": "t1", "content": [TEXT]}}
DOCUMENT = {"format": "pdf", "name": "a.pdf", "source": {"bytes": "YQ=="}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, "A conversation must start with a user message"),
    ({"messages": [{"role": "assistant", "content": [TEXT]}]}, "A conversation must start with a user message"),
    (
        {"messages": [{"role": "system", "content": [TEXT]}]},
        "'messages.1.member.role' failed to satisfy constraint",
    ),
    ({"messages": [USER, USER]}, "A conversation must alternate between user and assistant roles"),
    (
        {"messages": [{"role": "user", "content": "a"}]},
        "'messages.1.member.content' failed to satisfy constraint",
    ),
    (said_by([]), "The content field in the Message object at messages.0 is empty"),
    (said_by([{"text": " "}]), "The text field in the ContentBlock object at messages.0.content.0 is blank"),
    (said_by([TEXT | {"image": {}}]), "failed to satisfy constraint"),
    (said_by([TEXT | {"cachePoint": {"type": "default"}}]), "exactly one of"),
    (said_by([{"image": {"format": "bmp", "source": {"bytes": "YQ=="}}}]), "enum value set"),
    (said_by([{"image": {"format": "png", "source": {"bytes": "%"}}}]), "Member must be a blob"),
    (said_by([{"document": DOCUMENT}, TEXT]), "The document file name can only contain alphanumeric"),
    (
        said_by([TEXT], [CALL], [RESULT]),
        "The toolConfig field must be defined when using toolUse and toolResult",
    ),
    (
        said_by([TEXT], [CALL], [TEXT]) | {"toolConfig": TOOLS},
        "Expected toolResult blocks at messages.2.content",
    ),
    (said_by([TEXT], [CALL]) | {"toolConfig": TOOLS}, "for the following Ids: t1"),
    (said_by([RESULT]) | {"toolConfig": TOOLS}, "exceeds the number of toolUse blocks of previous turn"),
    (
        said_by([TEXT], [{"toolUse": CALL["toolUse"] | {"input": "{}"}}], [RESULT]) | {"toolConfig": TOOLS},
        "toolUse.input is invalid. Provide a json object",
    ),
    (
        said_by([TEXT], [CALL], [{"toolResult": RESULT["toolResult"] | {"content": [], "status": "error"}}])
        | {"toolConfig": TOOLS},
        "cannot be empty when status value is error",
    ),
    ({"system": "Be kind."}, "'system' failed to satisfy constraint"),
    ({"system": [{"text": ""}]}, "system.0 is blank"),
    ({"inferenceConfig": {"maxTokens": 0}}, "Member must be greater than or equal to 1"),
    ({"inferenceConfig": {"max_tokens": 5}}, "Unknown member at 'inferenceConfig.max_tokens'"),
    ({"temperature": 1}, "Unknown member at 'temperature'"),
    ({"toolConfig": {"tools": []}}, "'toolConfig.tools' failed to satisfy constraint"),
    ({"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}]}}, "toolSpec.inputSchema' failed to satisfy"),
    ({"toolConfig": TOOLS | {"toolChoice": {"tool": {"name": "x"}}}}, "Tool 'x' not found in provided tools"),
    (THINKING | {"inferenceConfig": {"maxTokens": 9}}, "`max_tokens` must be greater than"),
    (THINKING | {"inferenceConfig": {"temperature": 0.5}}, "`temperature` may only be set to 1"),
    (THINKING | {"toolConfig": TOOLS | {"toolChoice": {"any": {}}}}, "Thinking may not be enabled when"),
]


@pytest.mark.parametrize(("fields", "says"), REFUSED)
def test_what_bedrock_refuses_is_refused(fields: dict[str, Any], says: str) -> None:
    """Each mistake is a 400 with Bedrock's kind of message."""
    assert says in refusal(**fields)
