"""What an answer is made of, and whether it keeps what its request asked for: to compare targets with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.chat import ChatReply, ChatRequest, FunctionTool
from penstock.core.parts import Refused, Text, ToolCall
from penstock.core.verdict import json_value, refuses

# Says whether a JSON value obeys a schema; None where the schema cannot be checked.
Validator = Callable[[dict[str, Any]], Callable[[Any], bool] | None]


class Shape(msgspec.Struct, frozen=True):
    """`kind`: what the answer is, in a word or two. `broken`: what of its request it breaks, or empty."""

    kind: str
    broken: str = ""


def shape_of(asked: ChatRequest, reply: ChatReply, validator: Validator) -> Shape:
    """The first choice, held against the request's tools and output format."""
    if not reply.choices:
        return Shape("empty", "no answer in it")
    choice = reply.choices[0]
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    text = "".join([part.text for part in choice.parts if isinstance(part, Text)]).strip()
    refused = any(isinstance(part, Refused) for part in choice.parts) or refuses(text)
    if calls:
        return Shape("tool call", _calls_broken(asked, calls, validator))
    if asked.tool_choice is not None and asked.tool_choice.mode in ("required", "named"):
        return Shape("text" if text else "empty", "a tool had to be called, and none is")
    if not text:
        return Shape("refusal", "") if refused else Shape("empty", "it is empty")
    is_json, value = json_value(text)
    kind = "text"
    if is_json and isinstance(value, dict):
        kind = "json object"
    elif is_json and isinstance(value, list):
        kind = "json list"
    elif refused:
        kind = "refusal"
    return Shape(kind, _format_broken(asked, text, validator))


def _format_broken(asked: ChatRequest, text: str, validator: Validator) -> str:
    output = asked.output
    if output is None or output.kind == "text":
        return ""
    # A fence is no JSON for a client that asked for JSON.
    try:
        value = msgspec.json.decode(text.encode("utf-8", "replace"))
    except msgspec.DecodeError:
        return "it is no JSON, which was asked for"
    if output.kind == "json" and not isinstance(value, dict):
        return "it is no JSON object, which was asked for"
    if output.kind == "schema" and output.schema is not None:
        obeys = validator(output.schema)
        if obeys is not None and not obeys(value):
            return "it does not obey the JSON schema that was asked for"
    return ""


def _calls_broken(asked: ChatRequest, calls: list[ToolCall], validator: Validator) -> str:
    known = {tool.name: tool for tool in asked.tools if isinstance(tool, FunctionTool)}
    choice = asked.tool_choice
    if choice is not None and choice.mode == "none":
        return "a tool is called, and none may be"
    for call in calls:
        tool = known.get(call.name)
        if tool is None:
            return "it calls a tool that the request does not have"
        if tool.type == "custom":
            continue
        try:
            arguments = msgspec.json.decode((call.arguments or "{}").encode("utf-8", "replace"))
        except msgspec.DecodeError:
            return "the arguments of a tool call are no JSON"
        obeys = validator(tool.parameters) if tool.parameters is not None else None
        if not isinstance(arguments, dict) or (obeys is not None and not obeys(arguments)):
            return "the arguments of a tool call do not obey the tool's schema"
    return ""
