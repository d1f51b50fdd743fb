"""JSON schemas as Bedrock takes them.

A tool's schema is an object at its top, without alternatives beside it; Nova knows `type`, `properties` and
`required` there and nothing else. A schema for the answer is closed (`additionalProperties: false`), and
has no bounds of numbers, texts and lists
(https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html).
"""

from __future__ import annotations

from typing import Any, cast

Schema = dict[str, Any]
_DEEPEST = 60
_CHOICES = ("anyOf", "oneOf", "allOf")
_NODES = 4000  # how much inlining may make of a schema
_BOUNDS = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "maxItems", "uniqueItems", "minContains", "maxContains"),
        *("minProperties", "maxProperties"),
    )
)


def tool_schema(parameters: Schema | None, *, bare: bool = False) -> Schema:
    """A schema for a tool's input; `bare` is what Nova takes."""
    schema = _at_top(dict(parameters or {}))
    found = {**schema, "type": "object"}
    for word in _CHOICES:
        members = found.pop(word, None)
        if isinstance(members, list):
            _merge(found, [each for each in cast("list[Any]", members) if isinstance(each, dict)], word, schema)
    found["properties"] = _object(found.get("properties"))
    if bare:
        definitions = {name: found[name] for name in ("$defs", "definitions") if name in found}
        found = {name: found[name] for name in ("type", "properties", "required") if name in found}
        if definitions:
            found["properties"] = _inlined(found["properties"], {**schema, **definitions}, [_NODES], 0)
    return found


def _at_top(schema: Schema) -> Schema:
    """A schema whose top is a reference, with what it refers to."""
    target = _target(schema.get("$ref"), schema)
    if target is None:
        return schema
    return {**{name: value for name, value in schema.items() if name != "$ref"}, **target}


def _target(ref: Any, root: Schema) -> Schema | None:
    if not isinstance(ref, str) or not ref.startswith("#/"):
        return None
    value: Any = root
    for step in ref[2:].split("/"):
        value = cast("Schema", value).get(step) if isinstance(value, dict) else None
    return cast("Schema", value) if isinstance(value, dict) else None


def _merge(found: Schema, members: list[Any], word: str, root: Schema) -> None:
    """Alternatives at the top as one object: all their properties, of which those are needed that all need."""
    properties = _object(found.get("properties"))
    needed: set[str] | None = None
    for member in members:
        each = _target(member.get("$ref"), root) or cast("Schema", member)
        properties = {**_object(each.get("properties")), **properties}
        names = _names(each.get("required"))
        needed = names if needed is None else needed | names if word == "allOf" else needed & names
    found["properties"] = properties
    required = sorted(_names(found.get("required")) | (needed or set[str]()))
    if required:
        found["required"] = required


def _object(value: Any) -> Schema:
    return cast("Schema", value) if isinstance(value, dict) else {}


def _names(value: Any) -> set[str]:
    return (
        {name for name in cast("list[Any]", value) if isinstance(name, str)}
        if isinstance(value, list)
        else set()
    )


def _inlined(value: Any, root: Schema, left: list[int], depth: int) -> Any:
    """References replaced by what they refer to, as far as it is sensible."""
    left[0] -= 1
    if isinstance(value, list):
        return [_inlined(each, root, left, depth + 1) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    if left[0] < 0 or depth > _DEEPEST // 3:
        return {}
    schema = cast("Schema", value)
    target = _target(schema.get("$ref"), root)
    if target is not None:
        schema = {**{name: each for name, each in schema.items() if name != "$ref"}, **target}
    return {name: _inlined(each, root, left, depth + 1) for name, each in schema.items()}


def answer_schema(schema: Schema) -> tuple[Schema, bool]:
    """A schema for the answer, and whether bounds had to be left out of it."""
    lost: list[str] = []
    found = _closed(schema, lost, 0)
    return cast("Schema", found), bool(lost)


def _closed(value: Any, lost: list[str], depth: int, *, names: bool = False) -> Any:
    """The schema closed; `names` says that the members are names of properties and not words of a schema."""
    if depth > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_closed(each, lost, depth + 1) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found: Schema = {}
    for name, each in cast("Schema", value).items():
        if not names and name in _BOUNDS:
            lost.append(name)
        elif not names and name in ("enum", "const", "default", "examples", "required"):
            found[name] = each
        else:
            inside = not names and name in ("properties", "$defs", "definitions")
            found[name] = _closed(each, lost, depth + 1, names=inside)
    if not names and (found.get("type") == "object" or "properties" in found):
        found["additionalProperties"] = False
    return found
