"""Usage objects: OpenAI's counts, and where compatible vendors put theirs.

Counts that are not OpenAI's: `cached_tokens` (Moonshot, Together), `num_cached_tokens` (Mistral),
`prompt_cache_hit_tokens` (DeepSeek), `cache_…_input_tokens` (Vercel, Databricks). xAI counts reasoning beside
the completion; its total tells (https://docs.x.ai/docs/guides/reasoning). Grok on Azure, which is known by its
`audio_prompt_tokens`, counts cached tokens beside the prompt, and Vercel reasoning beside the completion: in
recordings the part is larger than the whole, and Vercel's costs are those of the sum. Costs: shapes/billed.py.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import NO_TOOLS, ToolUse, Usage
from penstock.shapes.billed import billed

_NONE: dict[str, Any] = {}


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 < value < 1 << 62 else 0


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else _NONE


def _first(said: dict[str, Any], *names: str) -> int:
    for name in names:
        found = _count(said.get(name))
        if found:
            return found
    return 0


def read_counts(said: dict[str, Any]) -> Usage:
    """The counts of a usage object, as totals."""
    given = _first(said, "prompt_tokens", "input_tokens")
    made = _first(said, "completion_tokens", "output_tokens")
    inside = _object(said.get("prompt_tokens_details") or said.get("input_tokens_details"))
    outside = _object(said.get("completion_tokens_details") or said.get("output_tokens_details"))
    thought = _count(outside.get("reasoning_tokens")) or _count(said.get("reasoning_tokens"))
    if thought and (_count(said.get("total_tokens")) == given + made + thought or thought > made):
        made += thought
    cached = _count(inside.get("cached_tokens")) or _first(
        said, "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens"
    )
    if cached > given or (cached and "audio_prompt_tokens" in said):
        given += cached
    return Usage(
        input_tokens=given,
        output_tokens=made,
        cache_read_tokens=cached,
        cache_write_tokens=_first(inside, "cache_write_tokens", "cache_creation_tokens")
        or _count(said.get("cache_creation_input_tokens")),
        reasoning_tokens=thought,
        audio_input_tokens=_count(inside.get("audio_tokens")),
        audio_output_tokens=_count(outside.get("audio_tokens")),
        image_input_tokens=_count(inside.get("image_tokens")),
        image_output_tokens=_count(outside.get("image_tokens")),
        requests=1,
    )


def read_usage(said: dict[str, Any], shape: str) -> ReplyUsage:
    """A usage object."""
    return ReplyUsage(read_counts(said), billed(said), Extras(shape, said), tools_used(said))


def tools_used(said: dict[str, Any]) -> ToolUse:
    """The searches of OpenRouter's tools, and of Perplexity's deep research."""
    searches = _count(_object(said.get("server_tool_use_details")).get("web_search_requests"))
    searches = searches or _count(_object(said.get("server_tool_use")).get("web_search_requests"))
    searches = searches or _count(said.get("num_search_queries"))
    return ToolUse(searches) if searches else NO_TOOLS


def write_usage(usage: ReplyUsage, shape: str) -> dict[str, Any]:
    """The object; as it came where its counts are still those."""
    counts, extras = usage.counts, usage.extras
    if extras is None or extras.shape != shape:
        return _counted(counts, _NONE)
    if _counted(read_counts(extras.fields), _NONE) == _counted(counts, _NONE):
        return extras.fields
    return _counted(counts, extras.fields)


def _counted(counts: Usage, base: dict[str, Any]) -> dict[str, Any]:
    inside = {
        "cached_tokens": counts.cache_read_tokens,
        "audio_tokens": counts.audio_input_tokens,
    }
    if counts.cache_write_tokens:
        inside["cache_write_tokens"] = counts.cache_write_tokens
    if counts.image_input_tokens:
        inside["image_tokens"] = counts.image_input_tokens
    outside = {
        "reasoning_tokens": counts.reasoning_tokens,
        "audio_tokens": counts.audio_output_tokens,
    }
    if counts.image_output_tokens:
        outside["image_tokens"] = counts.image_output_tokens
    return {
        **base,
        "prompt_tokens": counts.input_tokens,
        "completion_tokens": counts.output_tokens,
        "total_tokens": counts.input_tokens + counts.output_tokens,
        "prompt_tokens_details": {**_object(base.get("prompt_tokens_details")), **inside},
        "completion_tokens_details": {**_object(base.get("completion_tokens_details")), **outside},
    }
