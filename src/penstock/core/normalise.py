"""Values brought to the form that a JSON schema asks for, where there is no doubt about what they mean.

A model that writes `"Germany "` for an enumerated `germany`, `"1,200"` for a number, `5 March 2026` for a date
has answered; asking it again costs money and may change the rest. Only what has one meaning is changed: a date
such as 03/05/2026 stays as it is. Deterministic and pure; each change is told with its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from penstock.core.dates import date_of, moment_of

Schema = dict[str, Any]
Aliases = Mapping[str, Mapping[str, str]]
MAX_DEPTH = 64
_SEPARATORS = re.compile(r"[\s_\-./]+")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_YES = frozenset({"true", "yes", "y", "1"})
_NO = frozenset({"false", "no", "n", "0"})
_NOTHING = frozenset({"", "null", "none", "nil", "n/a", "na"})


@dataclass(frozen=True, slots=True)
class Change:
    """One value that was changed: where (`items[].city`), and how.

    `kind`: `case` (an enumerated value or a key, but for case, characters' form and separators), `alias`,
    `number`, `boolean`, `date`, `null`, `text`, `list`.
    """

    path: str
    kind: str


@dataclass(slots=True)
class Normaliser:
    """Brings values to a schema's form. `aliases`: by property, other words for enumerated values, or `*`.

    `valid` says whether a value obeys a schema, for choosing among alternatives.
    """

    root: Schema
    aliases: Aliases = field(default_factory=dict[str, Mapping[str, str]])
    valid: Callable[[Any, Schema], bool] | None = None
    changes: list[Change] = field(default_factory=list[Change])

    def value(self, value: Any, schema: Any = None, path: str = "", depth: int = 0) -> Any:
        """The value in the schema's form; the same one where nothing had to be changed."""
        schema = self._resolved(self.root if schema is None else schema)
        if schema is None or depth > MAX_DEPTH:
            return value
        for word in ("anyOf", "oneOf"):
            choices = schema.get(word)
            if isinstance(choices, list):
                return self._one_of(value, cast("list[Any]", choices), path, depth)
        for part in _list(schema.get("allOf")):
            value = self.value(value, part, path, depth + 1)
        allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if isinstance(allowed, list):
            return self._enumerated(value, cast("list[Any]", allowed), path)
        return self._typed(value, schema, path, depth)

    def _resolved(self, schema: Any) -> Schema | None:
        """The schema behind local references; None for one that says nothing, or leads in a circle."""
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict):
                return None
            found = cast("Schema", schema)
            target = found.get("$ref")
            if not isinstance(target, str):
                return found
            schema = self._at(target)
        return None

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return None
        found: Any = self.root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = cast("Schema", found).get(name) if isinstance(found, dict) else None
        return found

    def _one_of(self, value: Any, choices: list[Any], path: str, depth: int) -> Any:
        """The first alternative that the value obeys as it is, else the first that it can be brought to."""
        if self.valid is None:
            return value
        schemas = [self._resolved(choice) for choice in choices]
        known = [schema for schema in schemas if schema is not None]
        if any(self.valid(value, schema) for schema in known):
            return value
        for schema in known:
            before = len(self.changes)
            changed = self.value(value, schema, path, depth + 1)
            if len(self.changes) > before and self.valid(changed, schema):
                return changed
            del self.changes[before:]
        return value

    def _enumerated(self, value: Any, allowed: list[Any], path: str) -> Any:
        if any(value == each and type(value) is type(each) for each in allowed):
            return value
        if not isinstance(value, str):
            text = _number_text(value)
            return self._changed(path, "text", text) if text in allowed else value
        word = folded(value)
        found = [each for each in allowed if isinstance(each, str) and folded(each) == word]
        if len(found) == 1:
            return self._changed(path, "case", found[0])
        name = path.rpartition(".")[2].removesuffix("[]")
        for table in (self.aliases.get(name), self.aliases.get("*")):
            for alias, meant in (table or {}).items():
                if folded(alias) == word and meant in allowed:
                    return self._changed(path, "alias", meant)
        for each in allowed:
            if each is None and word in _NOTHING:
                return self._changed(path, "null", None)
            if not isinstance(each, str) and each is not None and _plain(each) == word:
                return self._changed(path, "number", each)
        return value

    def _typed(self, value: Any, schema: Schema, path: str, depth: int) -> Any:
        said = schema.get("type")
        types = cast("list[Any]", said) if isinstance(said, list) else [said]
        if isinstance(value, dict):
            return self._object(cast("dict[str, Any]", value), schema, path, depth)
        if isinstance(value, list):
            items = cast("list[Any]", value)
            changed = [self.value(each, schema.get("items"), f"{path}[]", depth + 1) for each in items]
            return items if all(a is b for a, b in zip(changed, items, strict=True)) else changed
        if types == ["array"] and value is not None:
            return self._changed(path, "list", [self.value(value, schema.get("items"), f"{path}[]", depth + 1)])
        if isinstance(value, str):
            return self._text(value, types, schema, path)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | float) and types == ["string"]:
            return self._changed(path, "text", _number_text(value))
        return value

    def _text(self, value: str, types: list[Any], schema: Schema, path: str) -> Any:
        if "string" in types or types == [None]:
            form, written = schema.get("format"), None
            if form == "date":
                written = date_of(value)
            elif form == "date-time":
                written = moment_of(value)
            return self._changed(path, "date", written) if written is not None and written != value else value
        word = value.strip()
        if ("integer" in types or "number" in types) and (number := number_of(word)) is not None:
            whole = number == number.to_integral_value()
            if "number" in types or whole:
                plain = int(number) if whole and "." not in word else float(number)
                return self._changed(path, "number", int(plain) if "number" not in types else plain)
        if "boolean" in types and word.casefold() in _YES | _NO:
            return self._changed(path, "boolean", word.casefold() in _YES)
        if "null" in types and word.casefold() in _NOTHING:
            return self._changed(path, "null", None)
        return value

    def _object(self, value: dict[str, Any], schema: Schema, path: str, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return value
        known = cast("dict[str, Any]", properties)
        out: dict[str, Any] = {}
        for name, each in value.items():
            meant = name if name in known else self._meant(name, known, value)
            at = f"{path}.{meant}" if path else meant
            if meant != name:
                self.changes.append(Change(at, "case"))
            out[meant] = self.value(each, known[meant], at, depth + 1) if meant in known else each
        same = list(out) == list(value) and all(out[name] is value[name] for name in value)
        return value if same else out

    def _meant(self, name: str, known: dict[str, Any], value: dict[str, Any]) -> str:
        """The property that a key means which is none: the only one with the same letters, if it is missing."""
        word = folded(name).replace(" ", "")
        found = [each for each in known if each not in value and folded(each).replace(" ", "") == word]
        rivals = [each for each in value if each not in known and folded(each).replace(" ", "") == word]
        return found[0] if len(found) == 1 and len(rivals) == 1 else name

    def _changed(self, path: str, kind: str, value: Any) -> Any:
        self.changes.append(Change(path or "$", kind))
        return value


def folded(text: str) -> str:
    """The text without what does not matter in an enumerated word: case, form of characters, separators."""
    camel = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKC", text))
    return _SEPARATORS.sub(" ", camel).strip().casefold()


def number_of(text: str) -> Decimal | None:
    """The number that a text is, thousands separated by commas or spaces; None for anything else."""
    if _NUMBER.fullmatch(text) is None or len(text) > 40:
        return None
    return Decimal(text.replace(",", "").replace(" ", ""))


def _number_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _plain(value: Any) -> str:
    return str(value).casefold()


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
