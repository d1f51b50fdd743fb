"""A request of any dialect as the body of `POST /responses`."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest, OpaqueTool, Tool
from penstock.ports.translation import Addressee
from penstock.providers.openai_responses.conversation import encode_input
from penstock.providers.openai_responses.limits import short
from penstock.providers.openai_responses.thinking import encode_thinking_wish
from penstock.shapes.openai_responses.names import (
    ENCRYPTED_REASONING,
    LOGPROBS,
    SHAPE,
    is_own,
    wire_fields,
)
from penstock.shapes.openai_responses.output import encode_format
from penstock.shapes.openai_responses.tools import encode_tool_choice, encode_tools
from penstock.shapes.taker import put

# What the API cannot be told at all.
_UNKNOWN = ("top_k", "seed", "stop", "logit_bias", "audio")
_SCALARS = (
    "max_output_tokens",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "top_logprobs",
)
_TIERS = {name: name for name in ("auto", "default", "flex", "priority", "scale")}
_FOREIGN_TIERS = {**_TIERS, "standard": "default", "standard_only": "default"}
_LEAST_OUTPUT_TOKENS = 16


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The body. Raises UnsupportedError."""
    own = is_own(request.extras)
    out = wire_fields(request.extras)
    if to.model:  # a stored prompt may name the model
        out["model"] = to.model
    put(out, **encode_input(request, to))
    _note_losses(request, to)
    put(out, **_scalars(request, to, own=own))
    _put_text(out, request, to)
    thinking = encode_thinking_wish(request, to, own=own)
    put(out, reasoning=thinking)
    _put_tools(out, request, to, own=own)
    _put_include(out, request, to, own=own)
    put(
        out,
        service_tier=_tier(request, to, own=own),
        user=request.user if own else short(request.user, "user_"),
        metadata=request.metadata if own else _metadata(request.metadata),
        prompt_cache_key=request.cache_key if own else short(request.cache_key, "key_"),
        previous_response_id=request.previous_response_id,
        # A client of another dialect does not know that this API keeps what it is sent.
        store=request.store if own or request.store is not None else False,
    )
    if request.stream:
        out["stream"] = True
    return out


def _note_losses(request: ChatRequest, to: Addressee) -> None:
    for name in _UNKNOWN:
        if getattr(request, name) not in (None, ()):
            to.losses.drop(name)
    if request.choices is not None and request.choices > 1:
        to.losses.drop("choices")
    if any(each != "text" for each in request.modalities):
        to.losses.drop("modalities")


def _scalars(request: ChatRequest, to: Addressee, *, own: bool) -> dict[str, Any]:
    out: dict[str, Any] = {}
    lacks = to.profile.lacks
    thinks = not own and _thinks(request, to)
    for name in _SCALARS:
        value = getattr(request, name)
        if value is None:
            continue
        if name in lacks or (thinks and name + ".thinking" in lacks):
            to.losses.drop(name)
        else:
            out[name] = value
    warmth = out.get("temperature")
    if warmth is not None and warmth > to.profile.max_temperature:
        out["temperature"] = to.profile.max_temperature
        if not to.losses.map("temperature"):
            del out["temperature"]
    bound = out.get("max_output_tokens")
    if bound is not None and bound < _LEAST_OUTPUT_TOKENS and not own:
        out["max_output_tokens"] = _LEAST_OUTPUT_TOKENS
        if not to.losses.map("max_output_tokens"):
            del out["max_output_tokens"]
    return out


def _thinks(request: ChatRequest, to: Addressee) -> bool:
    """Whether the request makes the model think: some models then take no sampling parameters."""
    wish, unset = request.reasoning, "reasoning.unset" in to.profile.lacks
    if to.profile.thinking == "none":
        return False
    if wish is None or (wish.effort is None and wish.budget_tokens is None and wish.enabled is None):
        return unset
    return wish.effort not in (None, "none") or bool(wish.budget_tokens) or wish.enabled is True


def _put_text(out: dict[str, Any], request: ChatRequest, to: Addressee) -> None:
    text = dict(out.get("text") or {})
    form = request.output
    if form is not None and form.kind == "schema" and to.profile.schema != "native":
        if to.profile.schema != "none" and to.losses.map("output.schema"):
            text["format"] = {"type": "json_object"}
        elif to.profile.schema == "none":
            to.losses.drop("output.schema")
    elif form is not None:
        text["format"] = encode_format(form)
    if request.verbosity is not None:
        if "verbosity" in to.profile.lacks:
            to.losses.drop("verbosity")
        else:
            text["verbosity"] = request.verbosity
    if text:
        out["text"] = text


def _put_tools(out: dict[str, Any], request: ChatRequest, to: Addressee, *, own: bool) -> None:
    tools: tuple[Tool, ...] = request.tools
    if tools and "tools" in to.profile.lacks:
        to.losses.drop("tools")
        tools = ()
    if any(isinstance(tool, OpaqueTool) and tool.shape != SHAPE for tool in tools):
        to.losses.drop("tool.opaque")
    written = encode_tools(tools)
    if written:
        out["tools"] = written
    elif not own:
        return  # a choice among no tools is refused
    if request.tool_choice is not None:
        out["tool_choice"] = encode_tool_choice(request.tool_choice, tools)
    put(out, parallel_tool_calls=request.parallel_tool_calls)


def _put_include(out: dict[str, Any], request: ChatRequest, to: Addressee, *, own: bool) -> None:
    found = out.get("include")
    include: list[Any] = list(found) if isinstance(found, list) else []  # pyright: ignore[reportUnknownArgumentType]
    wanted = bool(request.logprobs)
    if wanted and "logprobs" in to.profile.lacks:
        to.losses.drop("logprobs")
        wanted = False
    if wanted and LOGPROBS not in include:
        include.append(LOGPROBS)
    elif not wanted and LOGPROBS in include:
        include.remove(LOGPROBS)
    if not own and to.profile.thinking != "none":
        include.append(ENCRYPTED_REASONING)
    if include != (found or []):
        out["include"] = include


def _metadata(metadata: dict[str, str] | None) -> dict[str, str] | None:
    """The pairs that the API takes: sixteen, keys of up to 64 and values of up to 512 characters."""
    fitting = [pair for pair in (metadata or {}).items() if len(pair[0]) <= 64 and len(pair[1]) <= 512]
    return dict(fitting[:16]) or None


def _tier(request: ChatRequest, to: Addressee, *, own: bool) -> str | None:
    tier = request.service_tier
    if tier is None or own:
        return tier
    if tier not in _FOREIGN_TIERS:
        to.losses.drop("service_tier")
        return None
    return _FOREIGN_TIERS[tier]
