"""Arguments of a function call that arrive in pieces, each with the path of the value that it belongs to.

Vertex AI sends them where `streamFunctionCallArguments` asks for it:
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, cast

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,6})\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
MAX_STEPS = 64
MAX_GAP = 1000


class PartialArgs:
    """The arguments so far."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def whole(self, args: dict[str, Any]) -> None:
        """Arguments that come whole."""
        self._root.update(args)

    def add(self, piece: Any) -> None:
        """One more piece; what cannot be placed is passed over."""
        if not isinstance(piece, dict):
            return
        fields = cast("dict[str, Any]", piece)
        path = fields.get("jsonPath", fields.get("json_path"))
        steps = _steps(path) if isinstance(path, str) else []
        if steps:
            _place(self._root, steps, fields)

    def value(self) -> dict[str, Any]:
        """All that was gathered."""
        return self._root


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 1 if path.startswith("$") else 0
    while at < len(path) and len(steps) < MAX_STEPS:
        found = _STEP.match(path, at)
        if found is None:
            return []
        name, number, single, double = found.groups()
        steps.append(int(number) if number is not None else name or single or double or "")
        at = found.end()
    return steps


def _place(root: dict[str, Any], steps: list[str | int], fields: dict[str, Any]) -> None:
    at: Any = root
    for step, following in pairwise(steps):
        empty: Any = [] if isinstance(following, int) else {}
        inner = _get(at, step)
        if not isinstance(inner, dict | list):
            inner = empty
            if not _set(at, step, inner):
                return
        at = cast("Any", inner)
    last = steps[-1]
    text = fields.get("stringValue", fields.get("string_value"))
    if isinstance(text, str):
        old = _get(at, last)
        _set(at, last, old + text if isinstance(old, str) else text)
        return
    for name in ("numberValue", "number_value", "boolValue", "bool_value"):
        if name in fields:
            _set(at, last, fields[name])
            return
    if "nullValue" in fields or "null_value" in fields:
        _set(at, last, None)


def _get(at: Any, step: str | int) -> Any:
    if isinstance(at, dict) and isinstance(step, str):
        return cast("dict[str, Any]", at).get(step)
    if isinstance(at, list) and isinstance(step, int):
        values = cast("list[Any]", at)
        return values[step] if step < len(values) else None
    return None


def _set(at: Any, step: str | int, value: Any) -> bool:
    if isinstance(at, dict) and isinstance(step, str):
        at[step] = value
        return True
    if isinstance(at, list) and isinstance(step, int):
        values = cast("list[Any]", at)
        if step > len(values) + MAX_GAP:
            return False
        values.extend([None] * (step + 1 - len(values)))
        values[step] = value
        return True
    return False
