"""The fields of Google's Gemini API, as proto JSON takes them: also in snake_case, and one item as a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from penstock.simulator.strict import Check, Invalid, Path, Value, anything, flag, number, text, values, whole

_CAMEL = re.compile(r"_([a-z])")
_SNAKE = re.compile(r"([A-Z])")


def snake(name: str) -> str:
    """A field's name in its proto, which errors use."""
    return _SNAKE.sub(lambda match: "_" + match[1].lower(), name)


class Many(NamedTuple):
    """A repeated field: a list, or its only item."""

    check: Check


def message(fields: Mapping[str, Check | Many]) -> Check:
    """A proto message: fields that are null are not there, names become camelCase in place."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, dict):
            raise Invalid(path, "type", "message")
        found = cast("Value", value)
        for name in list(found):
            camel = _CAMEL.sub(lambda match: match[1].upper(), name)
            inner = fields.get(camel)
            if inner is None:
                raise Invalid((*path, name), "unknown")
            item = found.pop(name)
            if item is None:
                continue
            here = (*path, snake(camel))
            if isinstance(inner, Many):
                item = cast("list[Any]", item) if isinstance(item, list) else [item]
                for index, each in enumerate(item):
                    inner.check(each, (*here, index))
            else:
                if isinstance(item, list) and inner is not anything:
                    raise Invalid((*path, name), "unknown", "Proto field is not repeating, cannot start list.")
                inner(item, here)
            found[camel] = item

    return check


def words(kind: str, *allowed: str) -> Check:
    """One of an enum's words, in whatever case, or a number that stands for one."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, int) and str(value).upper() not in allowed:
            raise Invalid(path, "value", f"{kind}|{value}")

    return check


def struct(value: Any, path: Path) -> None:
    """An object with any fields."""
    if not isinstance(value, dict):
        raise Invalid(path, "value", f"type.googleapis.com/google.protobuf.Struct|{value}")


def _encoded(value: Any, path: Path) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9+/_-]*={0,2}", value):
        raise Invalid(path, "value", f"TYPE_BYTES|{value}")


# In the order of their numbers in the proto.
TYPES = ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1beta"
_TYPE = words(f"{_PACKAGE}.Type", *TYPES)


def _schema(value: Any, path: Path) -> None:
    _SCHEMA(value, path)


def _properties(value: Any, path: Path) -> None:
    if not isinstance(value, dict):
        raise Invalid(path, "type", "message")
    for index, item in enumerate(value.values()):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType, reportUnknownMemberType]
        _schema(item, (*path, index, "value"))


_COUNT: Check = anything  # counts are 64-bit integers, which proto JSON also writes as strings
_SCHEMA = message(
    {
        "type": _TYPE,
        "format": text,
        "title": text,
        "description": text,
        "nullable": flag,
        "enum": Many(text),
        "maxItems": _COUNT,
        "minItems": _COUNT,
        "properties": _properties,
        "required": Many(text),
        "minProperties": _COUNT,
        "maxProperties": _COUNT,
        "minLength": _COUNT,
        "maxLength": _COUNT,
        "pattern": text,
        "example": anything,
        "anyOf": Many(_schema),
        "propertyOrdering": Many(text),
        "default": anything,
        "items": _schema,
        "minimum": number(),
        "maximum": number(),
    }
)
_BLOB = message({"mimeType": text, "data": _encoded, "displayName": text})
_FILE = message({"mimeType": text, "fileUri": text, "displayName": text})
_CALL = message({"id": text, "name": text, "args": struct})
_RESPONSE_PART = message({"inlineData": _BLOB, "fileData": _FILE})
_RESPONSE = message(
    {
        "id": text,
        "name": text,
        "response": struct,
        "parts": Many(_RESPONSE_PART),
        "willContinue": flag,
        "scheduling": text,
    }
)
DATA = {
    "text": text,
    "inlineData": _BLOB,
    "fileData": _FILE,
    "functionCall": _CALL,
    "functionResponse": _RESPONSE,
    "executableCode": anything,
    "codeExecutionResult": anything,
    "toolCall": anything,
    "toolResponse": anything,
}
_PART_FIELDS = message(
    {
        **DATA,
        "thought": flag,
        "thoughtSignature": _encoded,
        "videoMetadata": anything,
        "mediaResolution": anything,
        "partMetadata": anything,
    }
)


def _part(value: Any, path: Path) -> None:
    _PART_FIELDS(value, path)
    found = [name for name in value if name in DATA]
    if len(found) > 1:
        raise Invalid(path, "value", f"oneof|{snake(found[1])}")


_CONTENT = message({"role": text, "parts": Many(_part)})
_DECLARATION = message(
    {
        "name": text,
        "description": text,
        "behavior": text,
        "parameters": _schema,
        "parametersJsonSchema": anything,
        "response": _schema,
        "responseJsonSchema": anything,
    }
)
_TOOL = message(
    {
        "functionDeclarations": Many(_DECLARATION),
        **dict.fromkeys(
            (
                "googleSearch",
                "googleSearchRetrieval",
                "codeExecution",
                "urlContext",
                "computerUse",
                "fileSearch",
                "googleMaps",
                "mcpServers",
            ),
            anything,
        ),
    }
)
_MODE = words(f"{_PACKAGE}.FunctionCallingConfig.Mode", "MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
_TOOL_CONFIG = message(
    {
        "functionCallingConfig": message({"mode": _MODE, "allowedFunctionNames": Many(text)}),
        "retrievalConfig": anything,
        "includeServerSideToolInvocations": flag,
    }
)
_LEVEL = words(
    f"{_PACKAGE}.ThinkingConfig.ThinkingLevel",
    *("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH"),
)
_GENERATION = message(
    {
        "candidateCount": whole(),
        "stopSequences": Many(text),
        "maxOutputTokens": whole(),
        "temperature": number(),
        "topP": number(),
        "topK": number(),
        "seed": whole(),
        "presencePenalty": number(),
        "frequencyPenalty": number(),
        "responseMimeType": text,
        "responseSchema": _schema,
        "responseJsonSchema": anything,
        "responseModalities": Many(words(f"{_PACKAGE}.GenerationConfig.Modality", "TEXT", "IMAGE", "AUDIO")),
        "responseLogprobs": flag,
        "logprobs": whole(),
        "thinkingConfig": message(
            {"includeThoughts": flag, "thinkingBudget": whole(), "thinkingLevel": _LEVEL}
        ),
        "mediaResolution": text,
        "speechConfig": anything,
        "imageConfig": anything,
        "enableEnhancedCivicAnswers": flag,
    }
)
_GENERATE = {
    "model": text,
    "contents": Many(_CONTENT),
    "tools": Many(_TOOL),
    "toolConfig": _TOOL_CONFIG,
    "safetySettings": Many(message({"category": anything, "threshold": anything, "method": anything})),
    "systemInstruction": _CONTENT,
    "generationConfig": _GENERATION,
    "cachedContent": text,
    "serviceTier": text,
    "store": flag,
    # Only Vertex AI has these.
    "labels": values(text),
    "modelArmorConfig": anything,
}
GENERATE = message(_GENERATE)
COUNT = message(
    {
        "model": text,
        "contents": Many(_CONTENT),
        "generateContentRequest": GENERATE,
        # Vertex AI has these beside the contents.
        "tools": Many(_TOOL),
        "systemInstruction": _CONTENT,
        "generationConfig": _GENERATION,
    }
)
_EMBED = {
    "model": text,
    "content": _CONTENT,
    "taskType": text,
    "title": text,
    "outputDimensionality": whole(),
    "embedContentConfig": anything,
}
EMBED = message(_EMBED)
BATCH_EMBED = message({"model": text, "requests": Many(message(_EMBED))})
