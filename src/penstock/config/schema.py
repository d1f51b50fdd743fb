"""JSON Schema of `penstock.yaml` for editors, made from the document's types."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import inspect

from penstock.config.document import Accept, Document
from penstock.config.policy import OPTIONS
from penstock.core.predicates import FIELDS, OPERATORS

SCHEMA_FILE = Path(__file__).with_name("penstock.schema.json")

# A value that stands in a variable: wherever a number or a boolean may be, this text may be too.
_REFERENCE: dict[str, Any] = {"type": "string", "pattern": r"^\$\{[^}]+\}$"}
_READS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,127}$"},
    "size": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]},
    "duration": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]},
    "decimal": {"anyOf": [{"type": "number", "minimum": 0}, _REFERENCE]},
    "address": {"type": "string"},
    "url": {"type": "string"},
    "network": {"type": "string"},
    "moment": {"type": "string"},
    "lateness": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}]},
    "policy": {"$ref": "#/$defs/Policy"},
    "branch": {"$ref": "#/$defs/Branch"},
    "arm": {"$ref": "#/$defs/ArmItem"},
    "step": {"$ref": "#/$defs/StepItem"},
    "condition": {"$ref": "#/$defs/Condition"},
}


def schema() -> dict[str, Any]:
    """The schema as plain JSON values (draft 2020-12)."""
    definitions: dict[str, Any] = _policy()
    root = _type(inspect.type_info(Document), definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "penstock.yaml",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def definitions_of(*classes: type) -> dict[str, Any]:
    """The schemas of these types and of all that they are made of, by name, referred to as `#/$defs/Name`."""
    definitions: dict[str, Any] = _policy()
    for cls in classes:
        _type(inspect.type_info(cls), definitions)
    return definitions


def schema_text() -> str:
    """What `penstock.schema.json` has to contain."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def field_docs(cls: type) -> dict[str, str]:
    """What the docstring's `Attributes:` say of each field, by the name in the file."""
    _, _, listed = (cls.__doc__ or "").partition("Attributes:\n")
    docs: dict[str, str] = {}
    name = ""
    for line in listed.splitlines():
        start = re.fullmatch(r" {8}(\w+): (.*)", line)
        if start:
            name = start[1]
            docs[name] = start[2]
        elif name and line.strip():
            docs[name] += " " + line.strip()
    return docs


def summary(cls: type) -> str:
    """The docstring above `Attributes:`, its lines joined."""
    return re.sub(r"\s*\n\s*", " ", (cls.__doc__ or "").partition("Attributes:")[0].strip())


def unwrapped(kind: inspect.Type) -> tuple[inspect.Type, str]:
    """The type without None and annotations, and the name of its reader (empty when it has none)."""
    if isinstance(kind, inspect.UnionType):
        inner = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return unwrapped(inner[0]) if len(inner) == 1 else (kind, "")
    if isinstance(kind, inspect.Metadata):
        reads = cast("dict[str, str]", cast("Any", kind).extra or {}).get("reads", "")
        return kind.type, reads
    return kind, ""


def _type(kind: inspect.Type, definitions: dict[str, Any]) -> dict[str, Any]:
    kind, reads = unwrapped(kind)
    if reads:
        return _READS[reads]
    if isinstance(kind, inspect.UnionType):
        inner = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return {"anyOf": [_type(one, definitions) for one in inner]}
    if isinstance(kind, inspect.StructType):
        return _struct(kind, definitions)
    if isinstance(kind, inspect.DictType):
        result: dict[str, Any] = {"type": "object"}
        if not isinstance(kind.value_type, inspect.AnyType):
            result["additionalProperties"] = _type(kind.value_type, definitions)
        _, key_reads = unwrapped(kind.key_type)
        return result | ({"propertyNames": _READS[key_reads]} if key_reads else {})
    if isinstance(kind, inspect.VarTupleType):
        return {"type": "array", "items": _type(kind.item_type, definitions)}
    if isinstance(kind, inspect.LiteralType):
        return {"enum": list(kind.values)}
    return _leaf(kind)


def _leaf(kind: inspect.Type) -> dict[str, Any]:
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        keys = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
        bounds = {key: getattr(kind, name) for name, key in keys.items() if getattr(kind, name) is not None}
        name = "integer" if isinstance(kind, inspect.IntType) else "number"
        return {"anyOf": [{"type": name, **bounds}, _REFERENCE]}
    if isinstance(kind, inspect.BoolType):
        return {"anyOf": [{"type": "boolean"}, _REFERENCE]}
    if isinstance(kind, inspect.StrType):
        lengths = {"minLength": kind.min_length, "maxLength": kind.max_length}
        return {"type": "string", **{key: length for key, length in lengths.items() if length is not None}}
    # What is left is text with a meaning of its own: days and secrets.
    return {"type": "string"}


def _struct(kind: inspect.StructType, definitions: dict[str, Any]) -> dict[str, Any]:
    docs = field_docs(kind.cls)
    body: dict[str, Any] = {"type": "object", "additionalProperties": False, "description": summary(kind.cls)}
    if kind.cls is not Document:
        if kind.cls.__name__ in definitions:
            return {"$ref": f"#/$defs/{kind.cls.__name__}"}
        definitions[kind.cls.__name__] = body
    body["properties"] = {
        field.encode_name: _type(field.type, definitions) | {"description": docs[field.encode_name]}
        for field in kind.fields
    }
    required = [field.encode_name for field in kind.fields if field.required]
    if required:
        body["required"] = required
    return body if kind.cls is Document else {"$ref": f"#/$defs/{kind.cls.__name__}"}


def _policy() -> dict[str, Any]:
    """The policy as the file writes it, which is not how the types hold it."""
    policy = {"$ref": "#/$defs/Policy"}
    children = {"type": "array", "minItems": 1, "items": policy}
    weight = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, _REFERENCE]}
    text = {"type": "string", "minLength": 1}
    sets = {"type": "object", "description": "Parameters and prompt for this place in the policy."}
    branch = {"anyOf": [_closed({"use": policy, "weight": weight, "set": sets}, ["use"]), policy]}
    case = _closed({"if": {"$ref": "#/$defs/Condition"}, "use": policy}, ["if", "use"])
    definitions: dict[str, Any] = {"Policy": {}, "Branch": branch}
    definitions["Condition"] = _condition(definitions)
    named = {"use": policy, "weight": weight, "name": _READS["name"], "set": sets}
    accept = _type(inspect.type_info(Accept), definitions)
    step = {"use": policy, "accept": accept, "set": sets}
    definitions["StepItem"] = {"anyOf": [_closed(step, ["use"]), policy]}
    definitions["ArmItem"] = {"anyOf": [_closed(named, ["use"]), policy]}
    nodes: dict[str, dict[str, Any]] = {
        "fallback": children,
        "weighted": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Branch"}},
        "static": text,
    }
    for kind, (cls, listed) in OPTIONS.items():
        options = _type(inspect.type_info(cls), definitions)
        body: dict[str, Any] = definitions[cls.__name__]["properties"]
        nodes[kind] = {"anyOf": [body[listed] | {"minItems": 1}, options]} if listed else options
    shapes: list[dict[str, Any]] = [_closed({name: shape}, [name]) for name, shape in nodes.items()]
    shapes.append(_closed({"use": text, "set": sets}, ["use", "set"]))
    when = {"when": {"type": "array", "minItems": 1, "items": case}, "else": policy}
    target = text | {"description": "A deployment's name, or provider/model."}
    description = "Which targets are tried, as a tree: a target, or a mapping with one policy node."
    shapes.append(_closed(when, ["when", "else"]))
    definitions["Policy"] = {"description": description, "anyOf": [target, *shapes]}
    return definitions


def _condition(definitions: dict[str, Any]) -> dict[str, Any]:
    """What stands under `if`: names with a value or with operators, and the joints."""
    value = {"type": ["string", "number", "boolean"]}
    listed = {"type": "array", "minItems": 1, "items": value}
    operators: dict[str, Any] = dict.fromkeys(OPERATORS, value)
    operators |= {"$in": listed, "$nin": listed, "$regex": {"type": "string"}, "$exists": {"type": "boolean"}}
    operators = {"type": "object", "additionalProperties": False, "properties": operators}
    definitions["Comparison"] = {"anyOf": [value, operators]}
    test = {"$ref": "#/$defs/Comparison"}
    condition = {"$ref": "#/$defs/Condition"}
    conditions = {"type": "array", "minItems": 1, "items": condition}
    return {
        "type": "object",
        "description": "Names with a value or with operators; all must hold.",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": dict.fromkeys(FIELDS, test) | {"$and": conditions, "$or": conditions, "$not": condition},
        "patternProperties": {r"^(key|request)\.tags\..+": test},
    }


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }
