"""Configuration as plain JSON values in the shape of the file, and the tree of nodes that the reader takes.

The admin API, the control store and revisions hold configuration in this form: as it was written, references
unresolved. A secret is text with references, or a map `{"$sealed": …, "$fingerprint": …}`, or, in the text
`${sha256:…}`, known by its hash alone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, cast

from msgspec import inspect

from penstock.config import node as nodes
from penstock.config.document import Secret
from penstock.config.document.secret import HASHED, HIDDEN
from penstock.config.node import Node, Scalar, integer
from penstock.config.schema import unwrapped

SEALED = "$sealed"
FINGERPRINT = "$fingerprint"
_NOWHERE: dict[str, Any] = {"line": 0, "column": 0}

Json = Any


def plain_source(node: Node) -> Json:
    """A parsed file's node as plain JSON, as written: nothing is expanded."""
    if isinstance(node, nodes.Mapping):
        return {key: plain_source(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, nodes.Sequence):
        return [plain_source(item) for item in node.items]
    match node.kind:
        case "null":
            return None
        case "bool":
            return node.text.lower() == "true"
        case "int":
            return integer(node.text)
        case "float":
            return float(node.text)
        case "str":
            return node.text


def to_node(value: Json, unseal: Callable[[bytes], bytes], *, literal: bool = False) -> Node:
    """Plain JSON as nodes without places. `literal`: a `${` in its text is text and no reference.

    Raises:
        UnsealError: a sealed secret cannot be opened.
        TypeError: it is no JSON value.
    """
    if isinstance(value, dict):
        mapping = cast("dict[str, Json]", value)
        if SEALED in mapping:
            text = unseal(base64.b64decode(mapping[SEALED])).decode()
            return Scalar(**_NOWHERE, text=text, plain=False)
        entries = {
            str(key): nodes.Entry(**_NOWHERE, value=to_node(inner, unseal, literal=literal))
            for key, inner in mapping.items()
        }
        return nodes.Mapping(**_NOWHERE, entries=entries)
    if isinstance(value, list | tuple):
        items = tuple(to_node(item, unseal, literal=literal) for item in cast("list[Json]", value))
        return nodes.Sequence(**_NOWHERE, items=items)
    if isinstance(value, str):
        escape = literal and HASHED.fullmatch(value) is None
        return Scalar(**_NOWHERE, text=value.replace("${", "$${") if escape else value, plain=False)
    if value is None or isinstance(value, bool | int | float):
        return Scalar(**_NOWHERE, text=json.dumps(value), plain=True)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def map_secrets(value: Json, kind: inspect.Type, change: Callable[[Json], Json]) -> Json:
    """The value with `change` applied wherever the type has a secret; what does not fit the type is left."""
    kind, reads = unwrapped(kind)
    if reads or value is None:
        return value
    if isinstance(kind, inspect.CustomType) and kind.cls is Secret:
        return change(value)
    if isinstance(kind, inspect.StructType) and isinstance(value, dict):
        types = {field.encode_name: field.type for field in kind.fields}
        return {
            key: map_secrets(inner, types[key], change) if key in types else inner
            for key, inner in cast("dict[str, Json]", value).items()
        }
    if isinstance(kind, inspect.DictType) and isinstance(value, dict):
        named = cast("dict[str, Json]", value)
        return {key: map_secrets(inner, kind.value_type, change) for key, inner in named.items()}
    if isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
        return [map_secrets(item, kind.item_type, change) for item in cast("list[Json]", value)]
    return value


def is_reference(text: str) -> bool:
    """Whether all of a secret's text is one reference without a default, which gives nothing away."""
    return Secret.template(text).is_reference


def sealed(text: str, seal: Callable[[bytes], bytes], fingerprint: Callable[[bytes], str]) -> Json:
    """The stored form of a secret as it was written: references stay, anything else is sealed."""
    if is_reference(text) or HASHED.fullmatch(text):
        return text
    box = base64.b64encode(seal(text.encode())).decode()
    return {SEALED: box, FINGERPRINT: fingerprint(text.encode())}


def shown(stored: Json) -> Json:
    """A stored secret as people may see it: a reference as written, else its fingerprint and no more."""
    if isinstance(stored, dict):
        return f"{HIDDEN} ({cast('dict[str, Json]', stored).get(FINGERPRINT, '?')})"
    found = HASHED.fullmatch(stored) if isinstance(stored, str) else None
    if found is not None:
        return f"{HIDDEN} (sha256 {found[1][:12]})"
    return stored if isinstance(stored, str) and is_reference(stored) else HIDDEN


def is_hidden(value: Json) -> bool:
    """Whether a client gives back what `shown` showed it, and so leaves the secret as it is."""
    return isinstance(value, str) and value.startswith(HIDDEN)


__all__ = [
    "FINGERPRINT", "SEALED", "Json", "is_hidden", "is_reference", "map_secrets", "plain_source",
    "sealed", "shown", "to_node",
]  # fmt: skip
