"""Whether an answer has the form that its request asks for; repaired where that needs no model.

In this order: the JSON is read, leniently if the rule says so; values are brought to the schema's form
(core/normalise.py); then it must obey the schema.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatReply, ChatRequest, FunctionTool
from penstock.core.normalise import Change, Normaliser, Schema
from penstock.core.parts import Part, Text, ToolCall
from penstock.core.structured import MAX_PROBLEMS, StructuredRule

# Larger answers are passed on unseen: looking at them would hold up everybody else.
MAX_CHARS = 262_144
_MOST_SCHEMAS = 256
_BACKTRACKS = 100_000
_LONGEST = 300


@dataclass(slots=True)
class Inspection:
    """What was found in an answer, and its parts as they are to be passed on.

    `problems`: why it will not do, as its model may be told. `places`: where, by schema (`items[].city`).
    `parsed`: its JSON had to be read leniently.
    """

    parts: tuple[Part, ...]
    problems: list[str] = field(default_factory=list[str])
    places: list[str] = field(default_factory=list[str])
    changes: list[Change] = field(default_factory=list[Change])
    parsed: bool = False

    @property
    def changed(self) -> bool:
        """Whether the client gets something else than the model said."""
        return self.parsed or bool(self.changes)


def inspect(chat: ChatRequest, reply: ChatReply, rule: StructuredRule) -> Inspection:
    """Look at the first choice of an answer."""
    choice = reply.choices[0] if reply.choices else None
    if choice is None:
        return Inspection((), ["there is no answer"], ["$"])
    found = Inspection(choice.parts)
    if choice.finish in ("refusal", "content_filter"):
        return found  # asked for or not: asking again would not be told something else
    tools = {tool.name: tool for tool in chat.tools if isinstance(tool, FunctionTool)}
    parts: list[Part] = []
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    for part in choice.parts:
        if isinstance(part, ToolCall) and part.type == "function":
            parts.append(_call(part, tools.get(part.name), rule, found))
        else:
            parts.append(part)
    output = chat.output
    if not calls and output is not None and output.kind == "schema" and output.schema is not None:
        parts = _texts(parts, output.schema, rule, found, cut=choice.finish == "length")
    found.parts = tuple(parts)
    return found


def _call(part: ToolCall, tool: FunctionTool | None, rule: StructuredRule, found: Inspection) -> ToolCall:
    if tool is None or not tool.parameters:
        return part
    text = _repaired(part.arguments or "{}", tool.parameters, rule, found, f"{part.name}: ")
    return part if text is None else replace(part, arguments=text)


def _texts(
    parts: list[Part], schema: Schema, rule: StructuredRule, found: Inspection, *, cut: bool
) -> list[Part]:
    """The texts of an answer are one JSON value, which stands in the first of them then."""
    said = "".join([part.text for part in parts if isinstance(part, Text)])
    text = _repaired(said, schema, rule, found, "", cut=cut)
    if text is None:
        return parts
    out: list[Part] = []
    for part in parts:
        if not isinstance(part, Text):
            out.append(part)
        elif text is not None:
            out.append(replace(part, text=text, citations=()))
            text = None
    return out


def _repaired(
    text: str, schema: Schema, rule: StructuredRule, found: Inspection, lead: str, *, cut: bool = False
) -> str | None:
    """The text that obeys the schema, None where it does as it is, or cannot be made to."""
    check = _validator(json.dumps(schema, sort_keys=True))
    if check is None or len(text) > MAX_CHARS:
        return None  # a schema that is none, or an answer too long to be looked at
    try:
        value, parsed = json.loads(text), False
    except (ValueError, RecursionError):
        # What was cut off has no end that could be guessed.
        value, parsed = (_lenient(text), True) if rule.lenient and not cut else (None, False)
        if not parsed or not isinstance(value, dict | list):
            found.problems.append(f"{lead}it is not JSON" + (", since it was cut off" if cut else ""))
            found.places.append("$")
            return None
    if not parsed and check.is_valid(value):
        return None
    made = Normaliser(schema, rule.aliases, _obeys)
    value = made.value(value)
    if check.is_valid(value):
        found.changes += made.changes
        found.parsed = found.parsed or parsed
        return json.dumps(value, ensure_ascii=False)
    for error in check.iter_errors(value):
        steps = error.instance_path
        path = "".join([f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps])
        found.problems.append(f"{lead}{path.removeprefix('.') or 'the whole'}: {error.message[:_LONGEST]}")
        place = "".join(["[]" if isinstance(step, int) else f".{step}" for step in steps])
        found.places.append(place.removeprefix(".") or "$")
        if len(found.problems) >= MAX_PROBLEMS:
            break
    return None


def _lenient(text: str) -> Any:
    # Only an answer that is broken needs it.
    library = importlib.import_module("json_repair")
    try:
        return library.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None


def _obeys(value: Any, schema: Schema) -> bool:
    check = _validator(json.dumps(schema, sort_keys=True))
    return check is not None and bool(check.is_valid(value))


@lru_cache(maxsize=_MOST_SCHEMAS)
def _validator(schema: str) -> Any:
    """The validator of a schema; None for what is none. Nothing is fetched, and patterns end."""
    library = importlib.import_module("jsonschema_rs")

    def refuse(uri: str) -> Any:
        raise ValueError(f"it refers to {uri}, which is not fetched")

    options = library.FancyRegexOptions(backtrack_limit=_BACKTRACKS)
    try:
        return library.validator_for(
            json.loads(schema), retriever=refuse, validate_formats=True, pattern_options=options
        )
    except ValueError:
        return None
