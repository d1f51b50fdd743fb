"""Token counts of a reply.

`inputTokens` is what was neither read from nor written to the cache: in recorded replies `totalTokens` is
the sum of input, output, cache reads and cache writes. `cacheDetails` splits the writes by their time to
live.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import Usage
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.keep import kept, kept_object


def decode_usage(value: dict[str, Any]) -> ReplyUsage:
    """The counts of a usage object, which is kept in full."""
    return ReplyUsage(_counts(value), extras=Extras(SHAPE, {"object": value}))


def _counts(value: dict[str, Any]) -> Usage:
    read = _count(value, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = _count(value, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    return Usage(
        input_tokens=_count(value, "inputTokens") + read + written,
        output_tokens=_count(value, "outputTokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(written, _for_an_hour(value.get("cacheDetails"))),
    )


def _count(value: dict[str, Any], *names: str) -> int:
    for name in names:
        found = value.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and found > 0:
            return found
    return 0


def _for_an_hour(details: Any) -> int:
    if not isinstance(details, list):
        return 0
    rows = [cast("dict[str, Any]", row) for row in cast("list[Any]", details) if isinstance(row, dict)]
    return sum([_count(row, "inputTokens") for row in rows if row.get("ttl") == "1h"])


def encode_usage(usage: ReplyUsage | None) -> dict[str, Any]:
    """The usage object: the vendor's own where its counts still hold, with the counts put in where not."""
    if usage is None:
        return {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
    counts = usage.counts
    value = kept_object(usage.extras, "object")
    if kept(usage.extras, "object") is not None and _counts(value) == counts:
        return value
    fresh, read, written = counts.apart()
    hour = min(counts.cache_write_1h_tokens, written)
    value |= {
        "inputTokens": fresh,
        "outputTokens": counts.output_tokens,
        "totalTokens": counts.input_tokens + counts.output_tokens,
    }
    if read or "cacheReadInputTokens" in value:
        value["cacheReadInputTokens"] = read
    if written or "cacheWriteInputTokens" in value:
        value["cacheWriteInputTokens"] = written
    value.pop("cacheReadInputTokenCount", None)
    value.pop("cacheWriteInputTokenCount", None)
    value.pop("cacheDetails", None)
    if hour:
        short = [{"ttl": "5m", "inputTokens": written - hour}] if written > hour else []
        value["cacheDetails"] = [*short, {"ttl": "1h", "inputTokens": hour}]
    return value
