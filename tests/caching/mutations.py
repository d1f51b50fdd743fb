"""Requests with one thing changed, wherever something can be changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

# What says how an answer is delivered, on whose behalf, in which lane, or what the vendor may keep of it.
NEUTRAL = frozenset(
    {
        "model", "stream", "user", "store", "service_tier", "safety_identifier", "prompt_cache_key",
        "prompt_cache_retention", "metadata", "stream_options", "labels", "requestMetadata",
    }
)  # fmt: skip
# The same wherever it stands.
MARKS = (".cache_control", ".cachePoint")


class Mutation(NamedTuple):
    """A body and where it differs from the original."""

    path: str
    body: dict[str, Any]


def neutral(path: str) -> bool:
    """Whether what stands there cannot change the answer."""
    return path.split(".")[1].partition("[")[0] in NEUTRAL or any(mark in path for mark in MARKS)


def places(value: Any, path: str = "") -> Iterator[tuple[str, list[str | int]]]:
    """Every value within a JSON value: its path as text, and as steps."""
    for steps in _steps(value):
        text = path
        for step in steps:
            text += f"[{step}]" if isinstance(step, int) else f".{step}"
        yield text, steps


def _steps(value: Any) -> Iterator[list[str | int]]:
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield [name]
            for below in _steps(inner):
                yield [name, *below]
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[Any]", value)):
            yield [index]
            for below in _steps(inner):
                yield [index, *below]


def mutations(body: dict[str, Any]) -> Iterator[Mutation]:
    """The body with each scalar changed, and with a field that nobody knows in each object."""
    yield Mutation(".unheard_of", {**body, "unheard_of": 1})
    for text, steps in places(body):
        changed = copy.deepcopy(body)
        at: Any = changed
        for step in steps[:-1]:
            at = at[step]
        old = at[steps[-1]]
        if isinstance(old, dict):
            cast("dict[str, Any]", old)["unheard_of"] = 1
            yield Mutation(f"{text}.unheard_of", changed)
        elif not isinstance(old, list):
            at[steps[-1]] = other(old)
            yield Mutation(text, changed)


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "x"
    return value + 1 if isinstance(value, int | float) else "x"
