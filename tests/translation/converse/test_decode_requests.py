"""What a client of Converse asks, in the pivot's words, and back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import FunctionTool, OpaqueTool, OutputFormat, ToolChoice
from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Audio,
    CacheHint,
    Document,
    Image,
    Inline,
    Link,
    Opaque,
    Plain,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.core.seals import into_id, wrap
from penstock.core.turns import text_of
from tests.translation.converse.made import CLAUDE, DIALECT, PROVIDER, addressee
from tests.translation.recordings import difference

_WHOLE: dict[str, Any] = {
    "system": [
        {"text": "Be brief."},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"guardContent": {"text": {}}},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Look.", "future": 1},
                {"cachePoint": {"type": "default"}},
                {"cachePoint": {"type": "default"}},
                {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                {"image": {"format": "jpg", "source": {"s3Location": {"uri": "s3://b/k", "bucketOwner": "1"}}}},
                {"document": {"format": "pdf", "name": "a_b", "source": {"bytes": "YQ=="}, "context": ""}},
                {"document": {"name": "n", "source": {"content": [{"text": "one"}, {"text": "two"}]}}},
                {
                    "document": {
                        "format": "md",
                        "name": "n",
                        "source": {"text": "x"},
                        "citations": {"enabled": True},
                    }
                },
                {"video": {"format": "three_gp", "source": {"bytes": "YQ=="}}},
                {"audio": {"format": "mp3", "source": {"bytes": "YQ=="}, "new": []}},
                {"searchResult": {"source": "s", "title": "t", "content": []}},
                {"toolAddition": {"tool": {"name": "x"}}},
            ],
            "more": None,
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "Eu8B"}}},
                {"reasoningContent": {"reasoningText": {"text": "Plain."}}},
                {"reasoningContent": {"redactedContent": base64.b64encode(b"EvQC").decode()}},
                {"reasoningContent": {"redactedContent": "/w=="}},
                {
                    "citationsContent": {
                        "content": [{"text": "It "}, {"text": "is."}],
                        "citations": [{"title": ""}],
                    }
                },
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"n": 1.0}, "type": "tool_use"}},
                {"toolUse": {"toolUseId": "t2", "name": "g", "input": [1]}},
                {"toolUse": {"toolUseId": "t3", "name": "h", "input": {}, "type": "server_tool_use"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"a": 1}}], "status": "success"}},
                {"toolResult": {"toolUseId": "t2", "content": [{"json": [1]}, {"text": "b"}], "status": "odd"}},
                {"toolResult": {"toolUseId": "t4", "content": []}},
                {"toolResult": {"toolUseId": "t3", "content": [], "type": "x_result"}},
            ],
        },
        {"role": "system", "content": [{"text": "Now rhyme."}]},
        {"role": "user", "content": []},
        {"role": "user", "content": [{"text": ""}]},
    ],
    "inferenceConfig": {"maxTokens": 10, "temperature": 0, "topP": 1.0, "stopSequences": ["|"], "new": 1},
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {}}, "strict": True}},
            {"cachePoint": {"type": "default"}},
            {"systemTool": {"name": "nova_grounding"}},
            {"cachePoint": {"type": "default"}},
            {"toolSpec": {"name": "g", "description": "", "inputSchema": {}}},
        ],
        "toolChoice": {"tool": {"name": "f"}},
    },
    "additionalModelRequestFields": {
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
        "inferenceConfig": {"topK": 3},
        "anthropic_beta": ["x"],
    },
    "additionalModelResponseFieldPaths": ["/stop_sequence"],
    "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    "performanceConfig": {"latency": "optimized"},
    "serviceTier": {"type": "priority"},
    "requestMetadata": {"team": "red"},
    "promptVariables": {"v": {"text": "x"}},
    "outputConfig": {
        "effort": "low",
        "textFormat": {
            "type": "json_schema",
            "structure": {"jsonSchema": {"schema": '{ "type": "object" }', "name": "n"}},
        },
    },
    "future": {"x": None},
}


def test_everything_comes_back_equal() -> None:
    """Known, odd and unknown members alike, in the same shape."""
    request = DIALECT.decode_request(_WHOLE, CLAUDE, stream=True)
    to = addressee()
    assert difference(_WHOLE, PROVIDER.encode_request(request, to)) == ""
    assert to.losses.warning() == ""
    assert request.stream
    assert request.model == CLAUDE


def test_the_pivot_knows_what_was_said() -> None:
    """Fields of the pivot hold what other shapes need."""
    request = DIALECT.decode_request(_WHOLE, CLAUDE, stream=False)
    system, look, answer, results, rhyme = request.messages[:5]
    first = system.parts[0]
    assert isinstance(first, Text)
    assert (first.text, first.cache and first.cache.ttl_s) == ("Be brief.", 3600)
    assert [type(part) for part in look.parts] == [
        *(Text, Opaque, Image, Image, Document, Document, Document, Video, Audio, Opaque, Opaque)
    ]
    sources = [part.source for part in look.parts if isinstance(part, Image | Document | Video | Audio)]
    assert sources == [
        Inline("image/png", "aGk="),
        Link("s3://b/k", "image/jpg"),
        Inline("application/pdf", "YQ=="),
        Plain("onetwo"),
        Plain("x"),
        Inline("video/3gpp", "YQ=="),
        Inline("audio/mpeg", "YQ=="),
    ]
    thinking = [part for part in answer.parts if isinstance(part, Thinking)]
    assert [(each.text, each.signature, each.sealed) for each in thinking] == [
        ("Hm.", Signature("anthropic", "Eu8B"), None),
        ("Plain.", None, None),
        ("", None, Signature("anthropic", "EvQC")),
        ("", None, Signature("converse", "/w==")),
    ]
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    assert [(call.id, call.name, call.arguments) for call in calls] == [
        ("t1", "f", '{"n":1.0}'),
        ("t2", "g", "[1]"),
    ]
    found = [part for part in results.parts if isinstance(part, ToolResult)]
    assert [(each.value, text_of(each.content), each.is_error) for each in found] == [
        ({"a": 1}, "", False),
        (None, "[1]b", None),
        (None, "", None),
    ]
    assert rhyme.role == "system"


def test_the_pivot_knows_the_parameters() -> None:
    """Sampling, tools, thinking, the answer's form, tier and metadata."""
    request = DIALECT.decode_request(_WHOLE, CLAUDE, stream=False)
    assert (request.max_output_tokens, request.temperature, request.top_p, request.top_k) == (10, 0, 1.0, 3)
    assert request.stop == ("|",)
    assert request.service_tier == "priority"
    assert request.metadata == {"team": "red"}
    first, built_in, point, last = request.tools
    assert first == FunctionTool("f", "d", {}, strict=True, cache=CacheHint())
    assert isinstance(built_in, OpaqueTool)
    assert isinstance(point, OpaqueTool)
    assert isinstance(last, FunctionTool)
    assert last.parameters is None
    assert request.tool_choice == ToolChoice("named", "f")
    assert request.reasoning is not None
    assert request.reasoning.budget_tokens == 2000
    assert request.reasoning.effort == "low"
    assert request.output is not None
    assert replace(request.output, extras=None) == OutputFormat("schema", {"type": "object"}, "n")


def test_a_change_in_the_pivot_is_sent() -> None:
    """What was kept does not shadow what is known."""
    request = DIALECT.decode_request(_WHOLE, CLAUDE, stream=False)
    user = replace(request.messages[1], parts=(replace(request.messages[1].parts[0], text="See."),))  # pyright: ignore[reportCallIssue]
    call = ToolCall("t9", "f2", '{"n":2}')
    assert request.reasoning is not None
    assert request.output is not None
    changed = replace(
        request,
        messages=(user, replace(request.messages[2], parts=(call,))),
        max_output_tokens=99,
        temperature=None,
        top_k=7,
        stop=("!",),
        tools=(FunctionTool("f2", parameters={"type": "object"}),),
        tool_choice=ToolChoice("required"),
        reasoning=replace(request.reasoning, budget_tokens=3000, effort="high"),
        output=replace(request.output, schema={"type": "array"}),
        service_tier="flex",
        metadata={"team": "blue"},
    )
    body = PROVIDER.encode_request(changed, addressee())
    assert body["messages"] == [
        {
            "role": "user",
            "content": [{"text": "See.", "future": 1}, {"cachePoint": {"type": "default"}}],
            "more": None,
        },
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t9", "name": "f2", "input": {"n": 2}}}]},
    ]
    assert "system" not in body
    assert body["inferenceConfig"] == {"maxTokens": 99, "topP": 1.0, "stopSequences": ["!"], "new": 1}
    assert body["toolConfig"]["tools"] == [
        {"toolSpec": {"name": "f2", "inputSchema": {"json": {"type": "object"}}}}
    ]
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    fields = body["additionalModelRequestFields"]
    assert fields["thinking"]["budget_tokens"] == 3000
    assert fields["inferenceConfig"] == {"topK": 7}
    assert body["outputConfig"]["effort"] == "high"
    definition = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(definition["schema"]) == {"type": "array"}
    assert body["serviceTier"] == {"type": "flex"}
    assert body["requestMetadata"] == {"team": "blue"}


@pytest.mark.parametrize(
    ("fields", "effort", "budget", "enabled"),
    [
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "max", None, True),
        ({"thinking": {"type": "disabled"}}, None, None, False),
        ({"reasoning_config": {"type": "enabled", "budget_tokens": 1024}}, None, 1024, True),
        ({"reasoning_config": "high"}, "high", None, None),
        ({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, "low", None, True),
        ({"reasoning_effort": "medium"}, "medium", None, None),
    ],
)
def test_thinking_is_read_in_every_familys_words(
    fields: dict[str, Any], effort: str | None, budget: int | None, enabled: bool | None
) -> None:
    """And goes back in the same words."""
    body: dict[str, Any] = {"messages": [], "additionalModelRequestFields": fields}
    wish = DIALECT.decode_request(body, CLAUDE, stream=False).reasoning
    assert wish is not None
    assert (wish.effort, wish.budget_tokens, wish.enabled) == (effort, budget, enabled)
    request = DIALECT.decode_request(body, CLAUDE, stream=False)
    assert difference(body, PROVIDER.encode_request(request, addressee())) == ""


def test_what_travelled_in_ids_and_seals_comes_out() -> None:
    """Thinking in a call's id stands before the call; a wrapped seal has its own signer."""
    seal = Signature("gemini", "c2ln")
    body: dict[str, Any] = {
        "messages": [
            {
                "role": "assistant",
                "content": [
                    {
                        "reasoningContent": {
                            "reasoningText": {"text": "A.", "signature": wrap(seal, "anthropic")}
                        }
                    },
                    {
                        "toolUse": {
                            "toolUseId": into_id("c1", (Thinking("B.", seal),), seal),
                            "name": "f",
                            "input": {},
                        }
                    },
                ],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": into_id("c1", (), seal), "content": []}}],
            },
        ]
    }
    request = DIALECT.decode_request(body, CLAUDE, stream=False)
    assert request.messages[0].parts == (
        Thinking("A.", seal),
        Thinking("B.", seal),
        ToolCall("c1", "f", "{}", signature=seal),
    )
    assert request.messages[1].parts == (ToolResult("c1"),)
    sent = PROVIDER.encode_request(request, addressee())
    assert sent["messages"][0]["content"] == [{"toolUse": {"toolUseId": "c1", "name": "f", "input": {}}}]


_MISTAKES: list[tuple[Any, str]] = [
    ({"messages": {}}, "messages"),
    ({"messages": [{"role": "tool", "content": []}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
    ({"messages": [{"role": "user", "content": [{"text": 1}]}]}, "messages[0].content[0].text"),
    ({"inferenceConfig": {"maxTokens": "1"}}, "inferenceConfig.maxTokens"),
    ({"toolConfig": {"tools": [{"toolSpec": {}}]}}, "toolConfig.tools[0].toolSpec.name"),
    ({"serviceTier": "flex"}, "serviceTier"),
]


@pytest.mark.parametrize(("body", "where"), _MISTAKES)
def test_a_clients_mistake_is_named(body: dict[str, Any], where: str) -> None:
    """The path of the field that has the wrong type."""
    with pytest.raises(ShapeError) as wrong:
        DIALECT.decode_request(body, CLAUDE, stream=False)
    assert wrong.value.where == where
