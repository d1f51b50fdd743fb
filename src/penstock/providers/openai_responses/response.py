"""A vendor's `response` object as the pivot."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice, Logprobs
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Part, Text
from penstock.shapes.openai_responses.finish import finish_of_parts
from penstock.shapes.openai_responses.items import decode_output_item
from penstock.shapes.openai_responses.logprobs import decode_logprobs
from penstock.shapes.openai_responses.names import SHAPE, mark
from penstock.shapes.openai_responses.tools_used import tools_used
from penstock.shapes.openai_responses.usage import decode_usage
from penstock.shapes.taker import Taker


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The response. Raises ShapeError where it has no output."""
    tools = tools_used(body)
    taker = Taker(body)
    items = taker.items("output")
    if items is None:
        raise ShapeError("output", "a list")
    parts = tuple([part for at, item in enumerate(items) for part in decode_output_item(item, f"output[{at}]")])
    finish, native = finish_of_parts(taker.rest, parts)
    usage = taker.value("usage")
    choice = Choice(0, parts, finish, native, None, logprobs_of(parts))
    return ChatReply(
        id=taker.text("id") or "",
        model=taker.text("model") or "",
        created_s=_created(taker),
        choices=(choice,),
        usage=decode_usage(usage, tools) if usage is not None else None,
        service_tier=taker.text("service_tier"),
        extras=Extras(SHAPE, taker.rest),
    )


def _created(taker: Taker) -> int | None:
    value = taker.number("created_at")
    if value is None:
        return None
    if isinstance(value, float):
        if not abs(value) < 1e15:
            raise ShapeError("created_at", "a time")
        taker.rest["~created_at"] = value
    return int(value)


def logprobs_of(parts: tuple[Part, ...]) -> Logprobs | None:
    """Those of all texts; as the vendor wrote them they stay with each text."""
    tokens = tuple(
        [
            token
            for part in parts
            if isinstance(part, Text)
            for token in decode_logprobs(mark(part.extras, "logprobs"))
        ]
    )
    return Logprobs(tokens) if tokens else None
