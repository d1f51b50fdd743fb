"""Conditions of `when` as the file writes them: names, operators and values that fit each other.

What is read is plain: a mapping from names, `$and`, `$or` and `$not` to what stands there, every comparison
spelled as an operator. `compile.conditions` makes it work.
"""

from __future__ import annotations

from typing import Any

from penstock.config import node as nodes
from penstock.config.node import Node, Scalar, describe
from penstock.config.problem import child, suggestion
from penstock.config.reader import INVALID, Reader
from penstock.core.predicates import FIELDS, JOINTS, OPERATORS, PREFIXES, Kind, kind_of
from penstock.core.regex import PatternError, Patterns

Read = dict[str, Any]
_NAMES = (*FIELDS, "key.tags.NAME", "request.tags.NAME")
_ORDERS = frozenset({"$gt", "$lt", "$gte", "$lte"})
_LISTS = frozenset({"$in", "$nin"})
_FITS: dict[Kind, tuple[str, tuple[type, ...]]] = {
    "text": ("text or a number", (str, int, float)),
    "number": ("a number", (int, float)),
    "count": ("a number, true or false", (int, float)),
    "flag": ("true or false", ()),
}
_FLAGS = frozenset({"$eq", "$ne", "$exists"})
MAX_DEPTH = 16


class ConditionReader:
    """Reads conditions through a `Reader`, which keeps the problems."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, node: Node, path: str, depth: int = 0) -> Any:
        """The condition, or INVALID."""
        if not isinstance(node, nodes.Mapping):
            hint = "write {input_tokens: {$gt: 1000}}"
            return self._reader.problem(node, path, f"expected a condition, got {describe(node)}", hint)
        if not node.entries:
            return self._reader.problem(node, path, "an empty condition", "name what is asked for, or use else")
        if depth > MAX_DEPTH:
            return self._reader.problem(node, path, f"conditions nested more than {MAX_DEPTH} deep")
        read: Read = {}
        for key, entry in node.entries.items():
            at = child(path, key)
            if key in ("$and", "$or"):
                read[key] = self._parts(entry.value, at, depth)
            elif key == "$not":
                read[key] = self.read(entry.value, at, depth + 1)
            else:
                kind = kind_of(key)
                read[key] = self._unknown(key, entry, at) if kind is None else self._test(entry, kind, at)
        return INVALID if any(each is INVALID for each in read.values()) else read

    def _parts(self, value: Node, at: str, depth: int) -> Any:
        if not isinstance(value, nodes.Sequence) or not value.items:
            return self._reader.problem(value, at, "expected a list of conditions", "write [{ … }, { … }]")
        read = [self.read(item, child(at, index), depth + 1) for index, item in enumerate(value.items)]
        return INVALID if any(each is INVALID for each in read) else read

    def _unknown(self, key: str, entry: nodes.Entry, at: str) -> Any:
        if key.startswith("$"):
            known: tuple[str, ...] = (*JOINTS, *OPERATORS)
            misplaced = "an operator belongs under a name, as in {user: {$eq: ada}}"
            hint = misplaced if key in OPERATORS else suggestion(key, known) or f"known: {', '.join(JOINTS)}"
            return self._reader.problem(entry, at, f"{key} is no condition", hint)
        if key in {prefix.rstrip(".") for prefix in PREFIXES} | {"request"} | set(PREFIXES):
            hint = f"name the tag, as in {key.rstrip('.').removesuffix('.tags')}.tags.tier"
            return self._reader.problem(entry, at, f"{key} alone is no name", hint)
        hint = suggestion(key, (*FIELDS, *(f"{prefix}{key.rpartition('.')[2]}" for prefix in PREFIXES)))
        return self._reader.problem(
            entry, at, "unknown name in a condition", hint or f"known names: {', '.join(_NAMES)}"
        )

    def _test(self, entry: nodes.Entry, kind: Kind, at: str) -> Any:
        value = entry.value
        if isinstance(value, nodes.Sequence):
            return self._reader.problem(value, at, "a list is no value", "write {$in: [ … ]}")
        if isinstance(value, Scalar):
            plain = self._value(value, kind, at)
            return INVALID if plain is INVALID else {"$eq": plain}
        if not value.entries:
            return self._reader.problem(value, at, "an empty comparison", f"operators: {', '.join(OPERATORS)}")
        read: Read = {}
        for operator, each in value.entries.items():
            where = child(at, operator)
            if operator not in OPERATORS:
                hint = suggestion(operator, OPERATORS) or f"operators: {', '.join(OPERATORS)}"
                if not operator.startswith("$"):
                    hint = f"write names with dots, as in {at.rpartition('.')[2]}.{operator}"
                read[operator] = self._reader.problem(each, where, "unknown operator", hint)
            else:
                read[operator] = self._operand(operator, each.value, kind, where)
        return INVALID if any(each is INVALID for each in read.values()) else read

    def _operand(self, operator: str, value: Node, kind: Kind, at: str) -> Any:
        if operator == "$exists":
            return self._flag(value, at)
        if kind == "flag" and operator not in _FLAGS:
            return self._reader.problem(value, at, f"{operator} does not fit", "it is true or false: use $eq")
        if operator in _LISTS:
            if not isinstance(value, nodes.Sequence) or not value.items:
                return self._reader.problem(value, at, "expected a list of values", "write [ … ]")
            read = [self._value(item, kind, child(at, index)) for index, item in enumerate(value.items)]
            return INVALID if any(each is INVALID for each in read) else read
        if operator == "$regex":
            return self._pattern(value, kind, at)
        plain = self._value(value, kind, at)
        if operator in _ORDERS and isinstance(plain, bool):
            return self._reader.problem(value, at, "true and false have no order", "compare with a number")
        return plain

    def _pattern(self, value: Node, kind: Kind, at: str) -> Any:
        if kind != "text":
            return self._reader.problem(value, at, "$regex fits text only", "use $gt, $lt or $in")
        text = self._reader.string(value, at)
        if text is None:
            return INVALID
        try:
            Patterns([text])
        except PatternError as error:
            hint = "RE2 has no lookaround and no backreferences"
            return self._reader.problem(value, at, str(error), hint)
        return text

    def _flag(self, value: Node, at: str) -> Any:
        plain = self._reader.plain(value, at) if isinstance(value, Scalar) else None
        if plain is INVALID or isinstance(plain, bool):
            return plain
        return self._reader.problem(value, at, "expected true or false")

    def _value(self, value: Node, kind: Kind, at: str) -> Any:
        """One value that fits the kind of name that it is compared with."""
        if not isinstance(value, Scalar):
            return self._reader.problem(value, at, f"expected a value, got {describe(value)}")
        plain = self._reader.plain(value, at)
        wanted, types = _FITS[kind]
        if plain is INVALID:
            return plain
        if isinstance(plain, bool):
            if kind in ("count", "flag"):
                return plain
            hint = 'put it in quotes if it is a text: "true"' if kind == "text" else ""
            return self._reader.problem(value, at, f"expected {wanted}, got {describe(value)}", hint)
        if isinstance(plain, types):
            return plain
        hint = "remove the quotes" if not value.plain and kind != "text" else ""
        return self._reader.problem(value, at, f"expected {wanted}, got {describe(value)}", hint)
