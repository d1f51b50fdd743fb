"""What an attempt may cost at most, held before its first byte is sent."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.core.plan import Plan, Target
from penstock.core.price import worst_case_nanousd
from penstock.core.usage import Usage
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.learned import Learned


@dataclass(frozen=True, slots=True)
class Reservation:
    """`amount_nanousd` is None without a price; `cap` is the output bound that it stands on."""

    amount_nanousd: int | None
    usage: Usage
    cap: int


def reservation_for(plan: Plan, request: OpenAIRequest, target: Target, learned: Learned) -> Reservation:
    """The worst case of this request at this target.

    Output: the request's own cap; else the target's learnt 99th percentile, within the model's and the
    configured maximum. Input: a cautious estimate, since only the provider's tokenizer knows.
    """
    if request.endpoint.cap_fields:
        cap = request.cap if request.cap is not None else learned.likely_output_tokens()
        for bound in (target.max_output_tokens, plan.max_output_tokens):
            if bound is not None and cap > bound:
                cap = bound
    else:
        cap = 0
    usage = Usage(
        input_tokens=learned.input_tokens_at_most(request.prompt_chars),
        output_tokens=cap * request.choices,
        requests=1,
        images=request.choices if request.endpoint.name.startswith("images.") else 0,
    )
    if target.card is None:
        return Reservation(None, usage, cap)
    amount = worst_case_nanousd(
        target.card,
        usage.input_tokens,
        usage.output_tokens,
        audio=False,
        image_tokens=False,
        images=usage.images,
    )
    return Reservation(amount, usage, cap)
