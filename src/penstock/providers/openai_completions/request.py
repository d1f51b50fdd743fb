"""A request to a legacy completions API: a prompt, and what of a conversation a prompt can say."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest
from penstock.core.parts import Text, Thinking
from penstock.core.turns import text_of
from penstock.ports.translation import Addressee
from penstock.shapes.openai_chat.forms import is_own
from penstock.shapes.openai_completions import SHAPE
from penstock.shapes.taker import extras_of

_NAMES = {
    "max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty", "seed": "seed",
    "choices": "n", "logit_bias": "logit_bias", "user": "user",
}  # fmt: skip
_ABSENT = ("tools", "output", "reasoning", "verbosity", "modalities", "audio", "previous_response_id")


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The body."""
    own = is_own(request.extras, SHAPE)
    out = extras_of(request.extras, SHAPE)
    out["model"] = to.model
    prompt = _prompt(request, to)
    out["prompt"] = [prompt] if out.pop("~prompt", None) == "list" else prompt
    for field, name in _NAMES.items():
        value = getattr(request, field)
        if value is not None and field in to.profile.lacks:
            to.losses.drop(field)
        elif value is not None:
            out[name] = value
    if request.logprobs and "logprobs" not in to.profile.lacks:
        out["logprobs"] = request.top_logprobs or 0
    _put_stop(request, out)
    for field in _ABSENT:
        if getattr(request, field):
            to.losses.drop(field)
    said = out.pop("~stream", None)
    if request.stream:
        out["stream"] = True
        if not own and to.profile.stream_usage:
            out["stream_options"] = {"include_usage": True}
    elif said is not None:
        out["stream"] = False
    return out


def _put_stop(request: ChatRequest, out: dict[str, Any]) -> None:
    stop = list(request.stop)
    form = out.pop("~stop", None)
    if stop:
        out["stop"] = stop[0] if form == "string" and len(stop) == 1 else stop


def _prompt(request: ChatRequest, to: Addressee) -> str:
    """The texts of the conversation, a blank line apart."""
    for message in request.messages:
        if not all(isinstance(part, Text | Thinking) for part in message.parts):
            to.losses.drop("parts")
    texts = [text_of(message.parts) for message in request.messages]
    return "\n\n".join([text for text in texts if text])
