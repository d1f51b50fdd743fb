"""Parameters, tools and the answer's form of other shapes, for Bedrock's families of models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    OpaqueTool,
    OutputFormat,
    Reasoning,
    ToolChoice,
)
from penstock.core.losses import UnsupportedError
from penstock.core.parts import (
    CacheHint,
    Document,
    Extras,
    Opaque,
    Plain,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.translation.converse.made import (
    CLAUDE,
    GPT_OSS,
    LLAMA,
    NEW_CLAUDE,
    NOVA,
    OLD_CLAUDE,
    PROVIDER,
    addressee,
    ask,
    said,
    sent,
)

_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_WEATHER = FunctionTool("weather", "How the weather is", _SCHEMA)
_SPEC = {"toolSpec": {"name": "weather", "description": "How the weather is", "inputSchema": {"json": _SCHEMA}}}


def test_cache_hints_become_cache_points() -> None:
    """After the part, the tool or the system text; five minutes go unsaid; gpt-oss has no cache."""
    request = ChatRequest(
        model="m",
        messages=(
            said("system", Text("Long.", cache=CacheHint(300))),
            said("user", Text("Also long.", cache=CacheHint(3600))),
        ),
        tools=(FunctionTool("t", parameters=_SCHEMA, cache=CacheHint()),),
    )
    body, losses = sent(request)
    assert body["system"] == [{"text": "Long."}, {"cachePoint": {"type": "default"}}]
    assert body["messages"][0]["content"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    body, losses = sent(request, GPT_OSS)
    assert "cachePoint" not in json.dumps(body)
    assert losses.warning() == ""


def test_the_form_of_the_answer() -> None:
    """Natively as closed JSON text without bounds; by a forced tool for older models; JSON mode in words."""
    schema = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}}
    request = ask("Who?", output=OutputFormat("schema", schema, "person", "A person", strict=True))
    body, losses = sent(request)
    definition = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(definition.pop("schema")) == {
        "type": "object",
        "properties": {"age": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert definition == {"name": "person", "description": "A person"}
    assert losses.mapped == ["output.schema"]
    body, losses = sent(request, OLD_CLAUDE)
    assert body["toolConfig"] == {
        "tools": [{"toolSpec": {"name": "person", "description": "A person", "inputSchema": {"json": schema}}}],
        "toolChoice": {"tool": {"name": "person"}},
    }
    assert losses.mapped == ["output.schema"]
    body, losses = sent(ask("Who?", output=OutputFormat("json")))
    assert body["system"] == [{"text": "Answer with one JSON object and nothing else."}]
    assert losses.mapped == ["output"]


@pytest.mark.parametrize(
    ("model", "wish", "limit", "fields"),
    [
        (CLAUDE, Reasoning(budget_tokens=2000), None, {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        (CLAUDE, Reasoning("medium"), None, {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        (CLAUDE, Reasoning("high"), 5000, {"thinking": {"type": "enabled", "budget_tokens": 4000}}),
        (CLAUDE, Reasoning("low"), 500, None),
        (CLAUDE, Reasoning(enabled=False), None, None),
        (CLAUDE, Reasoning("none"), None, None),
        (NEW_CLAUDE, Reasoning(enabled=True), None, {"thinking": {"type": "adaptive"}}),
        (
            NEW_CLAUDE,
            Reasoning("minimal"),
            None,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        (
            NEW_CLAUDE,
            Reasoning(budget_tokens=20000),
            None,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        (NOVA, Reasoning("high"), None, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        (GPT_OSS, Reasoning("xhigh"), None, {"reasoning_effort": "high"}),
        ("qwen.qwen3-32b-v1:0", Reasoning("high"), None, {"reasoning_config": "high"}),
        (LLAMA, Reasoning("high"), None, None),
    ],
)
def test_thinking_in_the_words_of_each_family(
    model: str, wish: Reasoning, limit: int | None, fields: Any
) -> None:
    """Budgets leave room for the answer; effort words are the nearest known ones."""
    body, _ = sent(ask("Hi.", reasoning=wish, max_output_tokens=limit), model)
    assert body.get("additionalModelRequestFields") == fields


def test_what_thinking_excludes_on_claude() -> None:
    """No temperature, no top_k; a forced tool excludes thinking itself, where the model can do without."""
    request = ask("Hi.", reasoning=Reasoning("low"), temperature=0.2, top_k=5, tools=(_WEATHER,))
    body, losses = sent(request)
    assert "inferenceConfig" not in body
    assert losses.dropped == ["top_k", "temperature"]
    forced = replace(request, tool_choice=ToolChoice("required"), temperature=None, top_k=None)
    body, losses = sent(forced)
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    assert "additionalModelRequestFields" not in body
    assert losses.dropped == ["reasoning"]
    body, losses = sent(forced, "us.anthropic.claude-opus-5-5")
    assert body["toolConfig"]["toolChoice"] == {"auto": {}}
    assert body["additionalModelRequestFields"]["output_config"] == {"effort": "low"}
    assert (losses.mapped, losses.dropped) == (["tool_choice"], [])
    _, losses = sent(ask("Hi.", reasoning=Reasoning(enabled=False)), "anthropic.claude-fable-5")
    assert losses.dropped == ["reasoning"]


def test_what_the_highest_effort_excludes_on_nova() -> None:
    """No sampling parameters, and no bound of the output: with a bound the effort is lower."""
    request = ask("Hi.", reasoning=Reasoning("high"), temperature=0.2, top_p=0.5)
    body, losses = sent(request, NOVA)
    assert "inferenceConfig" not in body
    assert losses.dropped == ["temperature", "top_p"]
    body, losses = sent(ask("Hi.", reasoning=Reasoning("high"), max_output_tokens=99), NOVA)
    assert body["additionalModelRequestFields"]["reasoningConfig"]["maxReasoningEffort"] == "medium"
    assert losses.mapped == ["reasoning.effort"]


def test_top_k_and_temperature_by_family() -> None:
    """`top_k` is among the model's own fields; a temperature above Bedrock's scale is its top."""
    request = ask("Hi.", top_k=5, temperature=1.5)
    body, losses = sent(request)
    assert body["additionalModelRequestFields"] == {"top_k": 5}
    assert body["inferenceConfig"] == {"temperature": 1.0}
    assert losses.mapped == ["temperature"]
    assert sent(request, NOVA)[0]["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}
    assert sent(request, LLAMA)[1].dropped == ["top_k"]
    body, losses = sent(request, NEW_CLAUDE)
    assert "inferenceConfig" not in body
    assert losses.dropped == ["top_k", "temperature"]


def test_what_converse_has_nothing_for_is_named() -> None:
    """What changes the answer is reported; what does not is left out in silence."""
    request = ask(
        "Hi.",
        frequency_penalty=0.5,
        presence_penalty=0.5,
        seed=0,
        logit_bias={"1": 1.0},
        choices=2,
        logprobs=True,
        parallel_tool_calls=False,
        verbosity="low",
        modalities=("text", "audio"),
        audio={"voice": "x"},
        previous_response_id="resp_1",
        tools=(_WEATHER, OpaqueTool("anthropic", {"type": "bash_20250124", "name": "bash"})),
        store=True,
        user="u",
        cache_key="k",
    )
    body, losses = sent(request)
    assert set(body) == {"messages", "toolConfig"}
    assert sorted(losses.dropped) == [
        "audio",
        "choices",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "modalities",
        "parallel_tool_calls",
        "presence_penalty",
        "previous_response_id",
        "seed",
        "tool.opaque",
        "verbosity",
    ]
    with pytest.raises(UnsupportedError):
        PROVIDER.encode_request(request, addressee(CLAUDE, "error"))


def test_extras_of_other_shapes_do_not_leak() -> None:
    """Unknown fields, built-in tools' parts and names of another vendor are not sent."""
    foreign = Extras("openai.chat", {"x": 1})
    request = ChatRequest(
        model="m",
        messages=(said("user", Text("Hi.", extras=foreign), Opaque("anthropic", {"type": "server_tool_use"})),),
        extras=foreign,
    )
    assert sent(request)[0] == {"messages": [{"role": "user", "content": [{"text": "Hi."}]}]}


def test_custom_tools_take_one_text() -> None:
    """A tool for free text has an object with one member, and so have its calls."""
    request = ChatRequest(
        model="m",
        messages=(said("user", "Go."), said("assistant", ToolCall("c", "shell", "ls -l", "custom"))),
        tools=(FunctionTool("shell", type="custom"),),
    )
    body, _ = sent(request)
    assert body["messages"][1]["content"][0]["toolUse"]["input"] == {"input": "ls -l"}
    schema = body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]
    assert schema["properties"] == {"input": {"type": "string"}}


def test_tools_and_strictness_by_family() -> None:
    """A model without tools loses them; strictness is sent where the model has it."""
    request = ask("Hi.", tools=(FunctionTool("t", parameters=_SCHEMA, strict=True),))
    assert sent(request)[0]["toolConfig"]["tools"][0]["toolSpec"]["strict"] is True
    assert sent(request, OLD_CLAUDE)[1].dropped == ["tool.strict"]
    body, losses = sent(request, "us.deepseek.r1-v1:0")
    assert "toolConfig" not in body
    assert losses.dropped[-1] == "tools"


def test_text_documents_are_read_aloud_where_none_are_taken() -> None:
    """Nova Micro takes text alone."""
    body, losses = sent(
        ask("Sum up.", Document(Plain("Tea is hot."), title="Tea")), "us.amazon.nova-micro-v1:0"
    )
    assert body["messages"][0]["content"][1] == {"text": "Tea\n\nTea is hot."}
    assert losses.mapped == ["document"]


def test_a_budget_needs_the_thoughts_before() -> None:
    """Calls that came without a thought are answered without thinking, and so is an answer that goes on."""
    call, result = ToolCall("a", "f", "{}"), ToolResult("a", content=(Text("r"),))
    thought = Thinking("hm", Signature("anthropic", "c2VhbA=="))
    for turns, kept in (
        ((said("assistant", call), said("user", result)), False),
        ((said("assistant", thought, call), said("user", result)), True),
        ((said("assistant", "Once"),), False),
        ((said("assistant", "Hello."), said("user", "Go on.")), True),
    ):
        request = ask("Hi.", reasoning=Reasoning("low"))
        body, losses = sent(replace(request, messages=(*request.messages, *turns)))
        assert ("additionalModelRequestFields" in body) is kept
        assert losses.dropped == ([] if kept else ["reasoning"])
