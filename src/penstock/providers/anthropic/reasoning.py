"""How much another dialect's caller wants the model to think, as this family of models is told.

Words and budgets are mapped by the sizes that vendors name for their words; a budget is at least 1,024 tokens
and leaves room for the answer below `max_tokens`.
https://platform.claude.com/docs/en/build-with-claude/extended-thinking#working-with-thinking-budgets
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, Message, Reasoning
from penstock.core.parts import Extras, Thinking, ToolCall
from penstock.core.profile import Profile
from penstock.ports.translation import Addressee
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.thinking import BETWEEN_TOOLS

LEAST_BUDGET = 1024
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
_WORDS = tuple(_BUDGETS)


def fit_reasoning(request: ChatRequest, to: Addressee, *, default_cap: int) -> ChatRequest:
    """The request with thinking as the model takes it, and a bound on the output that holds it."""
    asked, cap = request.reasoning, request.max_output_tokens
    bounded = replace(request, max_output_tokens=cap if cap is not None else default_cap)
    wish = wanted(asked)
    if asked is None or wish is None:
        return replace(bounded, reasoning=None)
    if not wish:
        return replace(bounded, reasoning=_off(to))
    style = to.profile.thinking
    if style == "none":
        to.losses.drop("reasoning")
        return replace(bounded, reasoning=None)
    if style == "budget":
        return _budgeted(bounded, asked, to, cap_given=cap is not None)
    if asked.budget_tokens is not None and asked.effort is None:
        if not to.losses.map("reasoning.budget_tokens"):
            return replace(bounded, reasoning=Reasoning(enabled=True, summary=asked.summary))
        asked = replace(asked, effort=_word_for(asked.budget_tokens))
    effort = _effort(asked.effort, to.profile)
    silent = style == "always" and asked.summary is None
    return replace(bounded, reasoning=Reasoning(effort, None, None if silent else True, asked.summary))


def wanted(asked: Reasoning | None) -> bool | None:
    """Whether thinking is wanted; None where that is not said."""
    if asked is None:
        return None
    if asked.enabled is False or asked.effort == "none" or asked.budget_tokens == 0:
        return False
    said = asked.enabled or asked.effort is not None or asked.budget_tokens is not None
    return True if said or (asked.summary not in (None, "none")) else None


def _off(to: Addressee) -> Reasoning | None:
    """No thinking: said so where the model thinks unless told otherwise."""
    style = to.profile.thinking
    if style == "always":
        return Reasoning("low") if to.losses.map("reasoning") else None
    if style != "adaptive":
        return None
    if "reasoning.off" in to.profile.lacks:
        return Reasoning(enabled=False, extras=Extras(SHAPE, {"type": BETWEEN_TOOLS}))
    return Reasoning(enabled=False)


def _budgeted(request: ChatRequest, asked: Reasoning, to: Addressee, *, cap_given: bool) -> ChatRequest:
    cap = request.max_output_tokens or 0
    budget = asked.budget_tokens if asked.budget_tokens is not None else -1
    if budget < 0:  # nothing said of its size, or left to the vendor
        budget = _BUDGETS.get(asked.effort or "medium", _BUDGETS["medium"])
    budget = max(LEAST_BUDGET, budget)
    if not cap_given:
        cap += budget
    elif budget >= cap:
        budget = max(LEAST_BUDGET, cap // 2)
    if budget >= cap or _thinking_is_missing(request.messages):
        to.losses.drop("reasoning")
        return replace(request, reasoning=None)
    effort = None if "reasoning.effort" in to.profile.lacks else _effort(asked.effort, to.profile)
    return replace(
        request, reasoning=Reasoning(effort, budget, enabled=True, summary=asked.summary), max_output_tokens=cap
    )


def _thinking_is_missing(messages: tuple[Message, ...]) -> bool:
    """Whether an answer is to go on, or to follow results of its tools, that began without thinking.

    A budget needs it there; adaptive thinking does not.
    https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
    """
    for message in reversed(messages):
        if message.role == "assistant":
            goes_on = message is messages[-1] or any(isinstance(part, ToolCall) for part in message.parts)
            return goes_on and bool(message.parts) and not isinstance(message.parts[0], Thinking)
    return False


def _effort(word: str | None, profile: Profile) -> str | None:
    """The nearest word that the model knows; the weaker of two."""
    known = profile.efforts
    if word is None or not known or word in known:
        return word
    if word not in _WORDS:
        return None
    rank = _WORDS.index(word)
    weaker = [each for each in known if each in _WORDS and _WORDS.index(each) <= rank]
    return weaker[-1] if weaker else known[0]


def _word_for(budget: int) -> str:
    if budget < 0:
        return "high"
    for word in ("low", "medium", "high"):
        if budget <= _BUDGETS[word] * 2:
            return word
    return "max"
