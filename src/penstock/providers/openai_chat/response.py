"""A whole reply of a chat completions API."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatReply, Choice, FinishReason, Logprobs
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Refused
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.openai_chat.finish import is_plain, read_finish
from penstock.shapes.openai_chat.logprobs import read_logprobs
from penstock.shapes.openai_chat.message import read_assistant
from penstock.shapes.openai_chat.sources import listed_sources, with_sources
from penstock.shapes.openai_chat.usage import read_usage
from penstock.shapes.taker import Taker, bounded

_HEAD = ("id", "model", "created", "service_tier")


def decode_reply(body: dict[str, Any], shape: str = SHAPE) -> ChatReply:
    """The answer. One that is an error although its status said success has no choices."""
    t = Taker(body)
    absent = [name for name in _HEAD if name not in t.rest]
    if absent:
        t.rest["~absent"] = absent
    given = t.rest.get("choices")
    if isinstance(given, list):
        bounded(len(cast("list[Any]", given)), "choices")
    choices = t.objects("choices")
    if choices is None and "choices" not in t.rest:
        t.rest["~choices"] = None
    sources = listed_sources(t.rest, shape)
    usage = t.value("usage")
    reply_id = t.text("id") or ""
    return ChatReply(
        id=reply_id,
        model=t.text("model") or "",
        created_s=t.integer("created"),
        choices=tuple([_choice(each, at, shape, sources, reply_id) for at, each in enumerate(choices or ())]),
        usage=read_usage(usage, shape) if usage is not None else None,
        service_tier=t.text("service_tier") if t.rest.get("service_tier") else None,
        extras=Extras(shape, t.rest),
    )


def _choice(t: Taker, at: int, shape: str, sources: tuple[Any, ...], seed: str) -> Choice:
    index = t.integer("index")
    if index is None:
        t.rest["~index"] = None
    message = t.object("message")
    parts = read_assistant(message, shape, f"{seed}/{at}") if message is not None else ()
    if message is not None:
        t.rest["message"] = message.rest
    refused = any(isinstance(part, Refused) for part in parts)
    finish, native, stop = take_finish(t.rest, refused=refused)
    return Choice(
        at if index is None else index,
        with_sources(parts, sources),
        finish,
        native,
        stop,
        take_logprobs(t.rest, shape),
        Extras(shape, t.rest),
    )


def take_finish(rest: dict[str, Any], *, refused: bool = False) -> tuple[FinishReason | None, str, str | None]:
    """The finish reason of a choice, the vendor's word for it, and the stop sequence where vLLM tells it.

    `refused`: the message holds a `refusal`. The API's word for its end is `stop`, as for any other.
    """
    native: Any = rest.get("finish_reason")
    if not isinstance(native, str) or not native:
        return None, "", None
    del rest["finish_reason"]
    finish = read_finish(native)
    if not is_plain(native):
        rest["~finish"] = True
    stop: Any = rest.get("stop_reason")
    if isinstance(stop, str) and stop and finish == "stop":
        rest["~finish"] = True
        return "stop_sequence", native, stop
    if refused and finish == "stop":
        rest["~finish"] = True
        return "refusal", native, None
    return finish, native, None


def take_logprobs(rest: dict[str, Any], shape: str) -> Logprobs | None:
    """The log probabilities of a choice."""
    value = rest.get("logprobs")
    if not isinstance(value, dict):
        return None
    del rest["logprobs"]
    return read_logprobs(cast("dict[str, Any]", value), shape)


def need_object(value: Any) -> dict[str, Any]:
    """The value as an object. Raises ShapeError."""
    if not isinstance(value, dict):
        raise ShapeError("", "an object")
    return cast("dict[str, Any]", value)
