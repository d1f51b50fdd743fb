"""Leave out of a request the settings that a model's profile says it lacks."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatRequest
from penstock.core.losses import Losses
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


def drop_unsaid(request: ChatRequest, names: tuple[str, ...], losses: Losses) -> None:
    """Note the settings that an API has no words for, where they were said and are not its only way anyway."""
    for name in names:
        value = getattr(request, name)
        usual = (name == "choices" and value == 1) or (name == "service_tier" and value == "auto")
        if value and not usual:
            losses.drop(name)
    if request.parallel_tool_calls is False and request.tools:
        losses.drop("parallel_tool_calls")
    if request.modalities and request.modalities != ("text",):
        losses.drop("modalities")
