"""Conversations in no vendor's words become requests to Google."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    Message,
    OpaqueTool,
    OutputFormat,
    Reasoning,
    ToolChoice,
)
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import (
    Audio,
    Document,
    FileRef,
    Image,
    Inline,
    Link,
    Part,
    Plain,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.core.profile import Profile, profile_for
from penstock.providers.gemini.profile import DEFAULT, ROWS
from tests.translation.gemini.replay import PROVIDER, to

SECOND = profile_for("gemini-2.0-flash", ROWS, DEFAULT)
BUDGET = profile_for("gemini-2.5-flash", ROWS, DEFAULT)
PRO = profile_for("gemini-3-pro-preview", ROWS, DEFAULT)


def _user(*parts: Part | str) -> Message:
    return Message("user", tuple([Text(each) if isinstance(each, str) else each for each in parts]))


def _model(*parts: Part | str) -> Message:
    return Message("assistant", tuple([Text(each) if isinstance(each, str) else each for each in parts]))


def _encode(*messages: Message, profile: Profile = DEFAULT, losses: Losses | None = None, **fields: Any) -> Any:
    request = ChatRequest(model="x", messages=messages, **fields)
    return PROVIDER.encode_request(request, to(profile=profile, losses=losses))


def test_system_messages_are_gathered_from_wherever_they_stand() -> None:
    """Google has one instruction beside the turns."""
    body = _encode(
        Message("developer", (Text("Be brief."),)),
        _user("hello"),
        Message("system", (Text("Be kind."),)),
        _model("hi"),
        _user("again"),
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hello"}]},
            {"role": "model", "parts": [{"text": "hi"}]},
            {"role": "user", "parts": [{"text": "again"}]},
        ],
    }


def test_a_request_of_instructions_alone_asks_them_as_the_user() -> None:
    """Contents may not be empty."""
    assert _encode(Message("system", (Text("Say hi."),))) == {
        "contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]
    }


def test_neighbours_are_joined_and_empty_content_is_left_out() -> None:
    """Google refuses empty parts, and turns alternate."""
    body = _encode(_user("a"), _user("", "b"), _model(""), _model("c"), Message("user", ()))
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "c"}]},
    ]


def test_media_go_inline_or_by_address() -> None:
    """Pictures, sound, films and documents, with the media type that Google wants to know."""
    body = _encode(
        _user(
            Image(Inline("image/jpg", "AAAA")),
            Image(Link("https://example.org/cat.png?size=1")),
            Image(Link("gs://bucket/cat", "image/webp")),
            Audio(Inline("", "BBBB"), format="mp3"),
            Video(Link("https://www.youtube.com/watch?v=1")),
            Document(Inline("application/pdf", "CCCC"), name="a.pdf", title="A report"),
            Document(Plain("plain words")),
            Document(FileRef("https://generativelanguage.googleapis.com/v1beta/files/f1", "application/pdf")),
        )
    )
    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.org/cat.png?size=1"}},
        {"fileData": {"mimeType": "image/webp", "fileUri": "gs://bucket/cat"}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "BBBB"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://www.youtube.com/watch?v=1"}},
        {"text": "A report"},
        {"inlineData": {"mimeType": "application/pdf", "data": "CCCC"}},
        {"inlineData": {"mimeType": "text/plain", "data": "cGxhaW4gd29yZHM="}},
        {
            "fileData": {
                "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/f1",
                "mimeType": "application/pdf",
            }
        },
    ]


def test_a_file_of_another_vendor_is_a_loss() -> None:
    """Google cannot read what was uploaded elsewhere."""
    losses = Losses()
    body = _encode(_user("see", Document(FileRef("file-abc"))), losses=losses)
    assert body["contents"][0]["parts"] == [{"text": "see"}]
    assert losses.warning() == "dropped=document.file"
    with pytest.raises(UnsupportedError):
        _encode(_user(Document(FileRef("file-abc"))), losses=Losses("error"))


def test_parallel_calls_and_their_results_stand_in_one_content_each() -> None:
    """Results are named by function, in the order of the calls, and apart from what else the user says."""
    body = _encode(
        _user("weather?"),
        _model("Looking.", ToolCall("c1", "weather", '{"city":"Rome"}'), ToolCall("c2", "time", "")),
        Message("tool", (ToolResult("c2", content=(Text("noon"),)),)),
        Message("tool", (ToolResult("c1", content=(Text("no such city"),), is_error=True),)),
        _user("well?"),
        profile=BUDGET,
    )
    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Looking."},
                {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rome"}}},
                {"functionCall": {"id": "c2", "name": "time", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "weather",
                        "response": {"error": "no such city"},
                    }
                },
                {"functionResponse": {"id": "c2", "name": "time", "response": {"output": "noon"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "well?"}]},
    ]


def test_a_result_with_a_picture_goes_inside_or_beside() -> None:
    """Models of the third generation take media in a response; older ones get them as the next content."""
    messages = (
        _user("draw"),
        _model(ToolCall("c1", "draw", "{}")),
        _user(ToolResult("c1", content=(Text("done"), Image(Inline("image/png", "AAAA"))))),
    )
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    said = {"id": "c1", "name": "draw", "response": {"output": "done"}}
    assert _encode(*messages)["contents"][2]["parts"] == [{"functionResponse": {**said, "parts": [picture]}}]
    losses = Losses()
    old = _encode(*messages, profile=BUDGET, losses=losses)["contents"]
    assert old[2:] == [
        {"role": "user", "parts": [{"functionResponse": said}]},
        {"role": "user", "parts": [picture]},
    ]
    assert losses.warning() == "mapped=tool_result.media"


def test_a_json_result_is_the_response_itself() -> None:
    """An object is what Google wants; another value stands under the documented key."""
    body = _encode(
        _model(ToolCall("c1", "f", "{}"), ToolCall("c2", "g", "{}")),
        _user(ToolResult("c1", value={"n": 1}), ToolResult("c2", value=[1, 2])),
    )
    responses = [each["functionResponse"]["response"] for each in body["contents"][1]["parts"]]
    assert responses == [{"n": 1}, {"output": [1, 2]}]


def test_calls_of_other_models_carry_the_documented_signature() -> None:
    """Models that check signatures refuse a step whose first call has none."""
    messages = (
        _user("go"),
        _model(
            Thinking("hm", Signature("anthropic", "sig")), ToolCall("c1", "f", "{}"), ToolCall("c2", "g", "{}")
        ),
        _user(ToolResult("c1", value={}), ToolResult("c2", value={})),
    )
    third = _encode(*messages)["contents"][1]["parts"]
    assert [each.get("thoughtSignature") for each in third] == ["skip_thought_signature_validator", None]
    second = _encode(*messages, profile=BUDGET)["contents"][1]["parts"]
    assert [each.get("thoughtSignature") for each in second] == [None, None]


def test_own_seals_come_back_and_foreign_thinking_stays_behind() -> None:
    """A signature goes only to the vendor that can check it."""
    losses = Losses()
    body = _encode(
        _model(
            Thinking("mine", Signature("gemini", "AAA")),
            Thinking("theirs", Signature("anthropic", "BBB")),
            Thinking(sealed=Signature("openai.responses", "CCC")),
            Thinking("nobody's"),
            Text("so", signature=Signature("gemini", "DDD")),
            ToolCall("c1", "f", "{}", signature=Signature("gemini", "EEE")),
        ),
        losses=losses,
    )
    assert body["contents"][0]["parts"] == [
        {"text": "mine", "thought": True, "thoughtSignature": "AAA"},
        {"text": "so", "thoughtSignature": "DDD"},
        {"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "EEE"},
    ]
    assert not losses.warning()


def test_refusals_and_free_text_arguments_are_said_as_they_can_be() -> None:
    """A refusal is text; arguments that are no object stand under one name."""
    body = _encode(
        _model(Refused("I would rather not."), ToolCall("c1", "run", "print(1)", "custom")), profile=BUDGET
    )
    assert body["contents"][0]["parts"] == [
        {"text": "I would rather not."},
        {"functionCall": {"id": "c1", "name": "run", "args": {"input": "print(1)"}}},
    ]


def test_sampling_is_spelled_as_google_does() -> None:
    """Every field with an equivalent has it."""
    body = _encode(
        _user("x"),
        max_output_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=7,
        choices=2,
        seed=1,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        stop=("A", "B"),
        modalities=("text", "image"),
        service_tier="default",
        user="u",
        metadata={"a": "b"},
        store=True,
        cache_key="k",
    )
    assert body["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 7,
        "candidateCount": 2,
        "seed": 1,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
        "stopSequences": ["A", "B"],
        "responseModalities": ["TEXT", "IMAGE"],
    }
    assert set(body) == {"contents", "generationConfig", "serviceTier"}
    assert body["serviceTier"] == "standard"


def test_what_google_cannot_take_is_noted() -> None:
    """Losses are named by the pivot's fields."""
    losses = Losses()
    body = _encode(
        _user("x"),
        logit_bias={"1": 2.0},
        verbosity="low",
        parallel_tool_calls=False,
        stop=tuple("abcdefg"),
        service_tier="scale",
        tools=(FunctionTool("f"), OpaqueTool("anthropic", {"type": "web_search_20250305"})),
        losses=losses,
    )
    assert body["generationConfig"] == {"stopSequences": list("abcde")}
    assert set(losses.dropped) == {
        "logit_bias",
        "verbosity",
        "parallel_tool_calls",
        "tool.opaque",
        "service_tier",
    }
    assert losses.mapped == ["stop"]


SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": ["integer", "null"]}},
    "required": ["n"],
    "additionalProperties": False,
}


def test_tools_are_declared_in_one_group() -> None:
    """JSON schema goes as it is where the model takes it, else as Google's subset."""
    tools = (FunctionTool("f", "does f", SCHEMA), FunctionTool("g"))
    body = _encode(_user("x"), tools=tools)
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "does f", "parametersJsonSchema": SCHEMA},
                {"name": "g"},
            ]
        }
    ]
    old = _encode(_user("x"), tools=tools, profile=SECOND)["tools"][0]["functionDeclarations"][0]
    assert old["parameters"] == {
        "type": "OBJECT",
        "properties": {"n": {"type": "INTEGER", "nullable": True}},
        "required": ["n"],
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", "f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_the_choice_of_tools_is_a_mode(choice: ToolChoice, expected: Any) -> None:
    """One named function is a list of one that is allowed."""
    body = _encode(_user("x"), tools=(FunctionTool("f"),), tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": expected}


def test_structured_output_is_asked_for_by_schema() -> None:
    """The media type says JSON; the schema goes where the model takes it."""
    form = OutputFormat("schema", SCHEMA, "answer", strict=True)
    assert _encode(_user("x"), output=form)["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    old = _encode(_user("x"), output=form, profile=SECOND)["generationConfig"]
    assert old["responseSchema"]["type"] == "OBJECT"
    plain = _encode(_user("x"), output=OutputFormat("json"))["generationConfig"]
    assert plain == {"responseMimeType": "application/json"}
    assert "generationConfig" not in _encode(_user("x"), output=OutputFormat("text"))


@pytest.mark.parametrize(
    ("reasoning", "profile", "expected"),
    [
        (Reasoning("low"), PRO, {"thinkingLevel": "LOW", "includeThoughts": True}),
        (Reasoning("medium"), PRO, {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (Reasoning(budget_tokens=900), PRO, {"thinkingLevel": "LOW", "includeThoughts": True}),
        (Reasoning("low", summary="none"), PRO, {"thinkingLevel": "LOW"}),
        (Reasoning("medium"), BUDGET, {"thinkingBudget": 8192, "includeThoughts": True}),
        (Reasoning(budget_tokens=900), BUDGET, {"thinkingBudget": 900, "includeThoughts": True}),
        (Reasoning(enabled=False), BUDGET, {"thinkingBudget": 0}),
        (Reasoning(enabled=True), BUDGET, {"thinkingBudget": -1, "includeThoughts": True}),
        (Reasoning("high"), SECOND, None),
    ],
)
def test_thinking_is_told_as_the_generation_wants_it(
    reasoning: Reasoning, profile: Profile, expected: Any
) -> None:
    """A level for one generation, a budget for the other, nothing for models that do not think."""
    body = _encode(_user("x"), reasoning=reasoning, profile=profile)
    assert body.get("generationConfig", {}).get("thinkingConfig") == expected
