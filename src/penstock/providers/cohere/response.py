"""Decode Cohere's whole chat replies."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatReply, Choice, Logprobs, TokenLogprob
from penstock.core.parts import Extras
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.finish import finish_of
from penstock.shapes.cohere.messages import read_assistant
from penstock.shapes.cohere.units import read_usage
from penstock.shapes.taker import Taker, real


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The reply. Raises ShapeError."""
    taker = Taker(body)
    usage = taker.value("usage")
    message = taker.object("message")
    finish = taker.text("finish_reason")
    logprobs = read_logprobs(taker.items("logprobs"))
    choices: tuple[Choice, ...] = ()
    if message is not None:
        parts = tuple(read_assistant(message))
        reason = finish_of(finish) if finish is not None else None
        kept = Extras(CHAT, message.rest)
        choices = (Choice(0, parts, reason, finish or "", logprobs=logprobs, extras=kept),)
    return ChatReply(
        id=taker.text("id") or "",
        choices=choices,
        usage=read_usage(usage, CHAT) if usage is not None else None,
        extras=Extras(CHAT, taker.rest),
    )


def read_logprobs(found: list[Any] | None) -> Logprobs | None:
    """Log probabilities by piece of text; a piece of several tokens has their sum."""
    if found is None:
        return None
    tokens: list[TokenLogprob] = []
    for each in found:
        item = cast("dict[str, Any]", each) if isinstance(each, dict) else {}
        numbers = item.get("logprobs")
        if isinstance(numbers, list) and all(
            isinstance(one, int | float) for one in cast("list[Any]", numbers)
        ):
            tokens.append(
                TokenLogprob(
                    str(item.get("text", "")), real(sum([real(one) for one in cast("list[float]", numbers)]))
                )
            )
    return Logprobs(tuple(tokens), Extras(CHAT, {"logprobs": found}))
