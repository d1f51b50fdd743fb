"""Usage of embeddings in OpenAI's shape, as core Usage and back."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import Usage
from penstock.shapes.billed import billed
from penstock.shapes.taker import extras_of


def _count(value: Any) -> int | None:
    return max(0, int(value)) if isinstance(value, int | float) and abs(value) < 2**53 else None


def counts_of(value: dict[str, Any]) -> Usage:
    """Counts as reported. Voyage and Jina's older models report a total alone."""
    given = _count(value.get("prompt_tokens"))
    if given is None:
        given = _count(value.get("total_tokens"))
    details = value.get("prompt_tokens_details")
    inside = cast("dict[str, Any]", details) if isinstance(details, dict) else {}
    return Usage(
        given or 0,
        _count(value.get("completion_tokens")) or 0,
        image_input_tokens=_count(inside.get("image_tokens")) or 0,
        audio_input_tokens=_count(inside.get("audio_tokens")) or 0,
    )


def read_usage(value: dict[str, Any], shape: str) -> ReplyUsage:
    """The pivot's usage, with the vendor's object in full."""
    return ReplyUsage(counts_of(value), billed(value), Extras(shape, value))


def write_usage(usage: ReplyUsage, shape: str) -> dict[str, Any]:
    """The usage object; a vendor's own where it still says the same."""
    counts, own = usage.counts, extras_of(usage.extras, shape)
    kept = usage.extras is not None and usage.extras.shape == shape
    if kept and counts_of(own) == counts:
        return own
    own |= {"prompt_tokens": counts.input_tokens, "total_tokens": counts.input_tokens + counts.output_tokens}
    if counts.output_tokens:
        own["completion_tokens"] = counts.output_tokens
    return own
