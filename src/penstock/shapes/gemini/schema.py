"""JSON schema and Google's own `Schema`, a subset of OpenAPI 3.0.

`parameters` and `responseSchema` take only the subset; an unknown keyword is refused with a 400. Newer models
take JSON schema beside it (`parametersJsonSchema`, `responseJsonSchema`).
https://ai.google.dev/api/caching#Schema, https://ai.google.dev/gemini-api/docs/structured-output
"""

from __future__ import annotations

from typing import Any, cast

Json = dict[str, Any]

MAX_DEPTH = 32
MAX_NODES = 4000
_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
_COPIED = ("title", "description", "default", "pattern", "minLength", "maxLength", "minimum", "maximum")
_COPIED_COUNTS = ("minItems", "maxItems", "minProperties", "maxProperties")
# Other formats of strings are refused by the Gemini API: "only 'enum' and 'date-time' are supported".
_FORMATS = {
    "STRING": ("enum", "date-time"),
    "NUMBER": ("float", "double"),
    "INTEGER": ("int32", "int64"),
}
_RENAMED = {
    "nullable": "",
    "propertyOrdering": "",
    "property_ordering": "",
    "any_of": "anyOf",
    "min_items": "minItems",
    "max_items": "maxItems",
    "example": "examples",
}
_ANY: Json = {"type": "STRING"}


def to_google(schema: Json) -> Json:
    """The nearest that Google's subset can say: references inlined, recursion cut to a plain object."""
    return _ToGoogle(schema).convert(schema, (), 0)


class _ToGoogle:
    def __init__(self, root: Json) -> None:
        self._root = root
        self._nodes = 0

    def convert(self, schema: Json, inside: tuple[str, ...], depth: int) -> Json:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return {"type": "OBJECT"}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(reference, schema, inside, depth)
        if isinstance(schema.get("allOf"), list):
            schema = self._joined(schema)
            if isinstance(schema.get("$ref"), str):
                return self.convert(schema, inside, depth + 1)
        out: Json = {name: schema[name] for name in (*_COPIED, *_COPIED_COUNTS) if schema.get(name) is not None}
        kinds = _kinds(schema)
        if "null" in kinds or schema.get("nullable") is True:
            out["nullable"] = True
        named = [kind for kind in kinds if kind != "null"]
        branches = self._branches(schema, out, inside, depth)
        if branches:
            out["anyOf"] = branches
            return out
        if len(named) > 1:
            out["anyOf"] = [self._typed({}, schema, kind, inside, depth) for kind in named]
            return out
        return self._typed(out, schema, named[0] if named else _implied(schema), inside, depth)

    def _referred(self, reference: str, schema: Json, inside: tuple[str, ...], depth: int) -> Json:
        target = _pointed(self._root, reference)
        if target is None or reference in inside:
            out: Json = {"type": "OBJECT"}
        else:
            out = self.convert(target, (*inside, reference), depth + 1)
        if isinstance(schema.get("description"), str):
            out = {**out, "description": schema["description"]}
        return out

    def _joined(self, schema: Json) -> Json:
        """`allOf` as one schema: later members win, properties and required names add up."""
        out: Json = {name: value for name, value in schema.items() if name != "allOf"}
        for each in _objects(schema["allOf"]):
            target = _pointed(self._root, each["$ref"]) if isinstance(each.get("$ref"), str) else each
            if target is None:
                continue
            if len(schema["allOf"]) == 1 and isinstance(each.get("$ref"), str) and "properties" not in out:
                return {**out, "$ref": each["$ref"]}
            properties = {**_object(out.get("properties")), **_object(target.get("properties"))}
            required = [*_list(out.get("required")), *_list(target.get("required"))]
            out = {**out, **{name: value for name, value in target.items() if name != "allOf"}}
            if properties:
                out["properties"] = properties
            if required:
                out["required"] = required
        return out

    def _branches(self, schema: Json, out: Json, inside: tuple[str, ...], depth: int) -> list[Json]:
        found: list[Json] = []
        for name in ("anyOf", "oneOf"):
            for each in _objects(schema.get(name)):
                if each.get("type") == "null":
                    out["nullable"] = True
                else:
                    found.append(self.convert(each, inside, depth + 1))
        if len(found) == 1 and "anyOf" not in found[0]:
            out.update({name: value for name, value in found[0].items() if name not in out})
            return []
        return found

    def _typed(self, out: Json, schema: Json, kind: str, inside: tuple[str, ...], depth: int) -> Json:
        if "type" in out:
            return out  # the only branch of a union has said it
        google = kind.upper()
        out["type"] = google
        given = schema.get("format")
        if isinstance(given, str) and given in _FORMATS.get(google, ()):
            out["format"] = given
        self._enumerated(out, schema)
        if google == "ARRAY":
            out["items"] = self._items(schema, inside, depth)
        elif google == "OBJECT":
            self._properties(out, schema, inside, depth)
        return out

    def _enumerated(self, out: Json, schema: Json) -> None:
        values = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
        if None in values:
            out["nullable"] = True
            values = [each for each in values if each is not None]
        if not values:
            return
        if out["type"] == "STRING" and all(isinstance(each, str) for each in values):
            out["enum"] = values
            out["format"] = "enum"
        else:  # only strings may be enumerated; the model reads the rest in the description
            said = "One of: " + ", ".join([str(each) for each in values])
            out["description"] = f"{out['description']} {said}" if out.get("description") else said

    def _items(self, schema: Json, inside: tuple[str, ...], depth: int) -> Json:
        items = schema.get("items")
        if isinstance(items, dict):
            return self.convert(cast("Json", items), inside, depth + 1)
        places = [
            self.convert(each, inside, depth + 1) for each in _objects(schema.get("prefixItems") or items)
        ]
        if not places:
            return dict(_ANY)
        return places[0] if len(places) == 1 else {"anyOf": places}

    def _properties(self, out: Json, schema: Json, inside: tuple[str, ...], depth: int) -> None:
        properties = {
            name: self.convert(cast("Json", each), inside, depth + 1)
            for name, each in _object(schema.get("properties")).items()
            if isinstance(each, dict)
        }
        if not properties:
            return  # an object without properties is refused where it says so
        out["properties"] = properties
        required = [name for name in _list(schema.get("required")) if name in properties]
        if required:
            out["required"] = required
        order = [name for name in _list(schema.get("propertyOrdering")) if name in properties]
        if order:
            out["propertyOrdering"] = order


def to_json_schema(schema: Json, depth: int = 0) -> Json:
    """Google's subset as JSON schema."""
    if depth > MAX_DEPTH:
        return {}
    out: Json = {}
    for name, value in schema.items():
        key = _RENAMED.get(name, name)
        if key and not (key == "format" and value == "enum"):
            out[key] = _member(key, value, depth)
    if schema.get("nullable") is True:
        _allow_null(out)
    return out


def _member(key: str, value: Any, depth: int) -> Any:
    if key == "type" and isinstance(value, str):
        return value.lower()
    if key == "properties" and isinstance(value, dict):
        return {
            name: to_json_schema(cast("Json", each), depth + 1) if isinstance(each, dict) else each
            for name, each in cast("Json", value).items()
        }
    if key == "items" and isinstance(value, dict):
        return to_json_schema(cast("Json", value), depth + 1)
    if key == "anyOf" and isinstance(value, list):
        return [to_json_schema(each, depth + 1) for each in _objects(cast("list[Any]", value))]
    if key == "examples":
        return [value] if not isinstance(value, list) else cast("list[Any]", value)
    if key.startswith(("min", "max")) and isinstance(value, str) and value.isdecimal() and len(value) < 19:
        return int(value)  # 64-bit numbers are written as strings
    return value


def _allow_null(out: Json) -> None:
    if isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
        if isinstance(out.get("enum"), list):
            out["enum"] = [*out["enum"], None]
    elif "anyOf" in out:
        out["anyOf"] = [*out["anyOf"], {"type": "null"}]


def _kinds(schema: Json) -> list[str]:
    given = schema.get("type")
    names = [given] if isinstance(given, str) else _list(given)
    return [each.lower() for each in names if isinstance(each, str) and each.lower() in _TYPES]


def _implied(schema: Json) -> str:
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    sample = schema.get("const", (_list(schema.get("enum")) or [""])[0])
    if isinstance(sample, bool):
        return "boolean"
    return "integer" if isinstance(sample, int) else "number" if isinstance(sample, float) else "string"


def _pointed(root: Json, reference: str) -> Json | None:
    if not reference.startswith("#"):
        return None
    at: Any = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(at, dict) or name not in at:
            return None
        at = cast("Json", at)[name]
    return cast("Json", at) if isinstance(at, dict) else None


def _object(value: Any) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _objects(value: Any) -> list[Json]:
    return [cast("Json", each) for each in _list(value) if isinstance(each, dict)]
