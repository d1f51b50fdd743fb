"""A Messages request, as the vendor takes it: https://platform.claude.com/docs/en/api/messages/create."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest
from penstock.ports.translation import Addressee
from penstock.providers.anthropic.fit import fit_request
from penstock.shapes.anthropic import SHAPE, own
from penstock.shapes.anthropic.messages import write_messages
from penstock.shapes.anthropic.output import write_output
from penstock.shapes.anthropic.thinking import write_thinking
from penstock.shapes.anthropic.tools import write_choice, write_tool
from penstock.shapes.taker import extras_of, put

_TIERS = {"auto": "auto", "default": "standard_only"}


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The request's body. Raises UnsupportedError."""
    return _written(request if own(request.extras) else fit_request(request, to), to.model)


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
