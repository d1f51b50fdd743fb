"""Another dialect's request as one that the vendor takes: each field mapped, dropped, or refused as wished.

A request of this API's own dialect is sent as it was said.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, FunctionTool, Message, OutputFormat, Tool, ToolChoice
from penstock.core.forced_tool import force
from penstock.core.parts import Extras, Text
from penstock.core.plain_turns import drop_names
from penstock.ports.translation import Addressee
from penstock.providers.anthropic.conversation import fit_messages
from penstock.providers.anthropic.reasoning import fit_reasoning, wanted
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.schema import closed, tool_input

# The output's bound where the caller gives none: the API wants one.
DEFAULT_MAX_TOKENS = 4096
_JSON_ONLY = Text("Answer with one JSON object and nothing else.")
_FREE_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
# Fields that have no equal here, and the values that ask for nothing.
_NOTHING_LIKE_IT: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("frequency_penalty", (None, 0)),
    ("presence_penalty", (None, 0)),
    ("seed", (None,)),
    ("choices", (None, 1)),
    ("logprobs", (None, False)),
    ("top_logprobs", (None, 0)),
    ("logit_bias", (None, {})),
    ("verbosity", (None, "medium")),
    ("audio", (None,)),
)
_TIERS = {"auto": "auto", "priority": "auto", "default": "default"}


def fit_request(request: ChatRequest, to: Addressee) -> ChatRequest:
    """The request in this API's words."""
    for name, nothing in _NOTHING_LIKE_IT:
        if getattr(request, name) not in nothing:
            to.losses.drop(name)
    if request.service_tier not in (None, "standard", "standard_only", *_TIERS):
        to.losses.drop("service_tier")
    if any(kind != "text" for kind in request.modalities):
        to.losses.drop("modalities")
    drop_names(request.messages, to.losses)
    fields: dict[str, Any] = {"model": to.model}
    fitted = replace(
        request,
        messages=fit_messages(_with_json_wish(request, to), to),
        output=None if request.output is not None and request.output.kind != "schema" else request.output,
        stop=_stop(request, to),
        service_tier=_TIERS.get(request.service_tier or ""),
        extras=Extras(SHAPE, fields),
    )
    fitted = _choice(_output(fitted, to), to)
    fitted = replace(fitted, tools=_tools(fitted, to))
    return _sampling(fit_reasoning(fitted, to, default_cap=DEFAULT_MAX_TOKENS), to)


def _with_json_wish(request: ChatRequest, to: Addressee) -> tuple[Message, ...]:
    """The wish for any JSON object is one that the model can only be told."""
    output = request.output
    if output is not None and output.kind == "json" and to.losses.map("output.json"):
        return (*_leading_system(request.messages), Message("system", (_JSON_ONLY,)), *_after(request.messages))
    return request.messages


def _leading_system(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return messages[: len(messages) - len(_after(messages))]


def _after(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    for at, message in enumerate(messages):
        if message.role not in ("system", "developer"):
            return messages[at:]
    return ()


def _stop(request: ChatRequest, to: Addressee) -> tuple[str, ...]:
    """Stop sequences; white space alone is refused."""
    kept = tuple([each for each in request.stop if each.strip()])
    if len(kept) < len(request.stop):
        to.losses.drop("stop")
    return kept


def _output(request: ChatRequest, to: Addressee) -> ChatRequest:
    output = request.output
    if output is None:
        return request
    style = to.profile.schema
    if style == "tool" and to.losses.map("output.schema"):
        return force(request)
    if style != "native":
        if style != "tool":
            to.losses.drop("output.schema")
        return replace(request, output=None)
    return replace(request, output=OutputFormat("schema", closed(output.schema or {})))


def _tools(request: ChatRequest, to: Addressee) -> tuple[Tool, ...]:
    out: list[Tool] = []
    for tool in request.tools:
        if not isinstance(tool, FunctionTool):
            if tool.shape == SHAPE:
                out.append(tool)
            else:
                to.losses.drop("tool.opaque")
        elif tool.type == "custom":
            if to.losses.map("tool.custom"):
                out.append(FunctionTool(tool.name, tool.description, _FREE_TEXT, cache=tool.cache))
        else:
            strict = True if tool.strict and to.profile.schema == "native" else None
            if tool.strict and not strict:
                to.losses.drop("tool.strict")
            schema = tool_input(tool.parameters)
            given = closed(schema) if strict else schema
            out.append(replace(tool, parameters=given, strict=strict, extras=None))
    return tuple(out)


def _choice(request: ChatRequest, to: Addressee) -> ChatRequest:
    """Which tools must be called: with most models not while they think, and with some not at all."""
    if not request.tools:
        return replace(request, tool_choice=None, parallel_tool_calls=None)
    choice = request.tool_choice
    alone = False if request.parallel_tool_calls is False else None
    if choice is None:
        return replace(request, parallel_tool_calls=alone)
    choice = ToolChoice(choice.mode, choice.name)
    if choice.mode == "none":
        alone = None
    elif choice.mode != "auto":
        if "tool_choice.forced" in to.profile.lacks:
            choice = ToolChoice("auto") if to.losses.map("tool_choice") else None
        elif "reasoning+tool_choice" in to.profile.lacks and wanted(request.reasoning):
            to.losses.drop("reasoning")
            request = replace(request, reasoning=None)
    return replace(request, tool_choice=choice, parallel_tool_calls=alone)


def _sampling(request: ChatRequest, to: Addressee) -> ChatRequest:
    """Temperature and its kin: not all models take them, and none while it thinks.

    https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
    """
    lacks = to.profile.lacks
    thinks = request.reasoning is not None and bool(request.reasoning.enabled)
    temperature, top_p, top_k = request.temperature, request.top_p, request.top_k
    top = to.profile.max_temperature
    if temperature is not None and ("temperature" in lacks or thinks):
        if temperature != 1:
            to.losses.drop("temperature")
        temperature = None
    if temperature is not None and temperature > top:
        temperature = top if to.losses.map("temperature") else None
    if top_p is not None and ("top_p" in lacks or (thinks and top_p < 0.95)):
        if top_p != 1:
            to.losses.drop("top_p")
        top_p = None
    if top_p is not None and temperature is not None and "temperature+top_p" in lacks:
        if top_p != 1:
            to.losses.drop("top_p")
        top_p = None
    if top_k is not None and ("top_k" in lacks or thinks or top_k < 1):
        if top_k > 0:
            to.losses.drop("top_k")
        top_k = None
    return replace(request, temperature=temperature, top_p=top_p, top_k=top_k)
