"""Leave out of a request the settings that a model's profile says it lacks."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatRequest
from penstock.ports.translation import Addressee

_PLAIN = (
    "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "stop", "logprobs",
    "output", "max_output_tokens", "tool_choice",
)  # fmt: skip


def without_lacks(request: ChatRequest, to: Addressee) -> ChatRequest:
    """The request without what the model refuses; each such setting that was said is noted as lost."""
    lost: dict[str, Any] = {}
    for name in _PLAIN:
        value = getattr(request, name)
        if name in to.profile.lacks and value not in (None, ()):
            to.losses.drop(name)
            lost[name] = () if name == "stop" else None
    return replace(request, **lost) if lost else request
