"""A message, as the vendor answers: https://platform.claude.com/docs/en/api/messages/create."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.blocks import read_blocks
from penstock.shapes.anthropic.citations import kept
from penstock.shapes.anthropic.finish import read_finish
from penstock.shapes.anthropic.usage import read_usage, tier_of
from penstock.shapes.taker import Taker


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The whole answer. Raises ShapeError."""
    taker = Taker(body)
    content = taker.items("content")
    if content is None:
        raise ShapeError("content", "a list")
    parts = read_blocks(content, "content", strict=False)
    native = kept(taker, "stop_reason")
    finish = read_finish(native) if native else None
    usage = taker.value("usage")
    return ChatReply(
        id=kept(taker, "id"),
        model=kept(taker, "model"),
        choices=(Choice(0, parts, finish, native, taker.text("stop_sequence")),),
        usage=read_usage(usage) if usage is not None else None,
        service_tier=tier_of(usage) if usage is not None else None,
        extras=Extras(SHAPE, taker.rest),
    )
