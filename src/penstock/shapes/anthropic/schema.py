"""The JSON schemas that structured output takes: closed objects, and no bounds on numbers, texts or lists.

What is left out is told to the model in the description, so that it still may keep to it.
https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

_BOUNDS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
    "maxItems", "uniqueItems", "minProperties", "maxProperties", "patternProperties", "propertyNames",
    "contains", "minContains", "maxContains", "dependentRequired", "unevaluatedProperties", "not", "if", "then",
    "else",
)  # fmt: skip
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_ONE = ("items", "additionalItems")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "$defs", "definitions")
_MAX_DEPTH = 64


def closed(schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """The schema in the form that the vendor takes; a new object."""
    if depth > _MAX_DEPTH:
        return schema
    out = dict(schema)
    left = _left_out(out)
    out.pop("$schema", None)
    if "oneOf" in out and "anyOf" not in out:
        out["anyOf"] = out.pop("oneOf")
    if out.get("type") == "object" or "properties" in out:
        out["additionalProperties"] = False
    _go_down(out, depth)
    if left:
        said = ", ".join([f"{name}: {msgspec.json.encode(value).decode()}" for name, value in left.items()])
        before = out.get("description")
        out["description"] = f"{before} ({said})" if isinstance(before, str) and before else said
    return out


def _left_out(out: dict[str, Any]) -> dict[str, Any]:
    """What the vendor refuses, taken out."""
    left = {name: out.pop(name) for name in _BOUNDS if name in out}
    if out.get("minItems") not in (None, 0, 1):
        left["minItems"] = out.pop("minItems")
    if isinstance(out.get("format"), str) and out["format"] not in _FORMATS:
        left["format"] = out.pop("format")
    return left


def _go_down(out: dict[str, Any], depth: int) -> None:
    for name in _ONE:
        if name in out:
            out[name] = _each(out[name], depth)
    for name in _LISTS:
        if isinstance(out.get(name), list):
            out[name] = [_each(each, depth) for each in cast("list[Any]", out[name])]
    for name in _MAPS:
        if isinstance(out.get(name), dict):
            members = cast("dict[str, Any]", out[name])
            out[name] = {key: _each(each, depth) for key, each in members.items()}


def _each(value: Any, depth: int) -> Any:
    return closed(cast("dict[str, Any]", value), depth + 1) if isinstance(value, dict) else value


def tool_input(parameters: dict[str, Any] | None) -> dict[str, Any]:
    """A tool's schema as the API wants it: of an object."""
    if not parameters:
        return {"type": "object", "properties": {}}
    return parameters if "type" in parameters else {"type": "object", **parameters}
