"""What a recorded reply says, and what a client that asked for no usage should see of it: by `json` alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.recorded.corpus import Recording

_EVENT = re.compile(rb".*?(?:\r\n\r\n|\n\n|\Z)", re.DOTALL)
_NULL_USAGE = (re.compile(rb',\s*"usage"\s*:\s*null'), re.compile(rb'"usage"\s*:\s*null\s*,\s*'))


@dataclass(frozen=True)
class Said:
    """Usage by the names of core.usage, None where the reply reports none."""

    usage: dict[str, int] | None
    finish_reason: str
    model: str


def hidden(body: bytes) -> bytes:
    """A stream of chunks without the usage chunk and without `usage: null`."""
    kept: list[bytes] = []
    for event in _EVENT.findall(body):
        text = event.split(b"data:", 1)[-1].strip()
        chunk: dict[str, Any] = json.loads(text) if text.startswith(b"{") else {}
        if chunk.get("usage") and not chunk.get("choices"):
            if "timings" in chunk:  # llama.cpp has them on the chunk before where nobody asks for usage
                timings = json.dumps(chunk["timings"], separators=(",", ":")).encode()
                kept[-1] = kept[-1].rstrip()[:-1] + b',"timings":' + timings + b"}\n\n"
            continue
        null = "usage" in chunk and chunk["usage"] is None
        kept.append(_without_null_usage(event) if null else event)
    return b"".join(kept)


def _without_null_usage(event: bytes) -> bytes:
    for pattern in _NULL_USAGE:
        without, count = pattern.subn(b"", event, count=1)
        if count:
            return without
    return event


def said(recording: Recording) -> Said:
    """Read a whole reply or a stream."""
    if not recording.streaming:
        try:
            parts = [json.loads(recording.body)]
        except ValueError:
            return Said(None, "", "")
    else:
        parts = recording.chunks
    usage: dict[str, int] | None = None
    finish = model = ""
    for part in parts:
        answer: dict[str, Any] = part.get("response") or part
        model = answer.get("model") or model
        told = [answer, answer.get("x_groq") or {}, *(answer.get("choices") or ())]
        found = [each["usage"] for each in told if isinstance(each.get("usage"), dict)]
        usage = _usage(found[0]) if found else usage
        finish = _finish(recording, part, answer) or finish
    if recording.api == "openai.images":
        usage = {**(usage or {}), "images": sum(len(part.get("data") or ()) for part in parts)}
    if recording.api == "openai.moderations":
        usage = {**(usage or {}), "requests": 1}
    return Said(usage, finish, model)


def _finish(recording: Recording, part: dict[str, Any], answer: dict[str, Any]) -> str:
    if "choices" in answer:
        choices: list[dict[str, Any]] = answer.get("choices") or []
        reasons: list[str] = [c["finish_reason"] for c in choices if c.get("finish_reason")]
        if not recording.streaming:
            return (choices[0].get("finish_reason") or "") if choices else ""
        return reasons[-1] if reasons else ""
    if recording.api == "openai.responses":
        if recording.streaming and part.get("type") not in {"response.completed", "response.incomplete"}:
            return ""
        return answer.get("status") or ""
    if recording.streaming and str(part.get("type")).endswith((".done", ".completed")):
        return "completed"
    return ""


def _usage(shape: dict[str, Any]) -> dict[str, int]:
    inside: dict[str, Any] = shape.get("prompt_tokens_details") or shape.get("input_tokens_details") or {}
    outside: dict[str, Any] = shape.get("completion_tokens_details") or shape.get("output_tokens_details") or {}
    given = shape.get("prompt_tokens", shape.get("input_tokens"))
    made = shape.get("completion_tokens", shape.get("output_tokens"))
    thought = int(outside.get("reasoning_tokens") or 0)
    # xAI's total has the reasoning beside the completion, not in it; at Vercel it is more than the completion.
    total = int(given or 0) + int(made or 0) + thought
    if thought and (shape.get("total_tokens") == total or thought > int(made or 0)):
        made = int(made or 0) + thought
    cached = int(
        inside.get("cached_tokens")
        or shape.get("prompt_cache_hit_tokens")
        or shape.get("cached_tokens")
        or shape.get("cache_read_input_tokens")
        or 0
    )
    # Grok on Azure counts what was cached beside the prompt.
    if cached > int(given or 0) or (cached and "audio_prompt_tokens" in shape):
        given = int(given or 0) + cached
    return {
        "input_tokens": int(
            given if given is not None else shape.get("total_tokens") or 0 if made is None else 0
        ),
        "output_tokens": int(made or 0),
        "cache_read_tokens": cached,
        "reasoning_tokens": thought,
        "audio_input_tokens": int(inside.get("audio_tokens") or 0),
        "audio_output_tokens": int(outside.get("audio_tokens") or 0),
    }
