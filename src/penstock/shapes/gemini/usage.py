"""Counts of tokens in `usageMetadata`.

The prompt includes what was read from the cache; what built-in tools put into the prompt is counted beside it,
and thoughts beside the candidates: https://ai.google.dev/api/generate-content#UsageMetadata.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import NO_TOOLS, ToolUse, Usage
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.reader import own_fields

_COUNTS = frozenset({"promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"})
_IMAGE = ("IMAGE", 2)
_AUDIO = ("AUDIO", 4)


def has_counts(metadata: dict[str, Any]) -> bool:
    """Whether tokens are counted at all; early chunks may tell only the kind of traffic."""
    return not _COUNTS.isdisjoint(metadata)


def _count(metadata: dict[str, Any], name: str) -> int:
    value = metadata.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _of_modalities(metadata: dict[str, Any], name: str) -> tuple[int, int]:
    """Tokens of sound and of pictures; a modality is a word, or a number."""
    details = metadata.get(name)
    audio = image = 0
    if isinstance(details, list):
        for each in cast("list[Any]", details):
            if isinstance(each, dict):
                entry = cast("dict[str, Any]", each)
                modality = entry.get("modality")
                if modality in _AUDIO:
                    audio += _count(entry, "tokenCount")
                elif modality in _IMAGE:
                    image += _count(entry, "tokenCount")
    return audio, image


def read_counts(metadata: dict[str, Any]) -> Usage:
    """The counts as totals."""
    thoughts = _count(metadata, "thoughtsTokenCount")
    audio, image = _of_modalities(metadata, "promptTokensDetails")
    tool_audio, tool_image = _of_modalities(metadata, "toolUsePromptTokensDetails")
    said, drawn = _of_modalities(metadata, "candidatesTokensDetails")
    return Usage(
        input_tokens=_count(metadata, "promptTokenCount") + _count(metadata, "toolUsePromptTokenCount"),
        output_tokens=_count(metadata, "candidatesTokenCount") + thoughts,
        cache_read_tokens=_count(metadata, "cachedContentTokenCount"),
        reasoning_tokens=thoughts,
        audio_input_tokens=audio + tool_audio,
        audio_output_tokens=said,
        image_input_tokens=image + tool_image,
        image_output_tokens=drawn,
    )


def read_usage(metadata: dict[str, Any], tools: ToolUse = NO_TOOLS) -> ReplyUsage:
    """What a reply says that it consumed; `tools` is what it tells elsewhere."""
    return ReplyUsage(read_counts(metadata), extras=Extras(SHAPE, metadata), tools=tools)


def write_usage(usage: ReplyUsage) -> dict[str, Any]:
    """Google's object: the one that came, where its counts still hold."""
    came = own_fields(usage.extras)
    counts = usage.counts
    if came and read_counts(came) == counts:
        return came
    thoughts = min(counts.reasoning_tokens, counts.output_tokens)  # some vendors say more than the whole
    out: dict[str, Any] = {
        "promptTokenCount": counts.input_tokens,
        "candidatesTokenCount": counts.output_tokens - thoughts,
        "totalTokenCount": counts.input_tokens + counts.output_tokens,
    }
    if thoughts:
        out["thoughtsTokenCount"] = thoughts
    if counts.cache_read_tokens:
        out["cachedContentTokenCount"] = counts.cache_read_tokens
    if details := _details(counts.input_tokens, counts.audio_input_tokens, counts.image_input_tokens):
        out["promptTokensDetails"] = details
    visible = out["candidatesTokenCount"]
    if details := _details(visible, counts.audio_output_tokens, counts.image_output_tokens):
        out["candidatesTokensDetails"] = details
    return out


def _details(total: int, audio: int, image: int) -> list[dict[str, Any]]:
    if not audio and not image:
        return []
    rows = (("TEXT", max(total - audio - image, 0)), ("AUDIO", audio), ("IMAGE", image))
    return [{"modality": name, "tokenCount": count} for name, count in rows if count]
