"""Encode whole chat replies in Cohere's shape."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice, Logprobs
from penstock.core.parts import Part, Thinking, ToolCall
from penstock.core.seals import into_id
from penstock.ports.translation import Asked
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.finish import word_of_choice
from penstock.shapes.cohere.messages import write_assistant
from penstock.shapes.cohere.units import write_usage
from penstock.shapes.taker import extras_of


def encode_reply(reply: ChatReply, asked: Asked) -> dict[str, Any]:
    """The answer; of several, the first."""
    own = reply.extras is not None and reply.extras.shape == CHAT
    out = extras_of(reply.extras, CHAT)
    if reply.id or not own:
        out["id"] = reply.id if own else asked.request_id
    if reply.choices or not own:
        choice = reply.choices[0] if reply.choices else Choice()
        out["message"] = write_assistant(choice.parts, choice.extras, sealed_ids(choice.parts))
        if choice.native or choice.finish is not None:
            out["finish_reason"] = word_of_choice(choice, own=own)
        if choice.logprobs is not None:
            out["logprobs"] = write_logprobs(choice.logprobs)
    if reply.usage is not None:
        out["usage"] = write_usage(reply.usage, CHAT)
    return out


def sealed_ids(parts: tuple[Part, ...]) -> dict[str, str]:
    """Ids of calls that carry the seals for which Cohere has no field."""
    thinking = tuple([part for part in parts if isinstance(part, Thinking)])
    ids: dict[str, str] = {}
    for call in [part for part in parts if isinstance(part, ToolCall)]:
        ids[call.id] = into_id(call.id, thinking, call.signature)
        thinking = ()
    return ids


def write_logprobs(logprobs: Logprobs) -> list[Any]:
    """Cohere's list, which also has token ids: none where a vendor gives none."""
    own = extras_of(logprobs.extras, CHAT)
    if "logprobs" in own:
        return own["logprobs"]
    return [{"text": each.token, "token_ids": [], "logprobs": [each.logprob]} for each in logprobs.tokens]
