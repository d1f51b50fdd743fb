"""Nodes to typed values by the document's types: every problem is recorded, none ends the reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

import msgspec
from msgspec import inspect

from penstock.config import node as nodes
from penstock.config.document import Secret
from penstock.config.document.secret import HASHED
from penstock.config.node import Node, Scalar, core_kind, describe, integer
from penstock.config.problem import Problem, child, shorten, suggestion
from penstock.config.values import (
    LARGEST_INTEGER,
    NUMERIC,
    READS,
    BadValueError,
    check_references,
    day,
    expand,
)


class _Invalid:
    """Stands for a value that could not be read; its problem is recorded."""


INVALID = _Invalid()


class Reader:
    """Reads one document; `problems` grows.

    `places` has line and column of every path that was read, `kept` the indices of the items of each list
    that could be read, because a list without its bad items counts differently from the file.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[Problem] = []
        self.places: dict[str, tuple[int, int]] = {}
        self.kept: dict[str, list[int]] = {}
        self.special: dict[str, Callable[[Node, str], object]] = {}

    def problem(self, at: Node | nodes.Entry, path: str, message: str, hint: str = "") -> _Invalid:
        """Record a problem; returns INVALID, so that a reader can return it."""
        self.problems.append(Problem(path=path, line=at.line, column=at.column, message=message, hint=hint))
        return INVALID

    def read(self, node: Node, kind: inspect.Type, path: str) -> Any:
        """The value, or INVALID when it, or something required in it, could not be read."""
        self.places.setdefault(path, (node.line, node.column))
        if isinstance(kind, inspect.AnyType):
            return self.plain(node, path)
        if isinstance(node, Scalar) and node.kind == "null":
            # An empty value stands nowhere in particular; its key does.
            line, column = self.places[path]
            at = nodes.Entry(line=line, column=column, value=node)
            return self.problem(at, path, "has no value", "give it one, or remove the key")
        if isinstance(kind, inspect.Metadata):
            return self._annotated(node, kind, path)
        if isinstance(kind, inspect.UnionType):
            return self.read(node, _meant_by(node, kind), path)
        if isinstance(kind, inspect.StructType):
            return self._struct(node, kind, path)
        if isinstance(kind, inspect.DictType):
            return self._dict(node, kind, path)
        if isinstance(kind, inspect.VarTupleType):
            return self._tuple(node, kind, path)
        return self._leaf(node, kind, path)

    def plain(self, node: Node, path: str) -> Any:
        """A value of any shape as plain Python, references in text expanded."""
        if isinstance(node, nodes.Mapping):
            pairs = ((key, self.plain(entry.value, child(path, key))) for key, entry in node.entries.items())
            return {key: value for key, value in pairs if value is not INVALID}
        if isinstance(node, nodes.Sequence):
            values = (self.plain(item, child(path, index)) for index, item in enumerate(node.items))
            return [value for value in values if value is not INVALID]
        text = self.text(node, path)
        if text is None:
            return INVALID
        kind = core_kind(text) if node.plain else "str"
        if kind in {"int", "float"}:
            number = _number(text)
            return self.problem(node, path, "a number out of range") if number is None else number
        return {"null": None, "bool": text.lower() == "true"}.get(kind, text)

    def text(self, node: Scalar, path: str) -> str | None:
        """The scalar's text with references expanded; None when that fails."""
        try:
            return expand(node.text, self.env)
        except BadValueError as error:
            self.problem(node, path, error.message, error.hint)
            return None

    def string(self, node: Node, path: str) -> str | None:
        """The text of something that must be text."""
        if not isinstance(node, Scalar):
            self.problem(node, path, f"expected text, got {describe(node)}")
            return None
        if node.kind != "str":
            self.problem(node, path, f"expected text, got {describe(node)}", "put it in quotes")
            return None
        return self.text(node, path)

    def _annotated(self, node: Node, kind: inspect.Metadata, path: str) -> Any:
        reads = _reads(kind)
        if reads in self.special:
            return self.special[reads](node, path)
        if reads not in READS:
            return self.read(node, kind.type, path)
        if isinstance(node, Scalar) and reads in NUMERIC and node.kind in {"int", "float"}:
            text = self.text(node, path)
        else:
            text = self.string(node, path)
        if text is None:
            return INVALID
        try:
            return self._bounded(node, READS[reads](text), kind.type, path)
        except BadValueError as error:
            return self.problem(node, path, error.message, error.hint)

    def _struct(self, node: Node, kind: inspect.StructType, path: str) -> Any:
        if not isinstance(node, nodes.Mapping):
            return self.problem(node, path, f"expected a mapping, got {describe(node)}")
        fields = {field.encode_name: field for field in kind.fields}
        values: dict[str, Any] = {}
        complete = True
        for key, entry in node.entries.items():
            at = child(path, key)
            field = fields.get(key)
            if field is None:
                hint = suggestion(key, fields) or f"known keys: {', '.join(fields)}"
                self.problem(entry, at, "unknown key", hint)
                continue
            self.places[at] = (entry.line, entry.column)
            value = self.read(entry.value, field.type, at)
            if value is not INVALID:
                values[field.name] = value
            elif field.required:
                complete = False
        for key, field in fields.items():
            if field.required and key not in node.entries:
                self.problem(node, child(path, key), "is missing", "it is required here")
                complete = False
        return cast("Any", kind.cls)(**values) if complete else INVALID

    def _dict(self, node: Node, kind: inspect.DictType, path: str) -> Any:
        if not isinstance(node, nodes.Mapping):
            return self.problem(node, path, f"expected a mapping, got {describe(node)}")
        values: dict[str, Any] = {}
        for key, entry in node.entries.items():
            at = child(path, key)
            self.places[at] = (entry.line, entry.column)
            if isinstance(kind.key_type, inspect.Metadata):
                try:
                    READS[_reads(kind.key_type)](key)
                except BadValueError as error:
                    self.problem(entry, at, f"{shorten(key)} is {error.message}", error.hint)
            value = self.read(entry.value, kind.value_type, at)
            if value is not INVALID:
                values[key] = value
        return values

    def _tuple(self, node: Node, kind: inspect.VarTupleType, path: str) -> Any:
        if not isinstance(node, nodes.Sequence):
            return self.problem(node, path, f"expected a list, got {describe(node)}", "write [ … ]")
        values = [self.read(item, kind.item_type, child(path, index)) for index, item in enumerate(node.items)]
        self.kept[path] = [index for index, value in enumerate(values) if value is not INVALID]
        return tuple(value for value in values if value is not INVALID)

    def _leaf(self, node: Node, kind: inspect.Type, path: str) -> Any:
        if isinstance(kind, inspect.CustomType) and kind.cls is Secret:
            return self._secret(node, path)
        if isinstance(kind, inspect.LiteralType):
            return self._literal(node, kind, path)
        if isinstance(kind, inspect.BoolType | inspect.IntType | inspect.FloatType):
            return self._scalar(node, kind, path)
        text = self.string(node, path)
        if text is None:
            return INVALID
        if isinstance(kind, inspect.DateType):
            try:
                return day(text)
            except BadValueError as error:
                return self.problem(node, path, error.message, error.hint)
        if isinstance(kind, inspect.StrType):
            return self._bounded(node, text, kind, path)
        raise TypeError(f"{path}: no reader for {type(kind).__name__}")

    def _secret(self, node: Node, path: str) -> Any:
        if not isinstance(node, Scalar) or node.kind != "str":
            hint = (
                "put it in quotes" if isinstance(node, Scalar) else "write it as ${VARIABLE} or ${file:/path}"
            )
            return self.problem(node, path, "expected text for a secret", hint)
        hashed = HASHED.fullmatch(node.text)
        if hashed is not None:
            return Secret.hashed(hashed[1])
        try:
            check_references(node.text, self.env)
        except BadValueError as error:
            # No advice to write a default: a secret in the file is what references avoid.
            return self.problem(node, path, error.message, error.hint.partition(", or write ")[0])
        if not node.text:
            return self.problem(node, path, "an empty secret", "give it a value, or remove the key")
        return Secret.template(node.text)

    def _literal(self, node: Node, kind: inspect.LiteralType, path: str) -> Any:
        known = {_written(value): value for value in kind.values}
        text = self.text(node, path) if isinstance(node, Scalar) else ""
        if text is None:
            return INVALID
        if text in known:
            return known[text]
        choices = ", ".join(known)
        hint = suggestion(text, known)
        got = f", got {shorten(node.text)}" if isinstance(node, Scalar) else f", got {describe(node)}"
        return self.problem(node, path, f"expected {'one of ' if len(known) > 1 else ''}{choices}{got}", hint)

    def _scalar(self, node: Node, kind: inspect.Type, path: str) -> Any:
        wanted = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        wanted = "true or false" if isinstance(kind, inspect.BoolType) else wanted
        if not isinstance(node, Scalar):
            return self.problem(node, path, f"expected {wanted}, got {describe(node)}")
        text = self.text(node, path)
        if text is None:
            return INVALID
        # What a variable holds has no quotes of its own, so "${PORT}" may be a number.
        got = core_kind(text) if node.plain or text != node.text else "str"
        if isinstance(kind, inspect.BoolType):
            if got == "bool":
                return text.lower() == "true"
        elif got in {"int", "float"} and _number(text) is None:
            return self.problem(node, path, "a number out of range")
        elif got == "int":
            number = integer(text)
            return self._bounded(
                node, float(number) if isinstance(kind, inspect.FloatType) else number, kind, path
            )
        elif got == "float" and isinstance(kind, inspect.FloatType):
            return self._bounded(node, float(text), kind, path)
        return self.problem(
            node, path, f"expected {wanted}, got {shorten(node.text)}", _number_hint(node.text, kind, node)
        )

    def _bounded(self, node: Node, value: object, kind: inspect.Type, path: str) -> Any:
        try:
            return msgspec.convert(value, _plain_type(kind))
        except msgspec.ValidationError as error:
            message = str(error).removesuffix(" - at `$`").replace("Expected `int`", "expected a whole number")
            message = message.replace("Expected `float`", "expected a number").replace(
                "Expected `str`", "expected text"
            )
            return self.problem(node, path, message)


def _plain_type(kind: inspect.Type) -> Any:
    """The annotation with the same bounds, for msgspec to check."""
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        bounds = {name: getattr(kind, name) for name in ("gt", "ge", "lt", "le")}
        plain: Any = int if isinstance(kind, inspect.IntType) else float
    elif isinstance(kind, inspect.StrType):
        bounds = {name: getattr(kind, name) for name in ("min_length", "max_length", "pattern")}
        plain = str
    else:
        return Any
    set_bounds = {name: bound for name, bound in bounds.items() if bound is not None}
    return Annotated[plain, msgspec.Meta(**set_bounds)] if set_bounds else plain


def _reads(kind: inspect.Metadata) -> str:
    """The name of the function in `values.READS`; empty where the type alone says how to read."""
    return cast("dict[str, str]", cast("Any", kind).extra or {}).get("reads", "")


def _number(text: str) -> int | float | None:
    """The number, or None for one that could not be stored: beyond 64 bits or infinite."""
    if core_kind(text) == "int":
        number = integer(text)
        return number if abs(number) <= LARGEST_INTEGER else None
    value = float(text)
    return value if math.isfinite(value) else None


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number_hint(text: str, kind: inspect.Type, node: Scalar) -> str:
    if isinstance(kind, inspect.BoolType):
        return "write true or false, without quotes"
    if core_kind(text) == "float" and float(text).is_integer():
        return f"write {int(float(text))}"
    if not node.plain and core_kind(text) in {"int", "float"}:
        return "remove the quotes"
    return ""


def _meant_by(node: Node, kind: inspect.UnionType) -> inspect.Type:
    """Which of the types a node is of: a word that stands for itself, or the other one.

    Outside policies only "X | None" and "X | word" occur; None is said by leaving the key out.
    """
    inner = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    for one in inner:
        if isinstance(one, inspect.LiteralType) and isinstance(node, Scalar) and node.text in one.values:
            return one
    return next((one for one in inner if not isinstance(one, inspect.LiteralType)), inner[0])
