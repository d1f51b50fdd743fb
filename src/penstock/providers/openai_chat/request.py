"""A request to a chat completions API: its parameters. Messages are written in messages.py."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from penstock.core.chat import ChatRequest, OutputFormat
from penstock.ports.translation import Addressee
from penstock.providers.openai_chat.messages import write_messages
from penstock.providers.openai_chat.thinking import write_reasoning
from penstock.providers.openai_chat.tools import write_choice, write_tools
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.openai_chat.forms import is_own
from penstock.shapes.taker import extras_of

# Parameters whose JSON name is another than the pivot's.
_NAMES = {"choices": "n", "cache_key": "prompt_cache_key", "seed": "seed"}
_PLAIN = (
    "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "choices", "logprobs",
    "top_logprobs", "logit_bias", "verbosity", "modalities", "audio", "service_tier", "user", "metadata",
    "cache_key", "store",
)  # fmt: skip
# What does not change the answer is left out in silence, unless it is a tier, which changes the price.
_SILENT = frozenset({"service_tier", "user", "metadata", "cache_key", "store"})
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_TIERS = frozenset({"auto", "default", "flex", "priority", "scale"})


def encode_request(request: ChatRequest, to: Addressee, shape: str = SHAPE) -> dict[str, Any]:
    """The body. Raises UnsupportedError where the caller wants no loss."""
    own = is_own(request.extras, shape)
    out = extras_of(request.extras, shape)
    out["model"] = to.model
    messages = write_messages(request.messages, to, shape, own=own)
    out["messages"] = messages
    _write_plain(request, out, to, own=own)
    _write_cap(request, out, to)
    _write_stop(request, out, to)
    write_tools(request, out, to, shape)
    write_choice(request, out, to, shape)
    _write_output(request.output, out, to, shape, messages)
    write_reasoning(request.reasoning, out, to, shape, own=own)
    if request.previous_response_id is not None:
        to.losses.drop("previous_response_id")
    _write_stream(request, out, to, own=own)
    return out


def _write_plain(request: ChatRequest, out: dict[str, Any], to: Addressee, *, own: bool) -> None:
    lacks = _lacking(request, to)
    seed = out.pop("~seed", "seed")
    for field in _PLAIN:
        value: Any = getattr(request, field)
        if value is None or value == ():
            continue
        if field in lacks or (field == "modalities" and "audio" in lacks and "audio" in value):
            if (field not in _SILENT or (field == "service_tier" and not own)) and not _says_nothing(
                field, value
            ):
                to.losses.drop(field)
            if not (own and field in _SILENT):
                continue
        if field == "service_tier" and not own and value not in _TIERS:
            if not _says_nothing(field, value):
                to.losses.drop(field)
            continue
        if field == "temperature" and value > to.profile.max_temperature:
            if not to.losses.map("temperature"):
                continue
            value = to.profile.max_temperature
        out[seed if field == "seed" else _NAMES.get(field, field)] = (
            list(value) if field == "modalities" else value
        )


def _lacking(request: ChatRequest, to: Addressee) -> frozenset[str]:
    """What the model does not take of this request: some take less where they are made to think."""
    lacks, wish = to.profile.lacks, request.reasoning
    if wish is None or to.profile.thinking == "none":
        return lacks
    if wish.effort not in (None, "none") or wish.budget_tokens or wish.enabled is True:
        return lacks | {each.removesuffix(".thinking") for each in lacks if each.endswith(".thinking")}
    return lacks


def _says_nothing(field: str, value: Any) -> bool:
    """Whether the value is the one that a model has without it."""
    if field == "service_tier":
        return value in ("auto", "default", "standard", "standard_only")
    return (field in ("temperature", "top_p", "choices") and value == 1) or value in (False, 0, {})


def _write_cap(request: ChatRequest, out: dict[str, Any], to: Addressee) -> None:
    said = out.pop("~cap", None)
    if request.max_output_tokens is not None:
        name = to.profile.cap_field
        if said is not None and (name == "max_tokens" or to.profile.thinking == "none"):
            name = said  # only reasoning models refuse the other name
        out[name] = request.max_output_tokens


def _write_stop(request: ChatRequest, out: dict[str, Any], to: Addressee) -> None:
    form = out.pop("~stop", None)
    stop = list(request.stop)
    if not stop:
        return
    if "stop" in to.profile.lacks:
        to.losses.drop("stop")
        return
    most = to.profile.max_stop
    if most is not None and len(stop) > most:
        to.losses.drop("stop")
        stop = stop[:most]
    out["stop"] = stop[0] if form == "string" and len(stop) == 1 else stop


def _write_output(
    output: OutputFormat | None, out: dict[str, Any], to: Addressee, shape: str, messages: list[dict[str, Any]]
) -> None:
    if output is None:
        return
    base = extras_of(output.extras, shape)
    if "~type" in base:
        kind = base.pop("~type")
        out["response_format"] = {**base, "type": kind, **({"schema": output.schema} if output.schema else {})}
        return
    if output.kind != "schema":
        kind = "json_object" if output.kind == "json" else "text"
        out["response_format"] = {**base, "type": kind}
        return
    means = to.profile.schema
    if "output.schema" in to.profile.lacks or means == "none" or (means == "tool" and not base):
        to.losses.drop("output.schema")
        return
    if means == "json":
        if to.losses.map("output.schema"):
            out["response_format"] = {"type": "json_object"}
            messages.insert(0, {"role": "system", "content": _told(output)})
        return
    out["response_format"] = {**base, "type": "json_schema", "json_schema": _schema(output, base, shape)}


def _told(output: OutputFormat) -> str:
    """The schema in words, for models that know JSON mode only."""
    text = _json(output.schema or {})
    return f"Answer with one JSON object, and nothing else, that is valid under this JSON Schema:\n{text}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _schema(output: OutputFormat, base: dict[str, Any], shape: str) -> dict[str, Any]:
    said = dict(base.get("json_schema", {}))
    own = is_own(output.extras, shape)
    name = output.name if own else _NOT_IN_NAMES.sub("_", output.name)[:64] or "answer"
    members = {
        "name": name or None,
        "description": output.description or None,
        "schema": output.schema,
        "strict": output.strict,
    }
    said.update({member: value for member, value in members.items() if value is not None})
    return said


def _write_stream(request: ChatRequest, out: dict[str, Any], to: Addressee, *, own: bool) -> None:
    said = out.pop("~stream", None)
    out.pop("~functions", None)
    if request.stream:
        out["stream"] = True
        if not own and to.profile.stream_usage:
            out["stream_options"] = {"include_usage": True}
    elif said is not None:
        out["stream"] = False
