"""A whole reply of a legacy completions API."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatReply, Choice, FinishReason, Logprobs
from penstock.core.parts import Extras, Text
from penstock.shapes.openai_chat.finish import is_plain, read_finish
from penstock.shapes.openai_chat.usage import read_usage
from penstock.shapes.openai_completions import SHAPE
from penstock.shapes.openai_completions.logprobs import read_logprobs
from penstock.shapes.taker import Taker, bounded

_HEAD = ("id", "model", "created", "choices")


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The answer."""
    t = Taker(body)
    absent = [name for name in _HEAD if name not in t.rest]
    if absent:
        t.rest["~absent"] = absent
    usage = t.value("usage")
    return ChatReply(
        id=t.text("id") or "",
        model=t.text("model") or "",
        created_s=t.integer("created"),
        choices=tuple([_choice(each, at) for at, each in enumerate(_few(t))]),
        usage=read_usage(usage, SHAPE) if usage is not None else None,
        extras=Extras(SHAPE, t.rest),
    )


def _few(t: Taker) -> list[Taker]:
    given = t.rest.get("choices")
    if isinstance(given, list):
        bounded(len(cast("list[Any]", given)), "choices")
    return t.objects("choices") or []


def _choice(t: Taker, at: int) -> Choice:
    index = t.integer("index")
    text = t.text("text")
    finish, native = take_finish(t.rest)
    return Choice(
        at if index is None else index,
        (Text(text),) if text else (),
        finish,
        native,
        logprobs=take_logprobs(t.rest),
        extras=Extras(SHAPE, t.rest),
    )


def take_finish(rest: dict[str, Any]) -> tuple[FinishReason | None, str]:
    """The finish reason and the vendor's word for it."""
    native: Any = rest.get("finish_reason")
    if not isinstance(native, str) or not native:
        return None, ""
    del rest["finish_reason"]
    if not is_plain(native):
        rest["~finish"] = True
    return read_finish(native), native


def take_logprobs(rest: dict[str, Any]) -> Logprobs | None:
    """The log probabilities of a choice."""
    value = rest.get("logprobs")
    if not isinstance(value, dict):
        return None
    del rest["logprobs"]
    return read_logprobs(cast("dict[str, Any]", value), SHAPE)
