"""Usage. Anthropic counts what it read from and wrote to the cache apart from `input_tokens`; the pivot sums.

A request in which the API called models more than once lists the calls as `iterations`. The counts at the top
are those of the calls that made the answer; a summary of a long context and an advisor's answers stand in the
list alone, and are billed besides. A call that was refused before the fallback's is there, too, without output.
https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
https://platform.claude.com/docs/en/build-with-claude/compaction#understanding-usage
https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import NO_TOOLS, InnerUse, ToolUse, Usage
from penstock.shapes.anthropic import SHAPE, own
from penstock.shapes.billed import billed
from penstock.shapes.taker import extras_of

# The tier that was used, by the pivot's word.
_TIERS = {"default": "standard", "priority": "priority", "batch": "batch"}
_BESIDE = ("compaction", "advisor_message")
_TIERS_READ = {native: tier for tier, native in _TIERS.items()}


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and value > 0 else 0


def _inside(value: dict[str, Any], name: str, member: str) -> int:
    inner = value.get(name)
    return _count(cast("dict[str, Any]", inner).get(member)) if isinstance(inner, dict) else 0


def counts_of(value: dict[str, Any]) -> Usage:
    """The counts of a usage object, of all that is billed; what is absent is zero."""
    total = _counts(value)
    for each in _beside(value):
        total = _sum(total, _counts(each))
    return total


def _beside(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls whose counts are not among those at the top."""
    given = value.get("iterations")
    calls = cast("list[Any]", given) if isinstance(given, list) else []
    return [each for each in calls if isinstance(each, dict) and each.get("type") in _BESIDE]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def _sum(one: Usage, two: Usage) -> Usage:
    return Usage(
        input_tokens=one.input_tokens + two.input_tokens,
        output_tokens=one.output_tokens + two.output_tokens,
        cache_read_tokens=one.cache_read_tokens + two.cache_read_tokens,
        cache_write_tokens=one.cache_write_tokens + two.cache_write_tokens,
        cache_write_1h_tokens=one.cache_write_1h_tokens + two.cache_write_1h_tokens,
        reasoning_tokens=one.reasoning_tokens + two.reasoning_tokens,
    )


def _counts(value: dict[str, Any]) -> Usage:
    written, read = (
        _count(value.get("cache_creation_input_tokens")),
        _count(value.get("cache_read_input_tokens")),
    )
    hour = _inside(value, "cache_creation", "ephemeral_1h_input_tokens")
    return Usage(
        input_tokens=_count(value.get("input_tokens")) + written + read,
        output_tokens=_count(value.get("output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(hour, written),
        reasoning_tokens=_inside(value, "output_tokens_details", "thinking_tokens"),
    )


def read_usage(value: dict[str, Any]) -> ReplyUsage:
    """A usage object, kept in full; `cost` (dollars) is a vendor's addition."""
    return ReplyUsage(counts_of(value), billed(value), Extras(SHAPE, value), tools_used(value))


def tools_used(value: dict[str, Any]) -> ToolUse:
    """What the vendor's own tools did: searches, and what the models consumed that an advisor tool asked.

    Fetched pages cost their tokens only; time in a sandbox is billed by the hour, and told nowhere.
    """
    advisors = [
        InnerUse(each["model"], _counts(each), within=True)
        for each in _beside(value)
        if each.get("type") == "advisor_message" and isinstance(each.get("model"), str)
    ]
    searches = _inside(value, "server_tool_use", "web_search_requests")
    return ToolUse(searches, inner=tuple(advisors)) if searches or advisors else NO_TOOLS


def tier_of(value: dict[str, Any]) -> str | None:
    """The service tier that was used, in the pivot's word."""
    tier = value.get("service_tier")
    return _TIERS_READ.get(tier) if isinstance(tier, str) else None


def write_usage(usage: ReplyUsage | None, tier: str | None = None) -> dict[str, Any]:
    """A usage object; the vendor's own in full as long as it says what the pivot says."""
    counts = usage.counts if usage is not None else Usage()
    value = extras_of(usage.extras, SHAPE) if usage is not None else {}
    if usage is not None and own(usage.extras) and counts_of(value) == counts:
        return value
    value.pop("iterations", None)
    fresh, read, written = counts.apart()
    value["input_tokens"] = fresh
    value["output_tokens"] = counts.output_tokens
    value["cache_creation_input_tokens"] = written
    value["cache_read_input_tokens"] = read
    if counts.cache_write_1h_tokens or "cache_creation" in value:
        hour = min(counts.cache_write_1h_tokens, written)
        value["cache_creation"] = {
            "ephemeral_5m_input_tokens": written - hour,
            "ephemeral_1h_input_tokens": hour,
        }
    if counts.reasoning_tokens or "output_tokens_details" in value:
        value["output_tokens_details"] = {"thinking_tokens": counts.reasoning_tokens}
    if tier in _TIERS:
        value["service_tier"] = _TIERS[tier]
    return value
