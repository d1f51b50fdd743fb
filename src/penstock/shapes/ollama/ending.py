"""How an answer ended and what it consumed, in Ollama's shape.

https://docs.ollama.com/api/chat: the counts are of tokens; a prompt that was still in the cache has none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from penstock.core.chat import FinishReason, ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import Usage
from penstock.shapes.ollama import CHAT
from penstock.shapes.taker import extras_of

_USAGE = (
    "total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count",
    "eval_duration",
)  # fmt: skip
_FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length"}


def finish_of(word: str, *, calls: bool) -> FinishReason:
    """The pivot's reason; Ollama says `stop` of an answer that calls tools too."""
    return "tool_calls" if calls and word == "stop" else _FINISH.get(word, "other")


def word_of(finish: FinishReason | None, native: str, *, own: bool) -> str:
    """Ollama's word: its own where it still says the same, else the nearest."""
    if own and native and finish in (finish_of(native, calls=False), finish_of(native, calls=True)):
        return native
    return "length" if finish == "length" else "stop"


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def take_usage(rest: dict[str, Any]) -> ReplyUsage | None:
    """Take the counts and durations out of a reply; None where it has no counts."""
    given, made = _count(rest.get("prompt_eval_count")), _count(rest.get("eval_count"))
    if given is None and made is None:
        return None
    taken = {name: rest.pop(name) for name in _USAGE if name in rest}
    return ReplyUsage(Usage(given or 0, made or 0), None, Extras(CHAT, taken))


def put_usage(out: dict[str, Any], usage: ReplyUsage) -> None:
    """Put counts and durations into a reply."""
    own = extras_of(usage.extras, CHAT)
    counts = usage.counts
    for name, count in (("prompt_eval_count", counts.input_tokens), ("eval_count", counts.output_tokens)):
        if count or name in own or not own:
            own[name] = count
    out.update(own)


def seconds_of(text: Any) -> int | None:
    """The Unix time of a timestamp."""
    try:
        return int(datetime.fromisoformat(text).timestamp()) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def timestamp(seconds: int) -> str:
    """A timestamp as Ollama writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
