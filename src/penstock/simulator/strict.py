"""Checks of JSON that a client sent: what is unknown, missing, of a wrong type or out of range is refused.

A check takes a value and its path and raises Invalid; each API words that in its own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

Value = dict[str, Any]
Path = tuple[str | int, ...]
Check = Callable[[Any, Path], None]
Fault = Literal["unknown", "missing", "type", "value"]


class Invalid(Exception):  # noqa: N818 - it tells of the value
    """A value that is not allowed. `detail` says what would be, as a noun or after "must be"."""

    def __init__(self, path: Path, fault: Fault, detail: str = "") -> None:
        super().__init__(path, fault, detail)
        self.path, self.fault, self.detail = path, fault, detail


def within(value: Value, *names: str) -> Value:
    """The object at the end of these fields; an empty one where there is none."""
    for name in names:
        found: object = value.get(name)
        value = cast("Value", found) if isinstance(found, dict) else {}
    return value


def listed(value: Value, name: str) -> list[Value]:
    """The objects in a field that is a list; none where there is none."""
    found: object = value.get(name)
    return cast("list[Value]", found) if isinstance(found, list) else []


def texts(value: Value, name: str) -> list[str]:
    """The strings in a field that is a list; none where there is none."""
    return cast("list[str]", listed(value, name))


def anything(_value: Any, _path: Path) -> None:
    """No check."""


def text(value: Any, path: Path) -> None:
    """A string."""
    if not isinstance(value, str):
        raise Invalid(path, "type", "string")


def flag(value: Any, path: Path) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise Invalid(path, "type", "boolean")


def mapping(value: Any, path: Path) -> None:
    """An object with any fields."""
    if not isinstance(value, dict):
        raise Invalid(path, "type", "dictionary")


def whole(low: int | None = None, high: int | None = None) -> Check:
    """An integer between the bounds, which it may reach."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Invalid(path, "type", "integer")
        _between(value, path, low, high)

    return check


def number(low: float | None = None, high: float | None = None) -> Check:
    """A number between the bounds, which it may reach."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Invalid(path, "type", "number")
        _between(value, path, low, high)

    return check


def _between(value: float, path: Path, low: float | None, high: float | None) -> None:
    if low is not None and value < low:
        raise Invalid(path, "value", f"greater than or equal to {low}")
    if high is not None and value > high:
        raise Invalid(path, "value", f"less than or equal to {high}")


def one_of(*allowed: str) -> Check:
    """One of these words."""
    *most, last = [f"'{word}'" for word in allowed]
    said = f"{', '.join(most)} or {last}" if most else last

    def check(value: Any, path: Path) -> None:
        if value not in allowed:
            raise Invalid(path, "value", said)

    return check


def matching(pattern: str) -> Check:
    """A string that matches the whole pattern."""
    compiled = re.compile(pattern)

    def check(value: Any, path: Path) -> None:
        text(value, path)
        if not compiled.fullmatch(value):
            raise Invalid(path, "value", f"a string that matches pattern '{pattern}'")

    return check


def items(check: Check, *, most: int | None = None) -> Check:
    """A list whose every item passes."""

    def each(value: Any, path: Path) -> None:
        if not isinstance(value, list):
            raise Invalid(path, "type", "list")
        found = cast("list[Any]", value)
        if most is not None and len(found) > most:
            raise Invalid(path, "value", f"a list of at most {most} items")
        for index, item in enumerate(found):
            check(item, (*path, index))

    return each


def values(check: Check) -> Check:
    """An object whose every value passes."""

    def each(value: Any, path: Path) -> None:
        mapping(value, path)
        for name, item in value.items():
            check(item, (*path, name))

    return each


def optional(check: Check) -> Check:
    """Null, or what passes."""
    return lambda value, path: None if value is None else check(value, path)


def either(simple: Callable[[Any], bool], yes: Check, no: Check) -> Check:
    """One check or the other, as the value decides."""
    return lambda value, path: yes(value, path) if simple(value) else no(value, path)


def text_or(check: Check) -> Check:
    """A string, or what passes."""
    return either(lambda value: isinstance(value, str), anything, check)


def record(fields: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """An object with these fields and no others."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, dict):
            raise Invalid(path, "type", "dictionary")
        found = cast("Value", value)
        for name in required:
            if found.get(name) is None:
                raise Invalid((*path, name), "missing")
        for name, item in found.items():
            inner = fields.get(name)
            if inner is None:
                raise Invalid((*path, name), "unknown")
            inner(item, (*path, name))

    return check


def tagged(kinds: Mapping[str, Check], *, show: bool = True) -> Check:
    """An object whose `type` says which check it must pass; `show` puts the type into the path."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, dict):
            raise Invalid(path, "type", "dictionary")
        kind = cast("Value", value).get("type")
        if kind is None:
            raise Invalid((*path, "type"), "missing")
        found = kinds.get(kind) if isinstance(kind, str) else None
        if found is None:
            raise Invalid(path, "value", f"of a type that is one of {', '.join(sorted(kinds))}")
        found(value, (*path, kind) if show else path)

    return check


def union(members: Mapping[str, Check]) -> Check:
    """An object with exactly one of these fields."""
    inside = record(members)

    def check(value: Any, path: Path) -> None:
        inside(value, path)
        if len(value) != 1:
            raise Invalid(path, "value", f"an object with exactly one of {', '.join(members)}")

    return check
