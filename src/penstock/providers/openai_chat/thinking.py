"""How much to think, in the member of the request by which a vendor is told."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import Reasoning
from penstock.ports.translation import Addressee
from penstock.shapes.taker import extras_of

_RISING = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Where OpenRouter's own mapping of effort to a share of the output bound changes its word.
_BUDGETS = (("minimal", 1024), ("low", 4096), ("medium", 16384), ("high", 32768))
_BUDGET_OF = {"minimal": 1024, "low": 4096, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 65536}


def write_reasoning(
    reasoning: Reasoning | None, out: dict[str, Any], to: Addressee, shape: str, *, own: bool
) -> None:
    """Put it into the request."""
    if reasoning is None:
        return
    base = extras_of(reasoning.extras, shape)
    at: dict[str, str] = base.pop("~at", {})
    out.update({form: dict(kept) for form, kept in base.items()})
    if own and at:
        _write_said(reasoning, at, out)
        return
    if base:
        return
    _write_foreign(reasoning, out, to)


def _write_said(reasoning: Reasoning, at: dict[str, str], out: dict[str, Any]) -> None:
    """Each where the client said it."""
    for attribute, form in at.items():
        value = getattr(reasoning, attribute)
        if form == "thinking" and attribute == "enabled":
            out[form]["type"] = "enabled" if value else "disabled"
        elif form in ("reasoning", "thinking"):
            out[form]["max_tokens" if form == "reasoning" and attribute == "budget_tokens" else attribute] = (
                value
            )
        else:
            out[form] = value


def _write_foreign(reasoning: Reasoning, out: dict[str, Any], to: Addressee) -> None:
    profile = to.profile
    wanted = reasoning.enabled is not False and reasoning.effort != "none"
    asks = reasoning.effort is not None or reasoning.budget_tokens is not None or reasoning.enabled is not None
    if not asks or (profile.thinking == "always" and wanted):
        return
    if profile.thinking in ("none", "always") or "reasoning" in profile.lacks:
        if wanted or profile.thinking == "always":
            to.losses.drop("reasoning")
        return
    form = profile.thinking_form or "reasoning_effort"
    if form == "enable_thinking":
        out["enable_thinking"] = wanted
        if wanted and (reasoning.budget_tokens or reasoning.effort):
            out["thinking_budget"] = reasoning.budget_tokens or _BUDGET_OF.get(reasoning.effort or "", 8192)
    elif form == "reasoning":
        out["reasoning"] = _open_router(reasoning, wanted=wanted)
    else:
        _write_effort(reasoning, form, out, to, wanted=wanted)


def _open_router(reasoning: Reasoning, *, wanted: bool) -> dict[str, Any]:
    if not wanted:
        return {"effort": "none"}
    if reasoning.effort is not None:
        return {"effort": "xhigh" if reasoning.effort == "max" else reasoning.effort}
    if reasoning.budget_tokens is not None:
        return {"max_tokens": reasoning.budget_tokens}
    return {"enabled": True}


def _write_effort(reasoning: Reasoning, form: str, out: dict[str, Any], to: Addressee, *, wanted: bool) -> None:
    efforts = to.profile.efforts
    if form == "thinking":
        out["thinking"] = {"type": "enabled" if wanted else "disabled"}
        if not wanted or not efforts or (reasoning.effort is None and reasoning.budget_tokens is None):
            return
    if not wanted:
        word = "none" if not efforts or "none" in efforts else efforts[0]
        if word != "none":
            to.losses.map("reasoning")
        out["reasoning_effort"] = word
        return
    word = reasoning.effort or _word_of(reasoning.budget_tokens)
    if efforts and word not in efforts:
        near = _nearest(word, efforts)
        if not to.losses.map("reasoning.effort"):
            return
        word = near
    out["reasoning_effort"] = word


def _word_of(budget: int | None) -> str:
    if budget is None:
        return "medium"
    return next((word for word, most in _BUDGETS if budget <= most), "high")


def _nearest(word: str, efforts: tuple[str, ...]) -> str:
    """The word that is closest in the rising order, the higher of two."""
    if word not in _RISING:
        return efforts[-1]
    at = _RISING.index(word)
    return min(efforts, key=lambda each: (abs(_RISING.index(each) - at), -_RISING.index(each)))
