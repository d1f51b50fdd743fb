"""What an attempt may cost at most, held before its first byte is sent."""

from __future__ import annotations

from penstock.core.budget import Budget
from penstock.core.plan import Plan, Target
from penstock.core.usage import Usage
from penstock.pipeline.heads import dollars
from penstock.providers.openai.errors import Failure, failure_of_cause
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.learned import Learned


class Reservation:
    """`amount_nanousd` is None without a price; `cap` is the output bound that it stands on.

    `service_tier` is the one that the attempt asks for, empty where it names none.
    """

    __slots__ = ("amount_nanousd", "cap", "service_tier", "usage")

    def __init__(self, amount_nanousd: int | None, usage: Usage, cap: int, service_tier: str) -> None:
        self.amount_nanousd = amount_nanousd
        self.usage = usage
        self.cap = cap
        self.service_tier = service_tier


def hold(
    budget: Budget, reservation: Reservation, target: Target, now_ms: int, *, refuse_unpriced: bool
) -> Failure | None:
    """Hold what an attempt may cost; a failure where that is not known or not left."""
    amount = reservation.amount_nanousd
    if amount is None and refuse_unpriced:
        what = f" for the service tier {reservation.service_tier!r}" if reservation.service_tier else ""
        told = f"{target.id} has no price{what}, and a budget applies to this key"
        return failure_of_cause("unpriced", told)
    if not budget.reserve(amount or 0, now_ms):
        left = dollars(budget.left_nanousd()).decode()
        told = f"this request may cost more than the {left} USD that this key has left"
        return failure_of_cause("budget", told)
    return None


def reservation_for(plan: Plan, request: OpenAIRequest, target: Target, learned: Learned) -> Reservation:
    """The worst case of this request at this target.

    Output: the request's own cap; else the target's learnt 99th percentile, within the model's and the
    configured maximum. Input: a cautious estimate, since only the provider's tokenizer knows. Service tier:
    the dearer of the one asked for and the standard one; the dearest of all where the vendor chooses.
    """
    if request.endpoint.cap_fields:
        cap = request.cap if request.cap is not None else learned.likely_output_tokens()
        for bound in (target.max_output_tokens, plan.max_output_tokens):
            if bound is not None and cap > bound:
                cap = bound
    else:
        cap = 0
    input_tokens = learned.input_tokens_at_most(request.prompt_chars)
    if request.choices > 1 and "choices" in target.profile.lacks:
        input_tokens *= request.choices  # asked for one at a time
    output_tokens = cap * request.choices
    images = request.choices if request.endpoint.makes_images else 0
    usage = Usage(input_tokens, output_tokens, requests=1, images=images)
    tier = request.service_tier if target.service_tier is None else target.service_tier
    amount = None
    if target.ceiling is not None:
        amount = target.ceiling.nanousd(input_tokens, output_tokens, images, tier)
    return Reservation(amount, usage, cap, tier)
