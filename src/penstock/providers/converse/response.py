"""A whole reply of Converse."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatReply, Choice
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Part
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.blocks import decode_blocks
from penstock.shapes.converse.finish import finish_of
from penstock.shapes.converse.keep import keep
from penstock.shapes.converse.usage import decode_usage
from penstock.shapes.taker import Taker


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The answer; its id and its model stand in no member of the body."""
    top = Taker(body)
    output = top.object("output")
    if output is None:
        raise ShapeError("output", "an object")
    message = output.object("message")
    parts: tuple[Part, ...] = ()
    if message is not None:
        content = message.items("content")
        parts = decode_blocks(content, "output.message.content", strict=False) if content is not None else ()
    native = top.text("stopReason")
    choice = Choice(
        parts=parts,
        finish=finish_of(native) if native is not None else None,
        native=native or "",
        stop_sequence=stop_sequence_in(top.rest.get("additionalModelResponseFields")),
        extras=keep(
            message=message.rest if message is not None else None,
            output=output.rest,
            absent=_absent(message, content=message is not None and "content" not in message.rest),
        ),
    )
    usage = top.value("usage")
    tier = top.object("serviceTier")
    tier_name = tier.text("type") if tier is not None else None
    if tier is not None and tier.rest:
        top.rest["serviceTier"] = tier.rest
    return ChatReply(
        choices=(choice,),
        usage=decode_usage(usage) if usage is not None else None,
        service_tier=tier_name,
        extras=Extras(SHAPE, {"rest": top.rest}),
    )


def _absent(message: Taker | None, *, content: bool) -> str | None:
    if message is None:
        return "message"
    return None if content else "content"


def stop_sequence_in(fields: Any) -> str | None:
    """The stop sequence, which a model gives where the request asked for the path `/stop_sequence`."""
    if not isinstance(fields, dict):
        return None
    found = cast("dict[str, Any]", fields).get("stop_sequence")
    return found if isinstance(found, str) else None
