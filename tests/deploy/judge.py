"""Judges deployment files by published schemas, run by the interpreter that has them (scripts/test_tools.py).

`judge.py compose FILE` and `judge.py kubernetes FILE…`, with files as JSON. Prints what is wrong, a line each.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any, cast

import msgspec
from msgspec import inspect


def compose(text: str) -> list[str]:
    """Problems of a compose file, by the Compose Specification: unknown keys are problems."""
    from compose_spec import PyCompose  # pyright: ignore  # noqa: PGH003, PLC0415 - the judge's environment has it

    try:
        PyCompose.from_json(text).validate()  # pyright: ignore  # noqa: PGH003
    except ValueError as error:
        return [str(error)]
    return []


def kubernetes(documents: list[dict[str, Any]]) -> list[str]:
    """Problems of manifests, by the types that are made from Kubernetes' OpenAPI document."""
    found: list[str] = []
    for document in documents:
        group, _, number = document["apiVersion"].rpartition("/")
        module = f"{group.removesuffix('.k8s.io').replace('.', '_') or 'core'}_{number}"
        kind = getattr(importlib.import_module(f"lightkube.models.{module}"), document["kind"])
        name = f"{document['kind']}/{document['metadata']['name']}"
        try:
            msgspec.convert(document, kind)
        except msgspec.ValidationError as error:
            found.append(f"{name}: {error}")
        found += unknown(document, inspect.type_info(kind), name)
    return found


def unknown(value: Any, kind: inspect.Type, path: str) -> list[str]:
    """The fields of a value that its type does not have."""
    if isinstance(kind, inspect.UnionType):
        return min((unknown(value, one, path) for one in kind.types), key=len)
    if isinstance(kind, inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in kind.fields}
        found: list[str] = []
        for key, item in cast("dict[str, Any]", value).items():
            if key not in fields:
                found.append(f"{path}.{key}: no such field")
            else:
                found += unknown(item, fields[key], f"{path}.{key}")
        return found
    if isinstance(kind, inspect.ListType) and isinstance(value, list):
        items = cast("list[Any]", value)
        return [each for n, one in enumerate(items) for each in unknown(one, kind.item_type, f"{path}[{n}]")]
    if isinstance(kind, inspect.StructType | inspect.ListType | inspect.NoneType) and value is not None:
        return [f"{path}: another kind of value"]
    return []


if __name__ == "__main__":
    given = sys.stdin.read()
    problems = compose(given) if sys.argv[1] == "compose" else kubernetes(json.loads(given))
    sys.stdout.write("".join(f"{one}\n" for one in problems))
