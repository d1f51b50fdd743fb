"""`thinking` and `output_config.effort`: how much the model may think, and whether that is shown.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking and …/effort
"""

from __future__ import annotations

from typing import Any

from penstock.core.chat import Reasoning
from penstock.core.parts import Extras
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.taker import Taker, extras_of

BETWEEN_TOOLS = "between_tools"
_DISPLAY_READ = {"summarized": "auto", "omitted": "none"}


def read_thinking(taker: Taker, effort: str | None) -> Reasoning | None:
    """What the request says of thinking; a form that is not known stays where it is."""
    value = taker.rest.get("thinking")
    found = _form(value, taker.path("thinking"), effort) if isinstance(value, dict) else None
    if found is not None:
        del taker.rest["thinking"]
        return found
    return Reasoning(effort) if effort is not None else None


def _form(value: Any, where: str, effort: str | None) -> Reasoning | None:
    inner = Taker(value, where)
    kind = inner.rest.get("type")
    enabled = _ENABLED.get(kind) if isinstance(kind, str) else None
    if enabled is None:
        return None
    budget = inner.count("budget_tokens") if kind == "enabled" else None
    if kind == "enabled" and budget is None:
        return None
    if kind != BETWEEN_TOOLS:
        del inner.rest["type"]
    shown = inner.rest.get("display")
    summary = _DISPLAY_READ.get(shown) if isinstance(shown, str) else None
    if summary is not None:
        del inner.rest["display"]
    return Reasoning(effort, budget, enabled, summary, Extras(SHAPE, inner.rest) if inner.rest else None)


_ENABLED = {"enabled": True, "adaptive": True, "disabled": False, BETWEEN_TOOLS: False}


def write_thinking(reasoning: Reasoning) -> dict[str, Any] | None:
    """The `thinking` member, None where nothing is said but an effort."""
    value = extras_of(reasoning.extras, SHAPE)
    other = value.pop("type", "disabled")
    if reasoning.enabled is False:
        return {**value, "type": other}
    if reasoning.budget_tokens is not None:
        value.update({"type": "enabled", "budget_tokens": reasoning.budget_tokens})
    elif reasoning.enabled:
        value["type"] = "adaptive"
    else:
        return None
    if reasoning.summary is not None:
        value["display"] = "omitted" if reasoning.summary == "none" else "summarized"
    return value
