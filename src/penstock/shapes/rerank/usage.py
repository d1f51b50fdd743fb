"""Usage of rerank: Cohere bills searches (`meta.billed_units`), Jina and Voyage tokens (`usage`)."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import Usage
from penstock.shapes.embeddings.usage import read_usage
from penstock.shapes.taker import Taker, extras_of


def _units(meta: Any) -> dict[str, Any]:
    found = cast("dict[str, Any]", meta).get("billed_units") if isinstance(meta, dict) else None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _count(units: dict[str, Any], name: str) -> int:
    value = units.get(name)
    return max(0, int(value)) if isinstance(value, int | float) and abs(value) < 2**53 else 0


def _meta_counts(meta: Any) -> Usage:
    units = _units(meta)
    return Usage(
        _count(units, "input_tokens"), _count(units, "output_tokens"), requests=_count(units, "search_units")
    )


def take_usage(body: Taker, shape: str) -> ReplyUsage | None:
    """Take the bill out of a reply: `meta` or `usage`, whichever is there; `meta` keeps its other members."""
    meta = body.value("meta")
    usage = body.value("usage")
    if usage is not None:
        read = read_usage(usage, shape)
        own = {"usage": usage} if meta is None else {"usage": usage, "meta": meta}
        searches = _meta_counts(meta).requests
        counts = Usage(read.counts.input_tokens, read.counts.output_tokens, requests=searches)
        return ReplyUsage(counts, read.cost_nanousd, Extras(shape, own))
    return None if meta is None else ReplyUsage(_meta_counts(meta), None, Extras(shape, {"meta": meta}))


def put_usage(out: dict[str, Any], usage: ReplyUsage, shape: str) -> None:
    """Put the bill into a reply; a vendor's own where it still says the same."""
    own = extras_of(usage.extras, shape)
    counts = usage.counts
    if own:
        again = take_usage(Taker(own), shape)
        if again is not None and again.counts == counts:
            out.update(own)
            return
    meta = cast("dict[str, Any]", own.get("meta") or {})
    if counts.requests:
        out["meta"] = {**meta, "billed_units": {**_units(meta), "search_units": counts.requests}}
    elif meta:
        out["meta"] = meta
    if counts.input_tokens or "usage" in own or "meta" not in out:
        total = counts.input_tokens + counts.output_tokens
        before = cast("dict[str, Any]", own.get("usage") or {})
        out["usage"] = {**before, "prompt_tokens": counts.input_tokens, "total_tokens": total}
