"""A chat completions request: its parameters. Messages are read in history.py, tools in tools.py.

Beside OpenAI's parameters stand those of compatible vendors that mean what the pivot knows: `top_k`,
`reasoning` (OpenRouter), `thinking` (DeepSeek, Z.ai), `enable_thinking` and `thinking_budget` (Qwen),
`random_seed` (Mistral).
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest, OutputFormat, Reasoning
from penstock.core.parts import Extras
from penstock.dialects.openai_chat.history import read_messages
from penstock.dialects.openai_chat.tools import read_choice, read_tools
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.taker import Taker

EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_SWITCH = {"enabled": True, "disabled": False}


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request. Raises ShapeError where a field is not what the API says."""
    t = Taker(body, strict=True)
    t.rest.pop("model", None)
    if "stream" in t.rest:
        t.rest["~stream"] = t.rest.pop("stream")
    messages = read_messages(t, SHAPE)
    tools = read_tools(t, SHAPE)
    choice = read_choice(t, SHAPE)
    return ChatRequest(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=t.flag("parallel_tool_calls"),
        output=_output(t),
        reasoning=_reasoning(t),
        max_output_tokens=_cap(t),
        temperature=t.number("temperature"),
        top_p=t.number("top_p"),
        top_k=t.integer("top_k"),
        frequency_penalty=t.number("frequency_penalty"),
        presence_penalty=t.number("presence_penalty"),
        seed=_seed(t),
        stop=_stop(t),
        choices=t.count("n"),
        logprobs=t.flag("logprobs"),
        top_logprobs=t.count("top_logprobs"),
        logit_bias=_logit_bias(t),
        verbosity=t.text("verbosity"),
        modalities=_modalities(t),
        audio=t.value("audio"),
        stream=stream,
        service_tier=t.text("service_tier"),
        user=t.text("user"),
        metadata=_metadata(t),
        cache_key=t.text("prompt_cache_key"),
        store=t.flag("store"),
        extras=Extras(SHAPE, t.rest),
    )


def _cap(t: Taker) -> int | None:
    """The output bound, under its new name or its old one."""
    for name in ("max_completion_tokens", "max_tokens"):
        value = t.rest.get(name)
        if value is not None and not (isinstance(value, int) and value < 0):  # -1: no bound (llama.cpp)
            t.rest["~cap"] = name
            return t.count(name)
    return None


def _seed(t: Taker) -> int | None:
    if t.rest.get("seed") is None and t.rest.get("random_seed") is not None:
        t.rest["~seed"] = "random_seed"
        return t.integer("random_seed")
    return t.integer("seed")


def _stop(t: Taker) -> tuple[str, ...]:
    if isinstance(t.rest.get("stop"), str):
        t.rest["~stop"] = "string"
        return (t.need("stop"),)
    found = t.texts("stop")
    if found == ():
        t.rest["stop"] = []
    return found or ()


def _modalities(t: Taker) -> tuple[str, ...]:
    found = t.texts("modalities")
    if found == ():
        t.rest["modalities"] = []
    return found or ()


def _logit_bias(t: Taker) -> dict[str, float] | None:
    value = t.rest.get("logit_bias")
    if isinstance(value, dict):
        said = cast("dict[str, Any]", value)
        if all(isinstance(bias, int | float) and not isinstance(bias, bool) for bias in said.values()):
            return t.value("logit_bias")
        return None
    return t.value("logit_bias")


def _metadata(t: Taker) -> dict[str, str] | None:
    value = t.rest.get("metadata")
    if isinstance(value, dict) and all(
        isinstance(each, str) for each in cast("dict[str, Any]", value).values()
    ):
        return t.value("metadata")
    return None


def _output(t: Taker) -> OutputFormat | None:
    value = t.rest.get("response_format")
    if not isinstance(value, dict):
        t.value("response_format")
        return None
    inner = Taker(cast("dict[str, Any]", value), "response_format", strict=True)
    kind = inner.text("type")
    if kind == "json_schema" and "json_schema" in inner.rest:
        made = _schema(inner)
    elif kind == "json_object":
        schema = inner.value("schema")  # Fireworks, Together
        made = OutputFormat("schema" if schema is not None else "json", schema, extras=_kept(inner, kind))
    elif kind == "text":
        made = OutputFormat("text", extras=inner.extras(SHAPE))
    else:
        return None  # a grammar, …: only its own vendor knows
    del t.rest["response_format"]
    return made


def _kept(inner: Taker, kind: str) -> Extras:
    return Extras(SHAPE, {**inner.rest, "~type": kind})


def _schema(inner: Taker) -> OutputFormat:
    said = inner.object("json_schema")
    if said is None:
        return OutputFormat("schema", extras=inner.extras(SHAPE))
    schema, strict = said.value("schema"), said.flag("strict")
    name, description = said.text("name"), said.text("description")
    for member, value in (("name", name), ("description", description)):
        if value == "":
            said.rest[member] = ""
    if said.rest:
        inner.rest["json_schema"] = said.rest
    return OutputFormat("schema", schema, name or "", description or "", strict, Extras(SHAPE, inner.rest))


def _reasoning(t: Taker) -> Reasoning | None:
    """How much to think, by whichever of its names; `~at` remembers which said what."""
    found: dict[str, Any] = {}
    at: dict[str, str] = {}
    kept: dict[str, Any] = {}
    _effort(t.rest, "reasoning_effort", "reasoning_effort", found, at)
    for form, members in (
        (
            "reasoning",
            {"effort": "effort", "max_tokens": "budget_tokens", "enabled": "enabled", "summary": "summary"},
        ),
        ("thinking", {"type": "enabled", "budget_tokens": "budget_tokens"}),
    ):
        value = t.rest.get(form)
        if isinstance(value, dict):
            inner = dict(cast("dict[str, Any]", value))
            for member, attribute in members.items():
                _member(inner, member, attribute, form, found, at)
            del t.rest[form]
            kept[form] = inner
    _member(t.rest, "enable_thinking", "enabled", "enable_thinking", found, at)
    _member(t.rest, "thinking_budget", "budget_tokens", "thinking_budget", found, at)
    if not found and not kept:
        return None
    return Reasoning(**found, extras=Extras(SHAPE, {**kept, "~at": at}))


def _effort(rest: dict[str, Any], member: str, form: str, found: dict[str, Any], at: dict[str, str]) -> None:
    value = rest.get(member)
    if isinstance(value, str) and value in EFFORTS and "effort" not in found:
        found["effort"] = value
        at["effort"] = form
        del rest[member]


def _member(
    rest: dict[str, Any], member: str, attribute: str, form: str, found: dict[str, Any], at: dict[str, str]
) -> None:
    value = rest.get(member)
    if attribute in found or value is None:
        return
    if attribute == "effort":
        _effort(rest, member, form, found, at)
        return
    if form == "thinking" and member == "type":
        value = _SWITCH.get(value) if isinstance(value, str) else None
    fits = {
        "enabled": isinstance(value, bool),
        "budget_tokens": isinstance(value, int) and not isinstance(value, bool),
        "summary": isinstance(value, str),
    }
    if fits[attribute]:
        found[attribute] = value
        at[attribute] = form
        del rest[member]
