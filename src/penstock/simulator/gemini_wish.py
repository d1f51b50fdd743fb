"""The Gemini API: what a request asks of the model, and how many tokens it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from penstock.simulator.behaviour import Behaviour
from penstock.simulator.draft import ANY_OBJECT, Tool, Wish, declared_tokens, wanted_calls
from penstock.simulator.gemini_request import kind_of, responses_of
from penstock.simulator.strict import Value, listed, texts, within
from penstock.simulator.words import count_tokens

PER_MESSAGE = 3
PER_MEDIUM = 85


def wish_of(ask: Value, config: Value, behaviour: Behaviour, digest: str) -> Wish:
    """What the request asks of the model."""
    calling = within(ask, "toolConfig", "functionCallingConfig")
    declared = [
        Tool(each["name"], each.get("parametersJsonSchema") or _plain(each.get("parameters") or {}))
        for tool in listed(ask, "tools")
        for each in listed(tool, "functionDeclarations")
    ]
    if allowed := texts(calling, "allowedFunctionNames"):
        declared = [tool for tool in declared if tool.name in allowed]
    choice = {"ANY": "required", "NONE": "none"}.get(str(calling.get("mode", "AUTO")).upper(), "auto")
    answered = bool(responses_of(ask["contents"][-1]))
    tools, calls = wanted_calls(declared, choice, behaviour, answered=answered)
    thinking = within(config, "thinkingConfig")
    return Wish(
        digest=digest,
        echo=_echo(ask["contents"]),
        tools=tools,
        calls=calls,
        schema=schema_of(config),
        stop=texts(config, "stopSequences"),
        limit=config.get("maxOutputTokens"),
        thinking=any(thinking.get(name) for name in ("includeThoughts", "thinkingBudget", "thinkingLevel")),
    )


def schema_of(config: Value) -> object | None:
    """The JSON Schema of the answer, or None for plain text."""
    if config.get("responseMimeType", "text/plain") == "text/plain":
        return None
    return config.get("responseJsonSchema") or _plain(config.get("responseSchema") or {}) or ANY_OBJECT


def _plain(schema: Any) -> Any:
    """Google's schema as a JSON Schema: types in lower case, counts as numbers."""
    if not isinstance(schema, dict):
        return [_plain(each) for each in schema] if isinstance(schema, list) else schema  # pyright: ignore[reportUnknownVariableType]
    made: Value = {}
    for name, value in schema.items():  # pyright: ignore[reportUnknownVariableType]
        if name == "type":
            made[name] = kind_of({"type": value}).lower()
        elif name == "properties":
            made[name] = {key: _plain(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        elif name in {"items", "anyOf"}:
            made[name] = _plain(value)
        elif name.startswith(("min", "max")) and isinstance(value, str) and value.isdigit():  # pyright: ignore[reportUnknownMemberType]
            made[name] = int(value)
        else:
            made[name] = value
    return made


def _echo(contents: Sequence[Value]) -> str:
    """The text of the last user content that has one."""
    for content in reversed(contents):
        found = [part["text"] for part in content["parts"] if part.get("text")]
        if content.get("role", "user") == "user" and found:
            return "\n".join(found)
    return ""


def prompt_tokens(ask: Value) -> int:
    """Input tokens: of the texts, 3 a content and 3 for the answer's start, 85 a medium, and the tools."""
    total = PER_MESSAGE + declared_tokens(ask.get("tools"))
    for content in [*listed(ask, "contents"), within(ask, "systemInstruction")]:
        total += PER_MESSAGE if content else 0
        for part in listed(content, "parts"):
            total += count_tokens(part.get("text") or "")
            total += PER_MEDIUM * any(name in part for name in ("inlineData", "fileData"))
            for name in ("functionCall", "functionResponse"):
                inner = within(part, name)
                said = inner.get("args") or inner.get("response")
                total += count_tokens(msgspec.json.encode(said).decode()) if said else 0
    return total
