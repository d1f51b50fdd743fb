"""A Messages request, as the vendor takes it: https://platform.claude.com/docs/en/api/messages/create."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, Message
from penstock.core.parts import Part, Text, Thinking
from penstock.ports.translation import Addressee
from penstock.providers.anthropic.fit import fit_request
from penstock.shapes.anthropic import SHAPE, own
from penstock.shapes.anthropic.blocks import FORM, UNSEALED
from penstock.shapes.anthropic.citations import may_be_sent
from penstock.shapes.anthropic.messages import write_messages
from penstock.shapes.anthropic.output import write_output
from penstock.shapes.anthropic.thinking import write_thinking
from penstock.shapes.anthropic.tools import write_choice, write_tool
from penstock.shapes.taker import extras_of, put

_TIERS = {"auto": "auto", "default": "standard_only"}


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The request's body. Raises UnsupportedError."""
    fitted = _sendable(request) if own(request.extras) else fit_request(request, to)
    return _written(fitted, to.model)


def _sendable(request: ChatRequest) -> ChatRequest:
    """The client's own words, without what only looks like the vendor's: seals and sources of others."""
    messages: list[Message] = []
    changed = False
    for message in request.messages:
        parts = tuple([each for part in message.parts if (each := _genuine(part)) is not None])
        if parts == message.parts:
            messages.append(message)
            continue
        changed = True
        if parts:
            messages.append(replace(message, parts=parts))
    return replace(request, messages=tuple(messages)) if changed else request


def _genuine(part: Part) -> Part | None:
    if isinstance(part, Thinking):
        seal = part.signature or part.sealed
        foreign = seal is not None and seal.signer != SHAPE
        return None if foreign or extras_of(part.extras, SHAPE).get(FORM) == UNSEALED else part
    if isinstance(part, Text) and part.citations:
        return replace(part, citations=tuple([each for each in part.citations if may_be_sent(each)]))
    return part


def _written(request: ChatRequest, model: str) -> dict[str, Any]:
    body = extras_of(request.extras, SHAPE)
    if "model" in body:
        body["model"] = model
    if request.stream or "stream" in body:
        body["stream"] = request.stream
    put(
        body,
        max_tokens=request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        stop_sequences=list(request.stop) or None,
        service_tier=_TIERS.get(request.service_tier or ""),
        tool_choice=write_choice(request.tool_choice, request.parallel_tool_calls),
    )
    write_messages(request.messages, body)
    if request.tools:
        body["tools"] = [written for tool in request.tools if (written := write_tool(tool)) is not None]
    reasoning = request.reasoning
    if reasoning is not None:
        put(body, thinking=write_thinking(reasoning))
    write_output(body, request.output, reasoning.effort if reasoning is not None else None)
    if request.user is not None:
        metadata = cast("dict[str, Any]", body.get("metadata") or {})
        body["metadata"] = {**metadata, "user_id": request.user}
    return body
