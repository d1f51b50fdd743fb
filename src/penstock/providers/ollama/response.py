"""Decode Ollama's whole replies, of `/api/chat` and of `/api/generate`."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatReply, Choice, Logprobs, TokenLogprob
from penstock.core.parts import Extras, Part, Text, Thinking, ToolCall
from penstock.shapes.ollama import CHAT
from penstock.shapes.ollama.ending import finish_of, seconds_of, take_usage
from penstock.shapes.ollama.messages import read_assistant
from penstock.shapes.taker import Taker, real


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The reply. Raises ShapeError."""
    taker = Taker(body)
    created = taker.rest.get("created_at")
    model = taker.text("model") or ""
    message = taker.object("message")
    parts: list[Part] | None = None
    extras: Extras | None = None
    if message is not None:
        parts = read_assistant(message, model, created)
        extras = Extras(CHAT, message.rest)
    elif isinstance(taker.rest.get("response"), str):
        parts = _generated(taker)
        extras = Extras(CHAT, {"~generate": True})
    choices: tuple[Choice, ...] = ()
    if parts is not None:
        word = taker.text("done_reason")
        calls = any(isinstance(part, ToolCall) for part in parts)
        finish = finish_of(word, calls=calls) if word is not None else None
        logprobs = read_logprobs(taker.items("logprobs"))
        choices = (Choice(0, tuple(parts), finish, word or "", logprobs=logprobs, extras=extras),)
    return ChatReply(
        model=model,
        created_s=seconds_of(created),
        choices=choices,
        usage=take_usage(taker.rest),
        extras=Extras(CHAT, taker.rest),
    )


def _generated(body: Taker) -> list[Part]:
    parts: list[Part] = []
    if body.rest.get("thinking") and (thinking := body.text("thinking")) is not None:
        parts.append(Thinking(thinking))
    if body.rest["response"]:
        parts.append(Text(body.need("response")))
    return parts


def read_logprobs(found: list[Any] | None) -> Logprobs | None:
    """Log probabilities, each token with its likeliest alternatives."""
    if found is None:
        return None
    tokens: list[TokenLogprob] = []
    for each in found:
        token = _token(each)
        if token is not None:
            item = cast("dict[str, Any]", each)
            others = item.get("top_logprobs")
            top = [_token(other) for other in cast("list[Any]", others)] if isinstance(others, list) else []
            tokens.append(TokenLogprob(*token, tuple([other for other in top if other is not None])))
    return Logprobs(tuple(tokens), Extras(CHAT, {"logprobs": found}))


def _token(value: Any) -> tuple[str, float] | None:
    if not isinstance(value, dict):
        return None
    item = cast("dict[str, Any]", value)
    token, logprob = item.get("token"), item.get("logprob")
    return (token, real(logprob)) if isinstance(token, str) and isinstance(logprob, int | float) else None
