"""How much to think, in the words of the model's family, for a request that was made in another shape."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import Reasoning
from penstock.core.losses import Losses
from penstock.core.profile import Profile
from penstock.providers.converse.profile import Family

_LEAST = 1024
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 4096, "high": 16384, "xhigh": 32768, "max": 32768}
_RISING = ("minimal", "low", "medium", "high", "xhigh", "max")
_UNBOUND = "high"  # the effort with which Nova takes no bound of the output, and no sampling parameters
Fields = dict[str, Any]


def encode_thinking(
    wish: Reasoning | None, limit: int | None, family: Family, profile: Profile, losses: Losses
) -> Fields:
    """Members of additionalModelRequestFields; none where nothing is wished or can be."""
    if wish is None or not _wanted(wish, profile, losses):
        return {}
    if profile.thinking == "budget":
        return _budget(wish, limit, losses)
    if profile.thinking == "adaptive" or (profile.thinking == "always" and family == "claude"):
        effort = _nearest(wish, profile.efforts)
        return {"thinking": {"type": "adaptive"}, **({"output_config": {"effort": effort}} if effort else {})}
    if profile.thinking == "effort":
        effort = _nearest(wish, profile.efforts) or "medium"
        if family == "nova":
            return _nova(effort, limit, losses)
        return {"reasoning_config" if family == "qwen" else "reasoning_effort": effort}
    return {}


def _nova(effort: str, limit: int | None, losses: Losses) -> Fields:
    """Nova's words; a caller's bound of the output matters more than the highest effort."""
    if effort == _UNBOUND and limit is not None:
        if not losses.map("reasoning.effort"):
            return {}
        effort = "medium"
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


def excluded(thinking: Fields, top_p: float | None) -> frozenset[str]:
    """The sampling parameters that a model refuses while it thinks like this."""
    if "thinking" in thinking:
        return frozenset(
            {"temperature", "top_k"} | ({"top_p"} if top_p is not None and top_p < 0.95 else set[str]())
        )
    if thinking.get("reasoningConfig", {}).get("maxReasoningEffort") == _UNBOUND:
        return frozenset({"temperature", "top_p", "top_k"})
    return frozenset()


def _wanted(wish: Reasoning, profile: Profile, losses: Losses) -> bool:
    """Whether anything is to be said; what cannot be said is noted."""
    if wish.enabled is False or wish.effort == "none" or wish.budget_tokens == 0:
        if profile.thinking == "always":
            losses.drop("reasoning")
        return False
    if wish.enabled is None and wish.effort is None and wish.budget_tokens is None:
        return False
    if profile.thinking == "none":
        losses.drop("reasoning")
        return False
    return True


def _budget(wish: Reasoning, limit: int | None, losses: Losses) -> Fields:
    """A budget of at least 1,024 tokens that leaves room for the answer."""
    budget = wish.budget_tokens or _BUDGETS.get(wish.effort or "medium", _BUDGETS["medium"])
    budget = max(_LEAST, budget)
    if limit is not None and budget >= limit:
        if limit <= _LEAST:
            losses.drop("reasoning")
            return {}
        if not losses.map("reasoning.budget_tokens"):
            return {}
        budget = max(_LEAST, limit * 4 // 5)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _nearest(wish: Reasoning, known: tuple[str, ...]) -> str | None:
    """The effort word that the model knows; a bound counts as the word whose bound it reaches."""
    word = wish.effort
    if word is None and wish.budget_tokens is not None:
        word = max(
            (each for each in _RISING if _BUDGETS[each] <= wish.budget_tokens),
            key=lambda each: _BUDGETS[each],
            default="low",
        )
    if word is None or not known or word in known:
        return word
    if word not in _RISING:
        return None
    lower = [each for each in known if each in _RISING and _RISING.index(each) <= _RISING.index(word)]
    return lower[-1] if lower else known[0]
