"""Conditions over a request, compiled: what stands under `if` in a policy.

A name stands for text, a number, a count or a flag (`FIELDS`). A value that a request does not have equals
nothing: `$ne`, `$nin` and `$not` hold for it, every other operator but `$exists: false` does not.

Text is compared as text. Where the configuration has a number instead, text that reads as a number is compared
as that number (a tag `7` is `$eq: 7`, `$gte: 5.5` and `$lt: 10`), and other text is as if it were not there. A
count, such as `images`, is a number that may also be compared with true (at least one) and false (none).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Literal, Protocol

from penstock.core.regex import Patterns

Value = str | int | float | bool | None
Kind = Literal["text", "number", "count", "flag"]
Operator = Literal["$eq", "$ne", "$in", "$nin", "$regex", "$gt", "$lt", "$gte", "$lte", "$exists"]

FIELDS: dict[str, Kind] = {
    "key": "text",
    "team": "text",
    "org": "text",
    "user": "text",
    "dialect": "text",
    "endpoint": "text",
    "task": "text",
    "region": "text",
    "input_tokens": "number",
    "max_tokens": "number",
    "hour": "number",
    "tools": "count",
    "images": "count",
    "stream": "flag",
}
# Names with a part of the user's own: the tags of the key, which we set, and those that a client claims.
PREFIXES = ("key.tags.", "request.tags.")
OPERATORS: tuple[Operator, ...] = (
    "$eq", "$ne", "$in", "$nin", "$regex", "$gt", "$lt", "$gte", "$lte", "$exists",
)  # fmt: skip
JOINTS = ("$and", "$or", "$not")


def kind_of(name: str) -> Kind | None:
    """What a name stands for, None for no name at all."""
    for prefix in PREFIXES:
        if name.startswith(prefix) and len(name) > len(prefix):
            return "text"
    return FIELDS.get(name)


class Facts(Protocol):
    """What conditions may ask of a request."""

    def value(self, name: str) -> Value:
        """The value, None where the request has none."""
        ...


class Condition(ABC):
    """Holds for a request or not."""

    __slots__ = ()

    @abstractmethod
    def holds(self, facts: Facts) -> bool:
        """Whether it holds."""

    @abstractmethod
    def names(self) -> list[str]:
        """The names that it asks for."""


class AllOf(Condition):
    """Holds where all of them do."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Condition, ...]) -> None:
        self.parts = parts

    def holds(self, facts: Facts) -> bool:
        """See Condition."""
        for part in self.parts:  # noqa: SIM110 - a generator costs more than the rest of it
            if not part.holds(facts):
                return False
        return True

    def names(self) -> list[str]:
        """See Condition."""
        return [name for part in self.parts for name in part.names()]


class AnyOf(Condition):
    """Holds where at least one of them does."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Condition, ...]) -> None:
        self.parts = parts

    def holds(self, facts: Facts) -> bool:
        """See Condition."""
        for part in self.parts:  # noqa: SIM110 - a generator costs more than the rest of it
            if part.holds(facts):
                return True
        return False

    def names(self) -> list[str]:
        """See Condition."""
        return [name for part in self.parts for name in part.names()]


class Not(Condition):
    """Holds where the other one does not."""

    __slots__ = ("part",)

    def __init__(self, part: Condition) -> None:
        self.part = part

    def holds(self, facts: Facts) -> bool:
        """See Condition."""
        return not self.part.holds(facts)

    def names(self) -> list[str]:
        """See Condition."""
        return self.part.names()


class Test(Condition):
    """One name compared with `operands`: one of them, or any number for `$in` and `$nin`.

    `pattern` is set for `$regex`.
    """

    __slots__ = ("name", "operands", "operator", "pattern")
    __test__ = False  # pytest collects classes by this name

    def __init__(
        self, name: str, operator: Operator, operands: tuple[Value, ...], pattern: Patterns | None = None
    ) -> None:
        self.name = name
        self.operator = operator
        self.operands = operands
        self.pattern = pattern

    def names(self) -> list[str]:
        """See Condition."""
        return [self.name]

    def holds(self, facts: Facts) -> bool:
        """See Condition."""
        value = facts.value(self.name)
        operator = self.operator
        if operator == "$exists":
            return (value is not None) == bool(self.operands[0])
        if operator in ("$eq", "$in"):
            return value is not None and self._among(value)
        if operator in ("$ne", "$nin"):
            return value is None or not self._among(value)
        if operator == "$regex":
            pattern = self.pattern
            return value is not None and pattern is not None and pattern.occur(str(value))
        sign = _order(value, self.operands[0])
        if sign is None:
            return False
        if operator in ("$gt", "$gte"):
            return sign > 0 or (sign == 0 and operator == "$gte")
        return sign < 0 or (sign == 0 and operator == "$lte")

    def _among(self, value: Value) -> bool:
        for operand in self.operands:  # noqa: SIM110 - a generator costs more than the rest of it
            if equal(value, operand):
                return True
        return False


def equal(value: Value, operand: Value) -> bool:
    """Whether a request's value is what the configuration says."""
    if isinstance(operand, bool):
        return (
            bool(value) == operand if isinstance(value, (bool, int)) else str(value).lower() == _word(operand)
        )
    if isinstance(operand, str) or isinstance(value, bool):
        return value == operand
    return _order(value, operand) == 0


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _order(value: Value, operand: Value) -> int | None:
    """-1, 0 or 1 as the value is below, at or above the operand; None where they cannot be compared."""
    if isinstance(operand, str):
        if not isinstance(value, str):
            return None
        return (value > operand) - (value < operand)
    if operand is None:
        return None
    left = number_of(value)
    if left is None:
        return None
    return (left > operand) - (left < operand)


def number_of(value: Value) -> float | int | None:
    """A number, or text that reads as one; None for anything else."""
    if isinstance(value, str):
        try:
            found = float(value) if len(value) <= 64 else math.nan
        except ValueError:
            return None
        return found if math.isfinite(found) else None
    return value
