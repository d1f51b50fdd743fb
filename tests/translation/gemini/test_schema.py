"""JSON schema in the subset that Google's older models take."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.shapes.gemini.schema import MAX_NODES, to_google, to_json_schema

NODE: dict[str, Any] = {
    "$defs": {
        "Node": {
            "type": "object",
            "description": "a node",
            "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/Node"}},
            "required": ["value", "gone"],
        }
    },
    "$ref": "#/$defs/Node",
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "const": "a"}, {"type": "STRING", "enum": ["a"], "format": "enum"}),
        ({"type": "string", "format": "email"}, {"type": "STRING"}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        ({"type": ["string", "null"]}, {"nullable": True, "type": "STRING"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"nullable": True, "type": "STRING"}),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
        ),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "INTEGER", "description": "One of: 1, 2"}),
        ({"enum": ["a", None]}, {"nullable": True, "type": "STRING", "enum": ["a"], "format": "enum"}),
        ({"type": "array"}, {"type": "ARRAY", "items": {"type": "STRING"}}),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]},
            {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}},
        ),
        (
            {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}}},
        ),
        (
            {"type": "object", "additionalProperties": {"type": "string"}, "$schema": "x", "title": "T"},
            {"title": "T", "type": "OBJECT"},
        ),
        ({"$ref": "https://example.org/schema"}, {"type": "OBJECT"}),
        (
            NODE,
            {
                "description": "a node",
                "type": "OBJECT",
                "properties": {"value": {"type": "INTEGER"}, "next": {"type": "OBJECT"}},
                "required": ["value"],
            },
        ),
    ],
)
def test_the_subset_says_the_nearest(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """References are inlined, recursion is cut, unknown keywords are left out."""
    assert to_google(schema) == expected


def _types_in(schema: dict[str, Any]) -> int:
    """How many schemas there are in one, itself included."""
    return 1 + sum(_types_in(each) for each in schema.get("properties", {}).values())


def test_references_that_multiply_are_bounded() -> None:
    """A small schema cannot become a large one."""
    defs: dict[str, Any] = {
        f"L{at}": {"type": "object", "properties": {n: {"$ref": f"#/$defs/L{at + 1}"} for n in "abcdef"}}
        for at in range(20)
    }
    inlined = to_google({"$defs": defs, "$ref": "#/$defs/L0"})
    # 6 ** 20 schemas if they were all written out; what a reference stands for counts beside the reference.
    assert MAX_NODES // 3 < _types_in(inlined) <= MAX_NODES


def test_google_s_subset_is_read_as_json_schema() -> None:
    """Types in capitals, nullable, numbers as strings, examples."""
    assert to_json_schema(
        {
            "type": "OBJECT",
            "propertyOrdering": ["a"],
            "properties": {
                "a": {"type": "STRING", "format": "enum", "enum": ["x"], "nullable": True},
                "b": {"type": "ARRAY", "minItems": "1", "items": {"type": "NUMBER"}, "example": [1]},
                "c": {"anyOf": [{"type": "STRING"}], "nullable": True},
            },
        }
    ) == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": "array", "minItems": 1, "items": {"type": "number"}, "examples": [1]},
            "c": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }
