"""The Gemini API: exact shapes, streams, signatures, tools, embeddings, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from tests.simulator.asking import WEATHER, Answer, ask

USER = {"role": "user", "parts": [{"text": "Say it, please."}]}
DECLARED = [
    {"name": name, "description": "d", "parametersJsonSchema": WEATHER} for name in ("weather", "tides")
]
TOOLS = [{"functionDeclarations": DECLARED}]
THOUGHTS: dict[str, Any] = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}


def gemini(model: str = "echo", action: str = "generateContent", query: str = "", **fields: object) -> Answer:
    """The answer to a request with one content, unless the fields say otherwise."""
    body = {"contents": [USER], **fields}
    return ask(f"/v1beta/models/{model}:{action}{query}", body)


def streamed(model: str = "echo", **fields: object) -> list[dict[str, Any]]:
    """The chunks of a stream of events."""
    answer = gemini(model, "streamGenerateContent", "?alt=sse", **fields)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return [value for _, value in answer.events]


def parts_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of the first candidate."""
    return value["candidates"][0]["content"]["parts"]


def refusal(**fields: Any) -> str:
    """The message of a 400 in Google's shape."""
    answer = gemini(**fields)
    assert answer.status == 400, answer
    error = answer.json["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    return error["message"]


def test_an_answer_has_the_documented_shape() -> None:
    """Candidates, usage, version and id, and nothing else."""
    value = gemini(systemInstruction={"parts": [{"text": "Be kind."}]}).json
    assert len(value.pop("responseId")) == 22
    assert value == {
        "candidates": [
            {
                "content": {"parts": [{"text": "Say it, please."}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 3 + 3 + 2 + 3 + 3,
            "candidatesTokenCount": 3,
            "totalTokenCount": 17,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 14}],
            "serviceTier": "standard",
        },
        "modelVersion": "echo",
    }


def test_a_stream_adds_up_to_the_answer() -> None:
    """Texts joined, the reason on the last chunk only, and usage that grows to the whole's."""
    whole = gemini("tokens-30").json
    chunks = streamed("tokens-30")
    said = "".join(part.get("text", "") for chunk in chunks for part in parts_of(chunk))
    assert said == parts_of(whole)[0]["text"]
    reasons = [chunk["candidates"][0].get("finishReason") for chunk in chunks]
    assert reasons == [None] * 30 + ["STOP"]
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]
    assert {chunk["responseId"] for chunk in chunks} == {whole["responseId"]}


def test_without_alt_sse_a_stream_is_a_json_array() -> None:
    """The same chunks, as one array; errors are in an array too."""
    answer = gemini("tokens-5", "streamGenerateContent")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == streamed("tokens-5")
    broken = gemini("error-after-2", "streamGenerateContent").json
    assert [set(each) for each in broken][-1] == {"error"}
    assert len(broken) == 3
    assert gemini("error-first+comments", "streamGenerateContent").json[0]["error"]["code"] == 503
    assert gemini("error-429", "streamGenerateContent").json[0]["error"]["code"] == 429


def test_thoughts_are_shown_when_asked_for() -> None:
    """Asked for, they are parts of their own; else only their tokens are reported."""
    shown = gemini("reasoning-7", **THOUGHTS).json
    assert parts_of(shown)[0]["thought"] is True
    assert parts_of(shown)[1]["thoughtSignature"]
    hidden = gemini("reasoning-7").json
    assert len(parts_of(hidden)) == 1
    for value in (shown, hidden):
        assert value["usageMetadata"]["thoughtsTokenCount"] == 7
        assert value["usageMetadata"]["totalTokenCount"] == 9 + 7 + 3
    chunks = streamed("reasoning-7", **THOUGHTS)
    assert [part.get("thought") for chunk in chunks for part in parts_of(chunk)] == [True] * 7 + [None] * 4
    assert parts_of(chunks[-1])[0]["thoughtSignature"] == parts_of(shown)[1]["thoughtSignature"]


def called(model: str = "parallel-tools") -> list[dict[str, Any]]:
    """The parts of an answer that calls two functions."""
    return parts_of(gemini(model, tools=TOOLS).json)


def turn_after(parts: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    """The conversation with every call answered."""
    answers = [
        {"functionResponse": {"id": call["id"], "name": call["name"], "response": {"result": "ok"}}}
        for call in (part["functionCall"] for part in parts if "functionCall" in part)
    ]
    contents = [USER, {"role": "model", "parts": parts}, {"role": "user", "parts": answers}]
    return {"contents": contents, "tools": TOOLS, **more}


def test_calls_are_signed_as_gemini_3_signs_them() -> None:
    """Only the first of parallel calls has a signature; streamed, the calls come whole and are the same."""
    parts = called()
    assert [part["functionCall"]["name"] for part in parts] == ["weather", "tides"]
    assert ["thoughtSignature" in part for part in parts] == [True, False]
    chunks = streamed("parallel-tools", tools=TOOLS)
    assert [part for chunk in chunks[:-1] for part in parts_of(chunk)] == parts
    assert gemini(**turn_after(parts)).json["candidates"][0]["content"]["parts"] == [
        {"text": "Say it, please."}
    ]


def test_a_signature_must_come_back_in_its_place() -> None:
    """Left out, changed or moved it is a 400; the words for calls of other models are taken."""
    parts = called()
    bare = [{"functionCall": part["functionCall"]} for part in parts]
    assert "is missing a thought_signature in functionCall parts" in refusal(**turn_after(bare))
    moved = [bare[0], bare[1] | {"thoughtSignature": parts[0]["thoughtSignature"]}]
    assert "is missing a thought_signature" in refusal(**turn_after(moved))
    changed = copy.deepcopy(parts)
    changed[0]["functionCall"]["args"] = {"city": "elsewhere"}
    assert refusal(**turn_after(changed)) == "Corrupted thought signature."
    foreign = [bare[0] | {"thoughtSignature": "c2lnbmVk"}, bare[1]]
    assert refusal(**turn_after(foreign)) == "Corrupted thought signature."
    skipped = [bare[0] | {"thoughtSignature": "skip_thought_signature_validator"}, bare[1]]
    assert gemini(**turn_after(skipped)).status == 200
    assert gemini("gemini-2.5-flash", **turn_after(bare)).status == 200


def test_only_the_current_turn_must_be_signed() -> None:
    """Calls before the last thing that the user said may have lost their signatures."""
    body = turn_after([{"functionCall": part["functionCall"]} for part in called()])
    body["contents"] += [{"role": "model", "parts": [{"text": "Fine."}]}, USER]
    assert gemini(**body).status == 200


def test_names_may_be_in_snake_case_and_lists_single() -> None:
    """Proto JSON takes both names of a field, and one item for a list."""
    body: dict[str, Any] = {
        "system_instruction": {"parts": {"text": "Be kind."}},
        "generation_config": {"max_output_tokens": 2, "stop_sequences": ["q"]},
        "tools": {"function_declarations": DECLARED},
        "tool_config": {"function_calling_config": {"mode": "NONE"}},
    }
    value = gemini("tokens-9", **body).json
    assert value["candidates"][0]["finishReason"] == "MAX_TOKENS"


@pytest.mark.parametrize(
    ("config", "calls"),
    [
        ({"mode": "ANY", "allowedFunctionNames": ["tides"]}, ["tides"]),
        ({"mode": "NONE"}, []),
        ({"mode": "auto"}, ["weather"]),
    ],
)
def test_the_calling_mode_is_followed(config: dict[str, Any], calls: list[str]) -> None:
    """Any, none and auto, and the names that are allowed."""
    parts = parts_of(gemini(tools=TOOLS, toolConfig={"functionCallingConfig": config}).json)
    assert [part["functionCall"]["name"] for part in parts if "functionCall" in part] == calls


@pytest.mark.parametrize(
    "schema",
    [
        {"responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "enum": ["x"]}}}},
        {"responseJsonSchema": {"type": "object", "properties": {"a": {"const": "x"}}}},
    ],
)
def test_json_mode_conforms(schema: dict[str, Any]) -> None:
    """Google's own schemas and JSON Schemas are both honoured."""
    value = gemini(generationConfig={"responseMimeType": "application/json", **schema}).json
    assert msgspec.json.decode(parts_of(value)[0]["text"]) == {"a": "x"}


def test_blocks_and_filters_look_like_googles() -> None:
    """A blocked prompt has no candidates; a filtered answer has a reason and ratings."""
    for value in (gemini("safety-block").json, streamed("safety-block")[0]):
        assert "candidates" not in value
        assert value["promptFeedback"]["blockReason"] == "SAFETY"
    filtered = gemini("content-filter").json["candidates"][0]
    assert filtered["finishReason"] == "SAFETY"
    assert filtered["safetyRatings"][0]["blocked"] is True
    broken = gemini("broken-arguments", tools=TOOLS).json["candidates"][0]
    assert broken["finishReason"] == "MALFORMED_FUNCTION_CALL"


def test_candidates_and_cached_tokens() -> None:
    """`candidateCount` answers in as many ways; cached tokens are part of the prompt's."""
    value = gemini("tokens-5+cached-4", generationConfig={"candidateCount": 2}).json
    assert [each["index"] for each in value["candidates"]] == [0, 1]
    usage = value["usageMetadata"]
    assert (usage["promptTokenCount"], usage["cachedContentTokenCount"]) == (9, 4)
    assert usage["candidatesTokenCount"] == 10


def test_tokens_are_counted() -> None:
    """From contents, or from a whole request; both at once are refused."""
    assert gemini(action="countTokens").json["totalTokens"] == 9
    inner = {"model": "models/echo", "contents": [USER], "tools": TOOLS}
    assert ask("/v1beta/models/echo:countTokens", {"generateContentRequest": inner}).json["totalTokens"] > 20
    both = gemini(action="countTokens", generateContentRequest=inner)
    assert both.status == 400


def test_embeddings_are_single_or_several() -> None:
    """The batch gives the same vectors as one by one, at the size asked for."""
    content = {"parts": [{"text": "the river mill"}]}
    one = ask("/v1beta/models/e:embedContent", {"content": content, "outputDimensionality": 8}).json
    assert len(one["embedding"]["values"]) == 8
    each = {"model": "models/e", "content": content, "outputDimensionality": 8}
    several = ask("/v1beta/models/e:batchEmbedContents", {"requests": [each, each]}).json
    assert several == {"embeddings": [one["embedding"]] * 2}
    wrong = ask("/v1beta/models/e:batchEmbedContents", {"requests": [each | {"model": "models/x"}]})
    assert wrong.status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/echo:generateContent",
        "/models/echo:generateContent",
        "/v1beta/models/sim%2Fecho%3AgenerateContent",
        "/v1/projects/p/locations/l/publishers/google/models/echo:generateContent",
    ],
)
def test_every_address_of_the_api_is_served(path: str) -> None:
    """Each version, none, and Vertex AI's."""
    assert ask(path, {"contents": [USER]}).json["candidates"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_errors_have_their_status(status: int, kind: str) -> None:
    """Code and status are those of Google's table."""
    answer = gemini(f"error-{status}")
    assert answer.status == answer.json["error"]["code"] == status
    assert answer.json["error"]["status"] == kind


def content(*parts: object, role: str = "user") -> dict[str, Any]:
    """A content of these parts."""
    return {"role": role, "parts": list(parts)}


def declared(**fields: object) -> dict[str, Any]:
    """One declaration of a function, and its fields."""
    return {"tools": [{"functionDeclarations": [{"name": "f", **fields}]}]}


CALL: dict[str, Any] = {
    "functionCall": {"name": "f", "args": {}},
    "thoughtSignature": "skip_thought_signature_validator",
}
RESPONSE: dict[str, Any] = {"functionResponse": {"name": "f", "response": {}}}
STRING = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": 5}, 'Invalid JSON payload received. Unknown name "max_tokens": Cannot find field.'),
    ({"contents": []}, "* GenerateContentRequest.contents: contents is not specified"),
    ({"contents": [content({"type": "text", "text": "a"})]}, "Unknown name \"type\" at 'contents[0].parts[0]'"),
    ({"contents": [content({"text": "a"}, role="assistant")]}, "Please use a valid role: user, model."),
    ({"contents": [content({"text": "a"}, role="system")]}, "Please use a valid role: user, model."),
    ({"contents": [content()]}, "contents[0].parts: contents.parts must not be empty."),
    ({"contents": [content({})]}, "contents[0].parts[0].data: required oneof field 'data'"),
    ({"contents": [content({"text": "a"} | CALL, role="model")]}, "oneof field 'data' is already set"),
    (
        {"contents": [USER, content(RESPONSE)]},
        "function response turn comes immediately after a function call turn",
    ),
    (
        {"contents": [content(CALL, role="model"), content(RESPONSE)]},
        "function call turn comes immediately after",
    ),
    (
        {"contents": [USER, content(CALL, CALL, role="model"), content(RESPONSE)]},
        "number of function response parts",
    ),
    ({"contents": [USER, content(CALL, role="model"), USER]}, "number of function response parts is equal"),
    (
        {"contents": [content({"functionResponse": {"response": {}}})]},
        "function_response.name: Name cannot be empty",
    ),
    (
        {"contents": [content({"functionResponse": {"name": "f", "response": "ok"}})]},
        "Invalid value at 'contents[0].parts[0].function_response.response' (type.googleapis.com/google",
    ),
    (
        {"contents": [content({"inlineData": {"mimeType": "a/b", "data": "%"}})]},
        "inline_data.data' (TYPE_BYTES)",
    ),
    ({"generationConfig": {"maxTokens": 5}}, "Unknown name \"maxTokens\" at 'generation_config'"),
    ({"generationConfig": {"temperature": 3}}, "temperature must be in the range [0.0, 2.0]"),
    ({"generationConfig": {"candidateCount": 9}}, "Candidate count must be in the range [1, 8]"),
    ({"generationConfig": {"stopSequences": ["a"] * 6}}, "at most 5 stop sequences"),
    (
        {"generationConfig": {"responseSchema": STRING}},
        "only allowed when response mime type is application/json",
    ),
    (
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}},
        "only one of thinking budget and thinking level",
    ),
    (
        declared(parameters={"type": "OBJECT", "additionalProperties": False}),
        'Unknown name "additionalProperties"',
    ),
    (
        declared(parameters={"type": "OBJECT", "properties": {"a": {"const": 1}}}),
        "Unknown name \"const\" at 'tools[0].function_declarations[0].parameters.properties[0].value'",
    ),
    (declared(parameters={"type": ["string", "null"]}), "Proto field is not repeating, cannot start list."),
    (declared(parameters=STRING | {"required": ["b"]}), "required[0]: property is not defined"),
    (declared(parameters={"type": "STRING", "format": "uri"}), "only 'enum' and 'date-time' are supported"),
    (declared(parameters={"type": "ARRAY"}), "items: missing field"),
    (declared(parameters={"type": "INTEGER", "enum": ["1"]}), "enum: only allowed for STRING type"),
    (declared(parameters=STRING, parametersJsonSchema={}), "only one of parameters and parameters_json_schema"),
    (declared(name="a b"), "Invalid function name"),
    (
        {"toolConfig": {"functionCallingConfig": {"mode": "required"}}},
        'FunctionCallingConfig.Mode), "required"',
    ),
    (
        {"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["tides"]}}},
        "only when the function calling mode is ANY",
    ),
]


@pytest.mark.parametrize(("fields", "says"), REFUSED)
def test_what_google_refuses_is_refused(fields: dict[str, Any], says: str) -> None:
    """Each mistake is a 400 with Google's kind of message."""
    assert says in refusal(**fields)
