"""Encode a chat request for Cohere: https://docs.cohere.com/v2/reference/chat ."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest, FunctionTool, OpaqueTool, OutputFormat, Reasoning, Tool
from penstock.core.losses import Losses
from penstock.ports.translation import Addressee
from penstock.providers.cohere.messages import Conversation
from penstock.shapes.cohere import CHAT
from penstock.shapes.lacking import drop_unsaid, without_lacks
from penstock.shapes.taker import extras_of, put

# Effort in the words of others, as a bound of the tokens that may be thought; None leaves it to the model.
_BUDGETS: dict[str, int | None] = {
    "minimal": 512,
    "low": 1024,
    "medium": 4096,
    "high": None,
    "xhigh": None,
    "max": None,
}
_UNSAID = (
    "choices", "top_logprobs", "logit_bias", "verbosity", "audio", "service_tier", "previous_response_id",
)  # fmt: skip


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The request's body. Raises UnsupportedError."""
    own = request.extras is not None and request.extras.shape == CHAT
    if not own:
        request = without_lacks(request, to)
    out = extras_of(request.extras, CHAT)
    free = own or request.output is None or request.output.kind == "text"
    conversation = Conversation(to, own=own, cite=free)
    out |= {"model": to.model, "messages": conversation.messages(request.messages)}
    if conversation.documents:
        out["documents"] = conversation.documents
    if request.stream or not own or "stream" in out:
        out["stream"] = request.stream
    _tools(request, to, out)
    _output(request.output, to.losses, out, own=own)
    _reasoning(request.reasoning, to, out)
    _sampling(request, to, out, own=own)
    drop_unsaid(request, _UNSAID, to.losses)
    return out


def _tools(request: ChatRequest, to: Addressee, out: dict[str, Any]) -> None:
    tools = request.tools
    choice = request.tool_choice
    if tools and "tools" in to.profile.lacks:
        to.losses.drop("tools")
        return
    mode = choice.mode if choice is not None else "auto"
    if choice is not None and mode == "named" and to.losses.map("tool_choice.named"):
        # The one tool alone, and a duty to call: no other can be called.
        tools = tuple([tool for tool in tools if isinstance(tool, FunctionTool) and tool.name == choice.name])
        mode = "required"
    written: list[dict[str, Any]] = []
    for tool in tools:
        if isinstance(tool, OpaqueTool):
            if tool.shape == CHAT:
                written.append(tool.value)
            else:
                to.losses.drop("tool.opaque")
        elif tool.type == "custom":
            to.losses.drop("tool.custom")
        else:
            written.append(_tool(tool))
    if written or (request.tools == () and "tools" in out):
        out["tools"] = written
        _strict(tools, to.losses, out)
    word = {"none": "NONE", "required": "REQUIRED"}.get(mode)
    if word is not None and (written or "tools" not in out):
        out["tool_choice"] = word


def _strict(tools: tuple[Tool, ...], losses: Losses, out: dict[str, Any]) -> None:
    """All tools are strict here, or none is: https://docs.cohere.com/docs/structured-outputs#structured-outputs-tools."""
    wishes = [tool.strict for tool in tools if isinstance(tool, FunctionTool)]
    if "strict_tools" in out or not any(wishes):
        return
    if all(wishes) or losses.map("tool.strict"):
        out["strict_tools"] = True


def _tool(tool: FunctionTool) -> dict[str, Any]:
    own = extras_of(tool.extras, CHAT)
    inner = cast("dict[str, Any]", own.pop("function", {}))
    function = put({**inner, "name": tool.name}, description=tool.description, parameters=tool.parameters)
    if tool.extras is None or tool.extras.shape != CHAT:
        function.setdefault("parameters", {"type": "object", "properties": {}})
    return {**own, "type": "function", "function": function}


def _output(output: OutputFormat | None, losses: Losses, out: dict[str, Any], *, own: bool) -> None:
    """JSON mode, which Cohere does not take together with tools or documents."""
    if output is None:
        return
    if output.kind == "text":
        if own:
            out["response_format"] = {**extras_of(output.extras, CHAT), "type": "text"}
        return
    if not own and out.get("tools"):
        losses.drop("output")
        return
    form = {**extras_of(output.extras, CHAT), "type": "json_object"}
    if output.kind == "schema" and output.schema is not None:
        form[form.pop("~schema", "json_schema")] = output.schema
    out["response_format"] = form


def _reasoning(reasoning: Reasoning | None, to: Addressee, out: dict[str, Any]) -> None:
    if reasoning is None:
        return
    off = reasoning.enabled is False or reasoning.effort == "none"
    if to.profile.thinking == "none" and (reasoning.extras is None or reasoning.extras.shape != CHAT):
        if not off:
            to.losses.drop("reasoning")
        return
    own = extras_of(reasoning.extras, CHAT)
    if off:
        out["thinking"] = {**own, "type": "disabled"}
        return
    budget = reasoning.budget_tokens
    if budget is None and reasoning.effort is not None and to.losses.map("reasoning"):
        budget = _BUDGETS.get(reasoning.effort)
    out["thinking"] = put({**own, "type": "enabled"}, token_budget=budget)


def _sampling(request: ChatRequest, to: Addressee, out: dict[str, Any], *, own: bool) -> None:
    put(
        out,
        max_tokens=request.max_output_tokens,
        temperature=request.temperature,
        k=request.top_k,
        seed=request.seed,
        logprobs=request.logprobs,
    )
    if own:
        put(
            out,
            p=request.top_p,
            frequency_penalty=request.frequency_penalty,
            presence_penalty=request.presence_penalty,
            stop_sequences=list(request.stop) or None,
        )
        return
    put(
        out,
        p=_within(request.top_p, 0.01, 0.99, "top_p", to.losses),
        frequency_penalty=_within(request.frequency_penalty, 0.0, 1.0, "frequency_penalty", to.losses),
        presence_penalty=_within(request.presence_penalty, 0.0, 1.0, "presence_penalty", to.losses),
    )
    stop = request.stop
    most = to.profile.max_stop
    if most is not None and len(stop) > most:
        stop = stop[:most] if to.losses.map("stop") else ()
    if stop:
        out["stop_sequences"] = list(stop)


def _within(value: float | None, low: float, high: float, name: str, losses: Losses) -> float | None:
    """The value, or the nearest that Cohere takes."""
    if value is None or low <= value <= high:
        return value
    return min(max(value, low), high) if losses.map(name) else None
