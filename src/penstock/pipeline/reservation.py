"""What an attempt may cost at most, held before its first byte is sent."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from penstock.admission.accounts import Account, Allowance
from penstock.admission.counters import Counter
from penstock.admission.entry import refusal_of, told
from penstock.admission.holding import Holding, Needs, hard_room_nanousd, hold
from penstock.admission.waiting import WAIT
from penstock.core.plan import Plan
from penstock.core.target import Target
from penstock.core.usage import Usage, total
from penstock.pipeline.heads import dollars
from penstock.pipeline.media_bounds import media_bound
from penstock.pipeline.tool_bounds import tool_bound
from penstock.providers.openai.errors import Failure, failure_of_cause
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.learned import Learned

# A request that does not bound its own answer is bounded to what is left rather than made to wait, or refused;
# but not to less than this while others are under way, whose rests come back soon.
GENEROUS_TOKENS: Final = 1024
_MEDIA: Final = frozenset({"image", "speech", "transcript", "other"})


class Reservation:
    """`nanousd` is None without a price; `cap` is the output bound that it stands on.

    `service_tier` is the one that the attempt asks for, empty where it names none. `least_cap`: down to where
    the cap may be lowered so that it fits; None where the client or the configuration chose it.
    """

    __slots__ = (
        "cap",
        "choices",
        "input_tokens",
        "least_cap",
        "likely_input",
        "likely_output",
        "media",
        "nanousd",
        "service_tier",
        "target",
        "tools",
    )

    def __init__(self, target: Target, request: OpenAIRequest, learned: Learned, cap: int) -> None:
        chars = request.prompt_chars + (target.prompt.chars if target.prompt is not None else 0)
        tokens = learned.input_tokens_at_most(chars)
        likely = learned.input_tokens(chars)
        if request.choices > 1 and "choices" in target.profile.lacks:
            tokens *= request.choices  # asked for one at a time
            likely *= request.choices
        self.target = target
        self.choices = request.choices
        media = self.media = media_bound(request, target) if request.endpoint.task in _MEDIA else None
        self.service_tier = request.service_tier if target.service_tier is None else target.service_tier
        self.input_tokens = tokens
        self.likely_input = likely
        self.likely_output = min(cap, learned.likely_output_tokens()) * request.choices
        if media is not None:
            self.likely_input += media.likely.input_tokens
            self.likely_output = media.likely.output_tokens
        self.least_cap: int | None = None
        self.tools = tool_bound(request, target, tokens, cap)
        self.cap = cap
        self.nanousd = self._nanousd(cap)

    def _nanousd(self, cap: int) -> int | None:
        ceiling = self.target.ceiling
        if ceiling is None:
            return None
        if self.media is not None:
            return ceiling.media_nanousd(self.input_tokens, self.media.most, self.service_tier)
        most = ceiling.nanousd(self.input_tokens, cap * self.choices, 0, self.service_tier)
        tools = self.tools
        if tools is None or most is None:
            return most
        return None if tools.nanousd is None else most + tools.nanousd

    def usage(self) -> Usage:
        """What is charged if nobody ever learns what was used."""
        if self.media is not None:
            most = self.media.most
            return replace(most, input_tokens=self.input_tokens + most.input_tokens)
        usage = Usage(self.input_tokens, self.cap * self.choices, requests=1)
        return usage if self.tools is None else total((usage, self.tools.most))

    def lower_to(self, room_nanousd: int, least: int) -> bool:
        """Lower the cap until the cost is within `room_nanousd`; False, and unchanged, where `least` is not."""
        free, full = self._nanousd(0), self.nanousd
        if free is None or full is None or not self.cap or free > room_nanousd:
            return False
        # The cost is a line in the cap, or two where a tier begins: from the first guess one only goes down.
        cap = self.cap if full <= free else min(self.cap, (room_nanousd - free) * self.cap // (full - free))
        while cap >= least:
            nanousd = self._nanousd(cap)
            if nanousd is not None and nanousd <= room_nanousd:
                self.lower(cap)
                return True
            cap -= max(1, cap // 64)
        return False

    def lower(self, cap: int) -> None:
        """Lower the cap to this."""
        self.cap, self.nanousd = cap, self._nanousd(cap)
        self.likely_output = min(self.likely_output, cap * self.choices)


def reservation_for(plan: Plan, request: OpenAIRequest, target: Target, learned: Learned) -> Reservation:
    """The worst case of this request at this target.

    Output: the configured cap, else the request's own; else the target's learnt 99th percentile, within the
    model's and the configured maximum. Input: a cautious estimate, since only the provider's tokenizer knows.
    Service tier: the dearer of the one asked for and the standard one; the dearest where the vendor chooses.
    """
    if not request.endpoint.cap_fields:
        return Reservation(target, request, learned, 0)
    if target.set_cap is not None:
        least = request.cap if request.bound and request.cap is not None else target.set_cap
        return Reservation(target, request, learned, min(target.set_cap, least))
    cap = request.cap if request.cap is not None else learned.most_output_tokens()
    for bound in (target.max_output_tokens, plan.max_output_tokens):
        if bound is not None and cap > bound:
            cap = bound
    reservation = Reservation(target, request, learned, cap)
    if request.cap is None:
        reservation.least_cap = min(cap, learned.least_output_tokens())
    return reservation


def reserve(
    reservation: Reservation,
    allowance: Allowance,
    account: Account | None,
    now: float,
    now_ms: int,
    *,
    last: bool,
) -> Holding:
    """Hold the reservation, its cap lowered where only that makes it fit. `last`: there is no waiting."""
    holding = _hold(reservation, allowance, account, now, now_ms)
    blocked, least = holding.blocked, reservation.least_cap
    if blocked is None or blocked.unit != "budget" or least is None or reservation.nanousd is None:
        return holding
    if holding.code == WAIT and not last:
        least = max(least, GENEROUS_TOKENS)
    room = hard_room_nanousd(allowance, account, now, now_ms)
    if room is not None and reservation.lower_to(room, least):
        return _hold(reservation, allowance, account, now, now_ms)
    if holding.code == WAIT:
        return holding
    # As it is it will never fit. Whether the least of it will, once others have settled, tells whether to wait.
    reservation.lower(reservation.least_cap or 0)
    return _hold(reservation, allowance, account, now, now_ms)


def _hold(
    reservation: Reservation, allowance: Allowance, account: Account | None, now: float, now_ms: int
) -> Holding:
    needs = Needs(reservation.likely_input, reservation.likely_output, reservation.nanousd or 0)
    return hold(allowance, account, needs, now, now_ms)


def unpriced(reservation: Reservation) -> Failure:
    """The failure that an attempt without a price is where a budget applies."""
    tier = reservation.service_tier
    what = f" for the service tier {tier!r}" if tier else ""
    tools = reservation.tools
    if tools is not None and tools.nanousd is None and reservation.target.card is not None:
        what = " for a built-in tool of the request (deployments.NAME.price takes per_web_search and others)"
    told_ = f"{reservation.target.id} has no price{what}, and a budget applies to this request"
    return failure_of_cause("unpriced", told_)


def not_held(holding: Holding, counter: Counter, target: Target, now: float, now_ms: int) -> Failure:
    """The failure that an attempt is for which a counter has no room."""
    if counter.unit == "budget" and not counter.unknown():
        left = dollars(counter.left(now, now_ms)).decode()
        what = f"this request may cost more than the {left} USD that {told(counter.account)} has left"
        return failure_of_cause("budget", what)
    refusal = refusal_of(counter, holding.amount, now, now_ms)
    code = refusal.code
    if counter.account == f"deployment:{target.id}" and not counter.unknown():
        code = "deployment_busy"
    failure = failure_of_cause(code, str(refusal))
    failure.retry_after_s = refusal.retry_after_s
    return failure
