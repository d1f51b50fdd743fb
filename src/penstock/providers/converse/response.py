"""A whole reply of Converse."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatReply, Choice
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Part
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.blocks import decode_blocks
from penstock.shapes.converse.finish import finish_of
from penstock.shapes.converse.keep import filled, keep
from penstock.shapes.converse.usage import decode_usage
from penstock.shapes.taker import Taker


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The answer; its id and its model stand in no member of the body."""
    top = Taker(body)
    output = top.object("output")
    if output is None:
        raise ShapeError("output", "an object")
    message = output.object("message")
    content = message.items("content") if message is not None else None
    parts: tuple[Part, ...] = ()
    if content is not None:
        parts = decode_blocks(content, "output.message.content", strict=False)
    native = filled(top, "stopReason")
    choice = Choice(
        parts=parts,
        finish=finish_of(native) if native else None,
        native=native,
        stop_sequence=stop_sequence_in(top.rest.get("additionalModelResponseFields")),
        extras=keep(
            message=message.rest if message is not None else None,
            output=output.rest,
            absent="message" if message is None else "content" if content is None else None,
        ),
    )
    usage = top.value("usage")
    tier = top.object("serviceTier")
    tier_name = tier.text("type") if tier is not None else None
    if tier is not None and (tier.rest or tier_name is None):
        top.rest["serviceTier"] = tier.rest
    return ChatReply(
        choices=(choice,),
        usage=decode_usage(usage) if usage is not None else None,
        service_tier=tier_name,
        extras=Extras(SHAPE, {"rest": top.rest}),
    )


def stop_sequence_in(fields: Any) -> str | None:
    """The stop sequence, which a model gives where the request asked for the path `/stop_sequence`."""
    if not isinstance(fields, dict):
        return None
    found = cast("dict[str, Any]", fields).get("stop_sequence")
    return found if isinstance(found, str) else None
