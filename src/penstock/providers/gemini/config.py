"""Sampling, form and thinking, as `generationConfig`."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest, OutputFormat, Reasoning
from penstock.ports.translation import Addressee
from penstock.providers.gemini.tools import parameters_of
from penstock.shapes.gemini.reader import closed, opened, own, own_fields
from penstock.shapes.taker import put

Json = dict[str, Any]

# The levels of OpenAI's dialect at Google: https://ai.google.dev/gemini-api/docs/openai#thinking
_BUDGETS = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 24576,
    "max": 24576,
}
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_NUMBERS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    "choices": "candidateCount",
    "max_output_tokens": "maxOutputTokens",
}


def write_config(request: ChatRequest, to: Addressee) -> Json | None:
    """`generationConfig`; None where nothing is said."""
    came = own_fields(request.extras).get("~config")
    out, notes = opened(came or {})
    mine = own(request.extras)
    lacks, losses = to.profile.lacks, to.losses
    for feature, field in _NUMBERS.items():
        value = getattr(request, feature)
        if value is None or (feature == "choices" and value == 1 and not mine):
            continue
        if feature in lacks:
            losses.drop(feature)
        else:
            out[field] = value
    if not mine:
        _in_range(out, to)
    _stop(out, request, to)
    _modalities(out, request, notes, to)
    if request.output is not None:
        _form(out, request.output, notes, to)
    if request.reasoning is not None:
        put(out, thinkingConfig=_thinking(request.reasoning, to))
    return closed(out, notes) if out or came is not None else None


def _in_range(out: Json, to: Addressee) -> None:
    temperature = out.get("temperature")
    top = to.profile.max_temperature
    if temperature is not None and temperature > top:
        if to.losses.map("temperature"):
            out["temperature"] = top
        else:
            del out["temperature"]
    if out.get("responseLogprobs") is not True:
        out.pop("logprobs", None)  # refused without it
    if out.get("responseLogprobs") is False:
        del out["responseLogprobs"]


def _stop(out: Json, request: ChatRequest, to: Addressee) -> None:
    if not request.stop:
        return
    stop = list(request.stop)
    most = to.profile.max_stop
    if most is not None and len(stop) > most and not own(request.extras):
        if not to.losses.map("stop"):
            return
        del stop[most:]
    out["stopSequences"] = stop


def _modalities(out: Json, request: ChatRequest, notes: Json, to: Addressee) -> None:
    if request.modalities:
        given = notes.get("~modalities")
        same = given is not None and tuple([each.lower() for each in given]) == request.modalities
        out["responseModalities"] = given if same else [each.upper() for each in request.modalities]
    if request.audio is not None:
        to.losses.drop("audio")  # voices have names of their own at every vendor


def _form(out: Json, form: OutputFormat, notes: Json, to: Addressee) -> None:
    media_type = "text/plain" if form.kind == "text" else "application/json"
    if "~type" in notes:
        put(out, responseMimeType=notes["~type"] if _same_kind(notes["~type"], form) else media_type)
    elif form.kind == "text":
        return
    elif form.kind == "schema" and to.profile.schema == "none":
        to.losses.drop("output.schema")
        return
    else:
        out["responseMimeType"] = media_type
    if form.kind == "schema" and form.schema is not None:
        field, value = parameters_of(form.schema, notes, to, "responseSchema", "responseJsonSchema")
        out[field] = value


def _same_kind(media_type: str | None, form: OutputFormat) -> bool:
    if form.kind == "schema":
        return media_type != "text/plain"
    return (media_type == "application/json") == (form.kind == "json")


def _thinking(reasoning: Reasoning, to: Addressee) -> Json | None:
    if own(reasoning.extras):
        out, notes = opened(own_fields(reasoning.extras))
        level = notes.get("~level")
        same = level is not None and level.lower() == reasoning.effort
        put(out, thinkingLevel=level if same else reasoning.effort and reasoning.effort.upper())
        budget = notes.get("~budget") if reasoning.enabled else None
        put(out, thinkingBudget=reasoning.budget_tokens if reasoning.budget_tokens is not None else budget)
        if _shown(reasoning.summary):
            out["includeThoughts"] = True
        return closed(out, notes)
    kind = to.profile.thinking
    if kind == "none" or "reasoning" in to.profile.lacks:
        if reasoning.effort not in (None, "none") or reasoning.enabled or reasoning.budget_tokens:
            to.losses.drop("reasoning")
        return None
    out = _budget(reasoning, to) if kind == "budget" else _level(reasoning, to)
    asked = reasoning.enabled is not False and reasoning.effort != "none"
    if asked and (_shown(reasoning.summary) or reasoning.summary is None):
        out["includeThoughts"] = True
    return out or None


def _shown(summary: str | None) -> bool:
    return summary not in (None, "none", "omitted")


def _budget(reasoning: Reasoning, to: Addressee) -> Json:
    """For the generation that counts tokens; one that cannot stop thinking names the efforts that it knows."""
    least = 128 if to.profile.efforts else 0
    budget = reasoning.budget_tokens
    if budget is None and reasoning.effort is not None:
        budget = _BUDGETS.get(reasoning.effort)
        if budget is None:
            to.losses.drop("reasoning.effort")
            return {}
    if reasoning.enabled is False:
        budget = 0
    if budget is None:
        return {"thinkingBudget": -1} if reasoning.enabled else {}
    if budget < least:
        if not to.losses.map("reasoning"):
            return {}
        budget = least
    most = 32768 if to.profile.efforts else 24576
    return {"thinkingBudget": min(budget, most)}


def _level(reasoning: Reasoning, to: Addressee) -> Json:
    """For the generation that is told a level; it always thinks a little."""
    effort = reasoning.effort
    if reasoning.enabled is False:
        effort = "none"
    elif effort is None and reasoning.budget_tokens is not None:
        budget = reasoning.budget_tokens
        effort = "none" if budget == 0 else "low" if budget <= 2048 else "medium" if budget <= 12288 else "high"
    if effort is None:
        return {}
    if effort not in _EFFORTS:
        to.losses.drop("reasoning.effort")
        return {}
    known = to.profile.efforts or ("minimal", "low", "medium", "high")
    if effort not in known:
        if not to.losses.map("reasoning.effort"):
            return {}
        effort = _nearest(effort, known)
    return {"thinkingLevel": effort.upper()}


def _nearest(effort: str, known: tuple[str, ...]) -> str:
    """The next stronger level that is known, or the strongest."""
    wanted = _EFFORTS.index(effort)
    return next((each for each in known if _EFFORTS.index(each) >= wanted), known[-1])
