"""A client's Messages request: https://platform.claude.com/docs/en/api/messages/create."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest, Tool
from penstock.core.parts import Extras
from penstock.shapes.anthropic import NO_SEAL, SHAPE
from penstock.shapes.anthropic.messages import read_messages, read_system
from penstock.shapes.anthropic.output import read_output
from penstock.shapes.anthropic.thinking import read_thinking
from penstock.shapes.anthropic.tools import read_choice, read_tool
from penstock.shapes.taker import Taker

# How core/seals.py marks a seal in a signature field, and in the id of a tool call.
_WRAPPED, _IN_ID = NO_SEAL[:12].encode(), b"-ps1-"
_TIERS = {"auto": "auto", "standard_only": "default"}


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request. Raises ShapeError.

    `model` and `stream` stay in the extras as well, so that they are written again only where they stood (the
    path says them on Google's and Amazon's clouds).
    """
    taker = Taker(body, strict=True)
    messages = read_system(taker) + read_messages(taker)
    output, effort = read_output(taker)
    choice, parallel = read_choice(taker)
    return ChatRequest(
        model=model,
        messages=messages,
        tools=_tools(taker),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        output=output,
        reasoning=read_thinking(taker, effort),
        max_output_tokens=taker.count("max_tokens"),
        temperature=taker.number("temperature"),
        top_p=taker.number("top_p"),
        top_k=taker.integer("top_k"),
        stop=(taker.texts("stop_sequences") or ()) if taker.rest.get("stop_sequences") else (),
        stream=stream,
        service_tier=_tier(taker),
        user=_user(taker),
        extras=Extras(SHAPE, taker.rest),
    )


def has_foreign_seals(body: bytes) -> bool:
    """Whether a request repeats what other vendors sealed, which Anthropic would refuse as received."""
    return _WRAPPED in body or _IN_ID in body


def _tools(taker: Taker) -> tuple[Tool, ...]:
    if not taker.rest.get("tools"):
        return ()
    return tuple([read_tool(each) for each in taker.objects("tools") or ()])


def _tier(taker: Taker) -> str | None:
    tier = taker.rest.get("service_tier")
    if isinstance(tier, str) and tier in _TIERS:
        del taker.rest["service_tier"]
        return _TIERS[tier]
    return None


def _user(taker: Taker) -> str | None:
    metadata = taker.rest.get("metadata")
    if not isinstance(metadata, dict):
        return None
    inner = Taker(metadata, taker.path("metadata"), strict=True)
    user = inner.text("user_id")
    taker.rest["metadata"] = inner.rest
    return user
