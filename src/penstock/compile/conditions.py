"""A document's conditions, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from penstock.core.predicates import OPERATORS, AllOf, AnyOf, Condition, Not, Operator, Test
from penstock.core.regex import Patterns


def condition_of(config: Mapping[str, Any]) -> Condition:
    """The condition that a mapping of names and joints is; all of it must hold."""
    parts = [part for name, value in config.items() for part in _parts(name, value)]
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def told(config: Mapping[str, Any]) -> str:
    """A condition as text, for explanations."""
    return msgspec.json.encode(config).decode()


def _parts(name: str, value: Any) -> list[Condition]:
    if name == "$not":
        return [Not(condition_of(value))]
    if name in ("$and", "$or"):
        inner = tuple([condition_of(each) for each in cast("list[dict[str, Any]]", value)])
        return [AllOf(inner) if name == "$and" else AnyOf(inner)]
    tests = cast("dict[str, Any]", value)
    return [_test(name, operator, tests[operator]) for operator in OPERATORS if operator in tests]


def _test(name: str, operator: Operator, value: Any) -> Condition:
    if operator == "$regex":
        return Test(name, operator, (), Patterns([value]))
    return Test(name, operator, tuple(cast("list[Any]", value)) if operator in ("$in", "$nin") else (value,))
