"""What an answer told: usage, length, finish, model; the same for whole answers and streams."""

from __future__ import annotations

from penstock.core.usage import InnerUse, Usage
from penstock.providers.openai.stream import output_size
from penstock.providers.openai.usage import cost_of, tools_of_answer, usage_of_answer
from penstock.shapes.openai_request import MAX_TIER
from penstock.upstream.attempt import Attempt


def reported_usage(attempt: Attempt) -> Usage | None:
    """The usage that the upstream reported, None where it did not."""
    if attempt.reader is not None:
        return attempt.reader.usage
    if attempt.whole is not None:
        return attempt.whole.usage
    if attempt.answer is not None:
        return usage_of_answer(attempt.answer, attempt.request.endpoint.name)
    return None


def inner_uses(attempt: Attempt) -> tuple[InnerUse, ...]:
    """The parts of the reported usage that other models have, which the vendor's tools called."""
    if attempt.reader is not None:
        return attempt.reader.inner
    if attempt.whole is not None:
        return attempt.whole.inner
    return tools_of_answer(attempt.answer).inner if attempt.answer is not None else ()


def reported_cost(attempt: Attempt) -> int | None:
    """What the answer says that the vendor bills, in nano-dollars; None where it does not say."""
    if attempt.reader is not None:
        return attempt.reader.cost_nanousd
    if attempt.whole is not None:
        return attempt.whole.cost_nanousd
    return cost_of(attempt.answer.usage) if attempt.answer is not None else None


def output_chars(attempt: Attempt) -> int:
    """Characters of output that arrived, for estimates."""
    if attempt.reader is not None:
        return attempt.reader.output_chars
    if attempt.whole is not None:
        return attempt.whole.output_chars
    total = 0
    if attempt.answer is not None:
        for choice in attempt.answer.choices or ():
            total += output_size(choice.message) if choice.message is not None else len(choice.text or "")
    return total


def finish_reason(attempt: Attempt) -> str:
    """Why the answer ended, in the provider's word; empty where it has not."""
    if attempt.reader is not None:
        return attempt.reader.finish_reason
    if attempt.whole is not None:
        return attempt.whole.finish_reason
    if attempt.answer is not None:
        for choice in attempt.answer.choices or ():
            return choice.finish_reason or ""
        return attempt.answer.status or ""
    return ""


def service_tier(attempt: Attempt) -> str:
    """The tier that is billed: what the answer names; what was asked for, where it does not tell."""
    told = ""
    if attempt.reader is not None:
        told = attempt.reader.service_tier
    elif attempt.whole is not None:
        told = attempt.whole.service_tier
    elif attempt.answer is not None:
        told = attempt.answer.service_tier or ""
    # A stream's first events may still say `auto`, which is no tier that anybody is billed for.
    return told[:MAX_TIER] if told and told != "auto" else attempt.service_tier


def model_answered(attempt: Attempt) -> str:
    """The model that the answer names."""
    if attempt.reader is not None:
        return attempt.reader.model
    if attempt.whole is not None:
        return attempt.whole.model
    return (attempt.answer.model or "") if attempt.answer is not None else ""
