"""How a request says how much to think: each family of models has words of its own for it.

In `additionalModelRequestFields`, `thinking` and `output_config.effort` are Claude's, `reasoning_config` an
older spelling and that of Qwen, `reasoningConfig` Nova's, `reasoning_effort` gpt-oss's;
`outputConfig.effort` is the API's own.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import Reasoning
from penstock.core.parts import Extras
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.keep import is_own, kept

Fields = dict[str, Any]
_SWITCHES = {"enabled": True, "adaptive": True, "disabled": False}
_EFFORTS = (
    ("outputConfig", "effort"),
    ("additional", "reasoning_effort"),
    ("output_config", "effort"),
    ("reasoning_config", "effort"),
    ("reasoningConfig", "maxReasoningEffort"),
)
_WORDS = ("thinking", "reasoning_config", "reasoningConfig", "output_config")


def decode_reasoning(additional: Fields, output_config: Fields) -> Reasoning | None:
    """What is said; members that are understood are taken out of the two objects."""
    groups: Fields = {}
    objects: dict[str, Fields] = {"additional": additional, "outputConfig": output_config}
    for word in _WORDS:
        value = additional.get(word)
        if isinstance(value, dict):
            objects[word] = dict(cast("Fields", value))
    enabled, budget = _switch(objects, groups)
    effort = None
    for group, name in _EFFORTS:
        value = objects.get(group, {}).get(name)
        if isinstance(value, str):
            effort = value
            del objects[group][name]
            groups["effort"] = [group, name]
            break
    if effort is None and isinstance(additional.get("reasoning_config"), str):
        effort = cast("str", additional.pop("reasoning_config"))
        groups["effort"] = ["additional", "reasoning_config"]
    if not groups:
        return None
    used = {groups.get("switch"), *(groups.get("effort") or ())[:1]}
    for word in _WORDS:
        if word in used and word in objects:
            additional[word] = objects[word]
    return Reasoning(effort, budget, enabled, extras=Extras(SHAPE, groups))


def _switch(objects: dict[str, Fields], groups: Fields) -> tuple[bool | None, int | None]:
    """Whether to think, and the bound."""
    for word in _WORDS[:3]:
        found = objects.get(word)
        kind = found.get("type") if found is not None else None
        if found is None or not isinstance(kind, str) or kind not in _SWITCHES:
            continue
        del found["type"]
        groups["switch"], groups["type"] = word, kind
        budget = found.get("budget_tokens")
        if isinstance(budget, int) and not isinstance(budget, bool):
            del found["budget_tokens"]
            return _SWITCHES[kind], budget
        return _SWITCHES[kind], None
    return None, None


def is_own_reasoning(reasoning: Reasoning | None) -> bool:
    """Whether it was said in this shape, and is to be said in the same words."""
    return reasoning is not None and is_own(reasoning.extras)


def encode_own(reasoning: Reasoning, additional: Fields, output_config: Fields) -> None:
    """Put what was said back where it stood."""
    objects: dict[str, Fields] = {"additional": additional, "outputConfig": output_config}
    word = kept(reasoning.extras, "switch")
    if isinstance(word, str):
        value = _inside(additional, word)
        value["type"] = _type(reasoning)
        if reasoning.budget_tokens is not None:
            value["budget_tokens"] = reasoning.budget_tokens
    place = kept(reasoning.extras, "effort")
    if isinstance(place, list) and reasoning.effort is not None:
        group, name = cast("list[str]", place)
        (objects[group] if group in objects else _inside(additional, group))[name] = reasoning.effort


def _inside(additional: Fields, word: str) -> Fields:
    value = dict(cast("Fields", additional.get(word) or {}))
    additional[word] = value
    return value


def _type(reasoning: Reasoning) -> str:
    said = kept(reasoning.extras, "type")
    if isinstance(said, str) and _SWITCHES[said] == reasoning.enabled:
        return said
    return "enabled" if reasoning.enabled else "disabled"
