"""Encode a chat request for Ollama: https://docs.ollama.com/api/chat ."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest, FunctionTool, OpaqueTool, Reasoning
from penstock.ports.translation import Addressee
from penstock.providers.ollama.messages import Conversation
from penstock.shapes.lacking import drop_unsaid, without_lacks
from penstock.shapes.ollama import CHAT
from penstock.shapes.taker import extras_of, put

_UNSAID = (
    "choices", "logit_bias", "verbosity", "audio", "service_tier", "previous_response_id",
)  # fmt: skip


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The request's body. Raises UnsupportedError."""
    own = request.extras is not None and request.extras.shape == CHAT
    if not own:
        request = without_lacks(request, to)
    out = extras_of(request.extras, CHAT)
    out |= {"model": to.model, "messages": Conversation(to, own=own).messages(request.messages)}
    # Without the field Ollama streams.
    if not own or request.stream is not out.pop("~streams", request.stream) or "stream" in out:
        out["stream"] = request.stream
    _tools(request, to, out)
    output = request.output
    if output is not None and output.kind != "text":
        out["format"] = output.schema if output.kind == "schema" and output.schema is not None else "json"
    _reasoning(request.reasoning, to, out)
    _options(request, out)
    put(out, logprobs=request.logprobs, top_logprobs=request.top_logprobs)
    drop_unsaid(request, _UNSAID, to.losses)
    return out


def _tools(request: ChatRequest, to: Addressee, out: dict[str, Any]) -> None:
    choice = request.tool_choice
    if choice is not None and choice.mode == "none":
        return  # without tools there is none to call
    written: list[dict[str, Any]] = []
    for tool in request.tools:
        if isinstance(tool, OpaqueTool):
            if tool.shape == CHAT:
                written.append(tool.value)
            else:
                to.losses.drop("tool.opaque")
        elif tool.type == "custom":
            to.losses.drop("tool.custom")
        else:
            if tool.strict:
                to.losses.drop("tool.strict")
            written.append(_tool(tool))
    if choice is not None and choice.mode in ("required", "named"):
        to.losses.drop("tool_choice")
    if written:
        out["tools"] = written


def _tool(tool: FunctionTool) -> dict[str, Any]:
    own = extras_of(tool.extras, CHAT)
    inner = cast("dict[str, Any]", own.pop("function", {}))
    function = put({**inner, "name": tool.name}, description=tool.description, parameters=tool.parameters)
    if tool.extras is None or tool.extras.shape != CHAT:
        function.setdefault("parameters", {"type": "object", "properties": {}})
    return {**own, "type": "function", "function": function}


def _reasoning(reasoning: Reasoning | None, to: Addressee, out: dict[str, Any]) -> None:
    if reasoning is None:
        return
    own = reasoning.extras is not None and reasoning.extras.shape == CHAT
    if own:
        out["think"] = reasoning.effort if reasoning.effort is not None else reasoning.enabled
        return
    off = reasoning.enabled is False or reasoning.effort == "none"
    kind = to.profile.thinking
    if kind == "none":
        if not off:
            to.losses.drop("reasoning")
    elif kind == "effort":
        # gpt-oss always thinks; the least of it is the nearest to not at all.
        word = _level("none" if off else reasoning.effort or "medium", to.profile.efforts)
        if word == reasoning.effort or to.losses.map("reasoning"):
            out["think"] = word
    else:
        out["think"] = not off
        if (reasoning.effort not in (None, "none")) or reasoning.budget_tokens is not None:
            to.losses.map("reasoning")


def _level(effort: str, levels: tuple[str, ...]) -> str:
    if effort in levels or not levels:
        return effort
    return levels[0] if effort in ("none", "minimal") else levels[-1]


def _options(request: ChatRequest, out: dict[str, Any]) -> None:
    own = dict(cast("dict[str, Any]", out.get("options") or {}))
    stop: Any = list(request.stop) or None
    if own.pop("~stop", "") == "string" and len(request.stop) == 1:
        stop = request.stop[0]
    put(
        own,
        num_predict=request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        seed=request.seed,
        stop=stop,
    )
    if own or "options" in out:
        out["options"] = own
