"""The form of the answer, how much is thought before it, and how much is said: `text` and `reasoning`."""

from __future__ import annotations

import re
from typing import Any

from penstock.core.chat import OutputFormat, Reasoning
from penstock.core.parts import Extras
from penstock.shapes.openai_responses.names import SHAPE, is_own, wire_fields
from penstock.shapes.taker import Taker, put

_KINDS = {"text": "text", "json_object": "json", "json_schema": "schema"}
_TYPES = {kind: name for name, kind in _KINDS.items()}
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


def decode_format(taker: Taker) -> OutputFormat | None:
    """The `format` in a `text` object; one of a kind that is not known stays there."""
    found = taker.rest.get("format")
    kind = found.get("type") if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(kind, str) or kind not in _KINDS:
        taker.value("format") if taker.strict and found is not None and not isinstance(found, dict) else None
        return None
    inner = taker.object("format")
    if inner is None:
        return None
    return OutputFormat(
        _KINDS[kind],  # type: ignore[arg-type]
        inner.value("schema"),
        inner.text("name") or "",
        inner.text("description") or "",
        inner.flag("strict"),
        inner.extras(SHAPE),
    )


def encode_format(output: OutputFormat) -> dict[str, Any]:
    """The `format` object."""
    out = wire_fields(output.extras)
    out["type"] = _TYPES[output.kind]
    if output.kind != "schema":
        return out
    name = output.name
    if not is_own(output.extras):
        name = _NOT_IN_NAMES.sub("_", name)[:64] or "response"
    schema = output.schema if output.schema is not None else {"type": "object"}
    return put(
        out, name=name or None, description=output.description or None, schema=schema, strict=output.strict
    )


def decode_reasoning_wish(taker: Taker) -> Reasoning:
    """The request's `reasoning`."""
    effort, summary = taker.text("effort"), taker.text("summary")
    return Reasoning(effort=effort, summary=summary, extras=Extras(SHAPE, taker.rest))


def encode_reasoning_wish(reasoning: Reasoning) -> dict[str, Any]:
    """The `reasoning` of a request of this shape."""
    return put(wire_fields(reasoning.extras), effort=reasoning.effort, summary=reasoning.summary)
