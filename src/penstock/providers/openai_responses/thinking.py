"""How a vendor is told to think: `reasoning`."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest, Reasoning
from penstock.core.profile import Profile
from penstock.ports.translation import Addressee
from penstock.shapes.openai_responses.output import encode_reasoning_wish

_WORDS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARIES = frozenset({"auto", "concise", "detailed"})
_HIDDEN = frozenset({"omitted", "none", "off"})
# The largest budget in tokens that a word stands for; more is the word after the last.
_BUDGETS = ((0, "none"), (2048, "low"), (8192, "medium"))


def encode_thinking_wish(request: ChatRequest, to: Addressee, *, own: bool) -> dict[str, Any] | None:
    """The `reasoning` object, None where nothing was wished."""
    wish = request.reasoning
    if wish is None:
        return None
    if own:
        return encode_reasoning_wish(wish)
    if to.profile.thinking == "none":
        if wish.effort not in (None, "none") or wish.budget_tokens or wish.enabled:
            to.losses.drop("reasoning")
        return None
    out: dict[str, Any] = {}
    effort = _effort(wish, to)
    if effort is not None:
        out["effort"] = effort
    summary = _summary(wish)
    if summary is not None and effort != "none":
        out["summary"] = summary
    return out or None


def _effort(wish: Reasoning, to: Addressee) -> str | None:
    word = wish.effort
    if word is None and wish.enabled is False:
        word = "none"
    elif word is None and wish.budget_tokens is not None:
        if not to.losses.map("reasoning.budget_tokens"):
            return None
        word = next((name for most, name in _BUDGETS if wish.budget_tokens <= most), "high")
    if word is None:
        return None
    nearest = _nearest(word, to.profile)
    return nearest if nearest == word or to.losses.map("reasoning.effort") else None


def _nearest(word: str, profile: Profile) -> str:
    """The word itself, or the closest that the model knows; the weaker of two that are as close."""
    known = profile.efforts
    if not known or word in known:
        return word
    if word not in _WORDS:
        return known[len(known) // 2]
    place = _WORDS.index(word)
    return min(
        [each for each in known if each in _WORDS],
        key=lambda each: (abs(_WORDS.index(each) - place), _WORDS.index(each)),
        default=known[0],
    )


def _summary(wish: Reasoning) -> str | None:
    """Whoever asks for thinking in another API sees it, unless it is to be hidden."""
    if wish.summary in _HIDDEN:
        return None
    if wish.summary is not None:
        return wish.summary if wish.summary in _SUMMARIES else "auto"
    return "auto" if wish.enabled or wish.budget_tokens else None
