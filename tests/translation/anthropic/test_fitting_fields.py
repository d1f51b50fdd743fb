"""Tools, output and other fields of foreign requests are brought to what the Messages API takes."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.chat import FunctionTool, OpaqueTool, OutputFormat, ToolChoice
from penstock.providers.anthropic.api import AnthropicProvider
from penstock.providers.anthropic.count import encode_count
from tests.translation.anthropic.speaking import asked, sent, system, to, user

_TOOL = FunctionTool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})


def test_tools_and_choices() -> None:
    """Functions keep their schema; free text gets one; other vendors' own tools are lost."""
    target = to()
    body = sent(
        asked(
            tools=(
                _TOOL,
                FunctionTool("bare"),
                FunctionTool("free", type="custom"),
                OpaqueTool("openai.responses", {"type": "web_search"}),
                FunctionTool(
                    "strict", parameters={"properties": {"n": {"type": "integer", "minimum": 1}}}, strict=True
                ),
            ),
            tool_choice=ToolChoice("required"),
            parallel_tool_calls=False,
        ),
        target,
    )
    assert body["tools"] == [
        {"name": "look", "description": "Looks.", "input_schema": _TOOL.parameters},
        {"name": "bare", "input_schema": {"type": "object", "properties": {}}},
        {
            "name": "free",
            "input_schema": {
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
            },
        },
        {
            "name": "strict",
            "strict": True,
            "input_schema": {
                "type": "object",
                "properties": {"n": {"type": "integer", "description": "minimum: 1"}},
                "additionalProperties": False,
            },
        },
    ]
    assert body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert target.losses.warning() == "dropped=tool.opaque; mapped=tool.custom"


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), True, {"type": "auto"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("named", "look"), None, {"type": "tool", "name": "look"}),
    ],
)
def test_which_tool_must_be_called(choice: ToolChoice | None, parallel: bool | None, expected: Any) -> None:
    """Each choice in the API's words, with or without several calls at a time."""
    body = sent(asked(tools=(_TOOL,), tool_choice=choice, parallel_tool_calls=parallel))
    assert body.get("tool_choice") == expected


def test_a_choice_without_tools_is_left_out() -> None:
    """The API refuses a choice where there is nothing to choose."""
    assert "tool_choice" not in sent(asked(tool_choice=ToolChoice("auto"), parallel_tool_calls=False))


def test_models_that_cannot_be_forced_are_asked() -> None:
    """Where no tool may be insisted on, the choice is left to the model, and that is noted."""
    target = to("claude-opus-5-5")
    body = sent(asked(tools=(_TOOL,), tool_choice=ToolChoice("named", "look")), target)
    assert body["tool_choice"] == {"type": "auto"}
    assert target.losses.warning() == "mapped=tool_choice"


def test_structured_output_is_native_where_the_model_has_it() -> None:
    """The schema is closed, and bounds that the API refuses are told in words."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "n": {"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 3, "description": "Some"}
        },
        "$defs": {"n": {"oneOf": [{"type": "object", "properties": {}}, {"type": "string", "format": "ssn"}]}},
    }
    body = sent(asked(output=OutputFormat("schema", schema, "out")))
    assert body["output_config"] == {
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "n": {"type": "array", "items": {"$ref": "#/$defs/n"}, "description": "Some (maxItems: 3)"}
                },
                "$defs": {
                    "n": {
                        "anyOf": [
                            {"type": "object", "properties": {}, "additionalProperties": False},
                            {"type": "string", "description": 'format: "ssn"'},
                        ]
                    }
                },
            },
        }
    }


def test_structured_output_is_a_forced_tool_where_the_model_has_none() -> None:
    """An older model gets a tool named after the schema, and has to call it."""
    target = to("claude-sonnet-4-20250514")
    body = sent(asked(output=OutputFormat("schema", {"type": "object", "properties": {}}, "my out")), target)
    assert [tool["name"] for tool in body["tools"]] == ["my_out"]
    assert body["tool_choice"] == {"type": "tool", "name": "my_out"}
    assert target.losses.warning() == "mapped=output.schema"


def test_any_json_is_asked_for_in_words() -> None:
    """The API has no mode for JSON without a schema."""
    target = to()
    body = sent(asked(system("Be brief."), user("Hi"), output=OutputFormat("json")), target)
    assert [each["text"] for each in body["system"]] == [
        "Be brief.",
        "Answer with one JSON object and nothing else.",
    ]
    assert target.losses.warning() == "mapped=output.json"


def test_stop_sequences_user_tier_and_stream() -> None:
    """Stop sequences of white space are lost; user and tier have their own names here."""
    target = to()
    body = sent(asked(stop=("END", "\n"), user="u1", service_tier="default", stream=True), target)
    assert body["stop_sequences"] == ["END"]
    assert body["metadata"] == {"user_id": "u1"}
    assert body["service_tier"] == "standard_only"
    assert body["stream"] is True
    assert target.losses.warning() == "dropped=stop"


def test_fields_without_an_equal_are_named() -> None:
    """What changes the answer and cannot be said is noted; what asks for nothing is not."""
    target = to()
    sent(
        asked(
            frequency_penalty=0.5,
            presence_penalty=0,
            seed=1,
            choices=2,
            logprobs=True,
            logit_bias={"1": 2},
            verbosity="low",
            modalities=("text", "audio"),
            metadata={"a": "b"},
            cache_key="k",
            store=True,
        ),
        target,
    )
    assert target.losses.dropped == [
        "frequency_penalty", "seed", "choices", "logprobs", "logit_bias", "verbosity", "modalities"
    ]  # fmt: skip


def test_counting_asks_for_nothing_else() -> None:
    """A request that is only counted has no bound, no temperature and no stream."""
    body = encode_count(asked(temperature=0.5, stream=True, tools=(_TOOL,)), to())
    assert set(body) == {"model", "messages", "tools"}


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (AnthropicProvider("vertex"), {"anthropic_version": "vertex-2023-10-16", "stream": True}),
        (AnthropicProvider("bedrock"), {"anthropic_version": "bedrock-2023-05-31"}),
    ],
)
def test_clouds_have_the_model_in_the_path(provider: AnthropicProvider, expected: dict[str, Any]) -> None:
    """Their bodies name the API's version and no model."""
    body = provider.encode_request(asked(stream=True), to())
    assert body == {**expected, "max_tokens": 4096, "messages": [{"role": "user", "content": "Hi"}]}
