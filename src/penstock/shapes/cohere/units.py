"""What Cohere bills, as core Usage.

A chat reply has two counts: `billed_units`, and `tokens`, which include the preamble and the special tokens
that Cohere adds and does not charge for (https://docs.cohere.com/docs/how-does-cohere-pricing-work). The
recordings agree: `tokens` is the greater by a constant of several hundred. The pivot has what is billed.
`cached_tokens` counts among `tokens`, is often more than all that is billed, and has no price of its own: it
stays in the extras alone.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import Usage
from penstock.shapes.taker import extras_of


def _count(value: Any) -> int:
    return max(0, int(value)) if isinstance(value, int | float) and abs(value) < 2**53 else 0


def _member(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def counts_of(value: dict[str, Any]) -> Usage:
    """The billed counts of a `usage` (chat) or a `meta` (embeddings); the tokens where no bill is given."""
    billed, tokens = _member(value, "billed_units"), _member(value, "tokens")
    source = billed if "input_tokens" in billed or "output_tokens" in billed else {**tokens, **billed}
    given, made = _count(source.get("input_tokens")), _count(source.get("output_tokens"))
    pictures = _count(billed.get("image_tokens"))
    # In embeddings the two kinds of token are billed apart, and the pivot's input is all of it.
    return Usage(
        given + pictures,
        made,
        reasoning_tokens=min(made, _count(tokens.get("reasoning_tokens"))),
        image_input_tokens=pictures or min(given, _count(tokens.get("image_tokens"))),
        requests=_count(billed.get("search_units")),
        images=_count(billed.get("images")),
    )


def read_usage(value: dict[str, Any], shape: str) -> ReplyUsage:
    """The pivot's usage, with the vendor's object in full."""
    return ReplyUsage(counts_of(value), None, Extras(shape, value))


def write_usage(usage: ReplyUsage, shape: str) -> dict[str, Any]:
    """The object; a vendor's own where it still says the same."""
    counts, own = usage.counts, extras_of(usage.extras, shape)
    kept = usage.extras is not None and usage.extras.shape == shape
    if kept and counts_of(own) == counts:
        return own
    units = {**_member(own, "billed_units"), "input_tokens": counts.input_tokens}
    if units.get("image_tokens") is not None:
        units |= {
            "input_tokens": counts.input_tokens - counts.image_input_tokens,
            "image_tokens": counts.image_input_tokens,
        }
    if shape == "cohere" or counts.output_tokens:
        units["output_tokens"] = counts.output_tokens
    tokens = {
        **_member(own, "tokens"),
        "input_tokens": counts.input_tokens,
        "output_tokens": counts.output_tokens,
    }
    if counts.reasoning_tokens:
        tokens["reasoning_tokens"] = counts.reasoning_tokens
    own["billed_units"] = units
    if shape == "cohere":
        own["tokens"] = tokens
        if counts.cache_read_tokens:
            own["cached_tokens"] = counts.cache_read_tokens
    return own
