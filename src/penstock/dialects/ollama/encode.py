"""Encode whole replies in Ollama's shape."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice, Logprobs
from penstock.core.parts import Part, Refused, Text, Thinking, ToolCall
from penstock.core.seals import into_id
from penstock.ports.translation import Asked
from penstock.shapes.ollama import CHAT
from penstock.shapes.ollama.ending import put_usage, seconds_of, timestamp, word_of
from penstock.shapes.ollama.messages import write_assistant
from penstock.shapes.taker import extras_of


def encode_reply(reply: ChatReply, asked: Asked) -> dict[str, Any]:
    """The answer; of several, the first."""
    own = reply.extras is not None and reply.extras.shape == CHAT
    out = extras_of(reply.extras, CHAT)
    if reply.model or not own:
        out["model"] = reply.model or asked.model
    if not own or seconds_of(out.get("created_at")) != reply.created_s:
        out["created_at"] = timestamp(reply.created_s if reply.created_s is not None else asked.created_s)
    if reply.choices or not own:
        _choice(reply.choices[0] if reply.choices else Choice(), out, own=own)
    if reply.usage is not None:
        put_usage(out, reply.usage)
    return out


def _choice(choice: Choice, out: dict[str, Any], *, own: bool) -> None:
    if extras_of(choice.extras, CHAT).get("~generate"):
        _generated(choice.parts, out)
    else:
        out["message"] = write_assistant(choice.parts, choice.extras, sealed_ids(choice.parts))
    if choice.native or choice.finish is not None:
        out["done_reason"] = word_of(choice.finish, choice.native, own=own)
    if choice.logprobs is not None:
        out["logprobs"] = write_logprobs(choice.logprobs)
    if not own:
        out["done"] = True


def _generated(parts: tuple[Part, ...], out: dict[str, Any]) -> None:
    text = "".join([part.text for part in parts if isinstance(part, Text | Refused)])
    thinking = "".join([part.text for part in parts if isinstance(part, Thinking)])
    if text:
        out["response"] = text
    if thinking:
        out["thinking"] = thinking


def sealed_ids(parts: tuple[Part, ...]) -> dict[str, str]:
    """Ids of calls that carry the seals for which Ollama has no field."""
    thinking = tuple([part for part in parts if isinstance(part, Thinking)])
    ids: dict[str, str] = {}
    for call in [part for part in parts if isinstance(part, ToolCall)]:
        ids[call.id] = into_id(call.id, thinking, call.signature)
        thinking = ()
    return ids


def write_logprobs(logprobs: Logprobs) -> list[Any]:
    """Ollama's list of tokens."""
    own = extras_of(logprobs.extras, CHAT)
    if "logprobs" in own:
        return own["logprobs"]
    return [
        {
            "token": each.token,
            "logprob": each.logprob,
            "top_logprobs": [{"token": token, "logprob": logprob} for token, logprob in each.top],
        }
        for each in logprobs.tokens
    ]
