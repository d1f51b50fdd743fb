"""JSON Schema → a seeded value that conforms to it.

Covers what structured outputs and tools use: types, enum, const, references, anyOf/oneOf/allOf, objects,
arrays, the bounds of numbers, strings and arrays, and the common formats. A `pattern` is not honoured:
inventing text for any regular expression is more than a simulator needs.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, cast

from penstock.simulator.words import seeded_tokens

Schema = dict[str, Any]
_DEEP = 6
_DEEPEST = 32

_FORMATS: dict[str, str] = {
    "date": "2026-01-15",
    "time": "12:30:00Z",
    "date-time": "2026-01-15T12:30:00Z",
    "duration": "PT15M",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "uri": "https://example.com/",
    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
}


def conforming_value(schema: object, seed: int) -> Any:
    """A JSON value that the schema accepts; the same schema and seed give the same value."""
    root = _as_schema(schema)
    return _Maker(root, random.Random(seed)).value(root, 0)


def _as_schema(schema: object) -> Schema:
    return cast("Schema", schema) if isinstance(schema, dict) else {}


def _as_list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _number(schema: Schema, key: str) -> float | None:
    value = schema.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(schema: Schema, key: str, default: int) -> int:
    value = _number(schema, key)
    return default if value is None else max(0, int(value))


class _Maker:
    """Walks one schema; `root` resolves its references."""

    def __init__(self, root: Schema, draw: random.Random) -> None:
        self._root = root
        self._draw = draw
        self._by_type: dict[str, Callable[[Schema, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": lambda schema, _: self._string(schema),
            "integer": lambda schema, _: self._integer(schema),
            "number": lambda schema, _: self._float(schema),
            "boolean": lambda _schema, _depth: self._draw.random() < 0.5,
            "null": lambda _schema, _depth: None,
        }

    def value(self, schema: Schema, depth: int) -> Any:
        """A value for one schema at this depth of nesting."""
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self._draw.choice(schema["enum"])
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return self.value(self._branch(schema[key], depth), depth + 1)
        make = self._by_type.get(self._type(schema, depth), self._object)
        return make(schema, depth)

    def _branch(self, branches: list[Any], depth: int) -> Schema:
        """The first branch; deep down the first that nests no further, so that recursive schemas end."""
        schemas = [self._resolved(_as_schema(branch)) for branch in branches]
        if depth >= _DEEP:
            flat = [s for s in schemas if s.get("type") not in {"object", "array"} and "anyOf" not in s]
            return (flat or schemas)[0]
        return schemas[0]

    def _type(self, schema: Schema, depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = cast("list[str]", kind)
            return "null" if depth >= _DEEP and "null" in kinds else kinds[0]
        if isinstance(kind, str):
            return kind
        if "items" in schema or "prefixItems" in schema:
            return "array"
        return "object" if "properties" in schema else "string" if depth else "object"

    def _resolved(self, schema: Schema) -> Schema:
        """The schema with its reference followed and its allOf merged."""
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                break
            schema = self._at(reference)
        parts = schema.get("allOf")
        if not isinstance(parts, list):
            return schema
        merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        for part in cast("list[Any]", parts):
            resolved = self._resolved(_as_schema(part))
            properties = {**merged.get("properties", {}), **resolved.get("properties", {})}
            required = [*merged.get("required", []), *resolved.get("required", [])]
            merged = {**merged, **resolved}
            if properties:
                merged |= {"properties": properties, "required": required}
        return merged

    def _at(self, reference: str) -> Schema:
        place: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step and isinstance(place, dict):
                place = cast("Schema", place).get(step.replace("~1", "/").replace("~0", "~"))
        return _as_schema(place)

    def _object(self, schema: Schema, depth: int) -> Schema:
        properties = _as_schema(schema.get("properties"))
        required = [str(name) for name in _as_list(schema.get("required"))]
        wanted = [name for name in properties if depth < _DEEP or name in required]
        if depth >= _DEEPEST:
            return {}
        made = {name: self.value(_as_schema(properties[name]), depth + 1) for name in wanted}
        for name in required:
            made.setdefault(name, "")
        return made

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = _count(schema, "minItems", 0 if depth >= _DEEP else 1)
        most = _count(schema, "maxItems", max(least, 2))
        first = [self.value(_as_schema(item), depth + 1) for item in _as_list(schema.get("prefixItems"))]
        items = _as_schema(schema.get("items"))
        if depth >= _DEEPEST or schema.get("items") is False:
            return first
        # No more than 100: a hostile minItems must not fill the memory.
        wanted = min(100, max(least, self._draw.randint(min(least, most), most)) - len(first))
        rest: list[Any] = []
        for _ in range(wanted * 5):
            if len(rest) >= wanted:
                break
            value = self.value(items, depth + 1)
            if not schema.get("uniqueItems") or value not in rest:
                rest.append(value)
        return first + rest

    def _string(self, schema: Schema) -> str:
        known = _FORMATS.get(str(schema.get("format")))
        if known is not None:
            return known
        text = "".join(seeded_tokens(3, self._draw.randrange(2**32))).rstrip(".")
        least = min(10_000, _count(schema, "minLength", 0))
        while len(text) < least:
            text += " and on"
        return text[: _count(schema, "maxLength", max(64, least))]

    def _bounds(self, schema: Schema, gap: float) -> tuple[float, float]:
        low, high = _number(schema, "minimum"), _number(schema, "maximum")
        above, under = _number(schema, "exclusiveMinimum"), _number(schema, "exclusiveMaximum")
        if above is not None:
            low = above + gap
        if under is not None:
            high = under - gap
        if low is None:
            low = 0.0 if high is None else min(0.0, high)
        return low, max(low, low + 100 if high is None else high)

    def _integer(self, schema: Schema) -> int:
        low, high = self._bounds(schema, 1)
        step = max(1, _count(schema, "multipleOf", 1))
        first, last = math.ceil(low / step), max(math.ceil(low / step), math.floor(high / step))
        return self._draw.randint(first, last) * step

    def _float(self, schema: Schema) -> float:
        step = _number(schema, "multipleOf")
        low, high = self._bounds(schema, 0.001)
        if step:
            return math.ceil(low / step) * step
        return max(low, min(high, round(self._draw.uniform(low, high), 3)))
