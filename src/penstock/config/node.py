"""A parsed file as a tree that knows where each value stands; no parser's types in it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

ScalarKind = Literal["null", "bool", "int", "float", "str"]


class Scalar(msgspec.Struct, frozen=True, kw_only=True):
    """One value. `text` is as written (quotes resolved); `plain` says that it stood without quotes."""

    line: int
    column: int
    text: str
    plain: bool

    @property
    def kind(self) -> ScalarKind:
        """What the text means by the YAML 1.2 core schema; anything quoted is a string."""
        return core_kind(self.text) if self.plain else "str"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a mapping with the place of the key."""

    line: int
    column: int
    value: Node


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Keys and values in the order of the file."""

    line: int
    column: int
    entries: dict[str, Entry]


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """A list."""

    line: int
    column: int
    items: tuple[Node, ...]


Node = Scalar | Mapping | Sequence

_BOOL = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
# No leading zeros: 017 was octal in YAML 1.1 and is 17 in 1.2, so here it is text and no number at all.
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40


def core_kind(text: str) -> ScalarKind:
    """What unquoted text means by the YAML 1.2 core schema, without infinities and without leading zeros."""
    if text in _NULL:
        return "null"
    if text in _BOOL:
        return "bool"
    if len(text) > _LONGEST_NUMBER:
        return "str"
    if _INT.fullmatch(text):
        return "int"
    return "float" if _FLOAT.fullmatch(text) else "str"


def integer(text: str) -> int:
    """The value of text of kind `int`."""
    return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)


def describe(node: Node) -> str:
    """What a node is, for messages: `a list`, `the number 5`. Text itself is left out: it may be a secret."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    names: dict[ScalarKind, str] = {
        "null": "nothing",
        "bool": f"the boolean {node.text}",
        "int": f"the number {node.text}",
        "float": f"the number {node.text}",
        "str": "text",
    }
    return names[node.kind]
