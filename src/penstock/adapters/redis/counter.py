"""What this process knows of one counter that Redis owns, and what it has not said of it yet."""

from __future__ import annotations

from penstock.adapters.redis.remote_clock import RemoteClock
from penstock.core.allowance import CounterRule
from penstock.ports.accounts import Holder
from penstock.ports.clock import Timer

PARTS = 1000
# Of a rate, what this process used lately is remembered so finely, in case Redis forgets it.
KEPT_PARTS = 100
# So many uses are kept apart while they cannot be told.
MAX_USES = 2048
FOREVER_MS = 2**62
IDLE_TTL_MS = 15 * 60_000
BUDGET_GRACE_MS = 86_400_000
Uses = list[tuple[float, int]]


class Said:
    """One message about a counter: its words, and what it carries, until Redis has answered."""

    __slots__ = ("back", "consumed", "introduces", "least", "most", "presses", "uses", "wanted", "words")

    def __init__(self, words: tuple[str | int, ...], *, introduces: bool) -> None:
        self.words = words
        self.introduces = introduces
        self.consumed = 0
        self.back = 0
        self.uses: Uses = []
        self.wanted = False
        self.least = self.most = 0
        self.presses = False


class SharedCounter:
    """One counter. At most one message of it is under way, so that after a break at most one fate is unknown.

    `told` is all that was used since this process began, `held` the lease as Holder.held has it; `consumed`,
    `back` and `uses` are what is not said yet. `ripening` is the part of `held` that may not be used yet.
    """

    __slots__ = (
        *("_kept", "answered", "asks_again", "away", "back", "base", "closing", "consumed", "fresh"),
        *("fresh_until", "held"),
        *("holder", "id", "in_time", "introduced", "keen_until", "least", "most", "presses", "pressing"),
        *("recalled", "renewed_at", "ripens", "ripening", "rule", "said"),
        *("seq", "stated", "told", "uses", "wants", "width_us"),
    )

    def __init__(self, counter: str, rule: CounterRule, holder: Holder) -> None:
        self.id = counter
        self.holder = holder
        self.rule = rule
        self.width_us = max(1, round(rule.window_s * 1_000_000 / PARTS)) if rule.kind == "rate" else 0
        self.seq = 0
        self.told = 0
        # What the holder knew to be spent before; and `told` as it was when this process introduced itself.
        self.base = holder.told()
        self.stated = 0
        self.held = 0
        self.consumed = 0
        self.back = 0
        self.uses: Uses = []
        self._kept: dict[int, int] = {}
        self.wants = False
        self.least = 0
        self.most = 0
        self.ripening = 0
        # From when on the next of it may be used, and until when asking for more would bring no other answer.
        self.ripens = self.fresh_until = 0.0
        self.asks_again: Timer | None = None
        # Of a rate of which more is wanted than there is: asks for the rest without being told to, until then.
        self.presses: Timer | None = None
        self.pressing = False
        self.keen_until = 0.0
        # Redis has waved us to the front while a message of ours was under way.
        self.in_time = False
        self.recalled = False
        self.answered = False
        self.said: Said | None = None
        self.introduced = False
        # Redis does not know anything of this process and this counter yet.
        self.fresh = True
        self.away = False
        self.closing = False
        self.renewed_at = float("-inf")

    # --- from the holder --------------------------------------------------------------------------------------

    def use(self, amount: int, at: float) -> None:
        """Note that something was used, or turned out not to have been."""
        self.told += amount
        if amount > 0:
            self.consumed += amount
            self.held -= amount
        if self.width_us:
            self.uses.append((at, amount))
            if len(self.uses) > MAX_USES:
                self.uses = self._merged()

    def give(self, amount: int) -> None:
        """Give back a part of the lease; a debt where it is below zero."""
        self.back += amount
        self.held -= amount

    def reopen(self, rule: CounterRule, holder: Holder) -> None:
        """It was closed and is needed again before Redis heard of that; the new holder begins with nothing."""
        self.give(self.held - self.ripening)
        self.rule, self.holder = rule, holder
        self.closing = False

    def _merged(self) -> Uses:
        """The same uses, those of one part of the window together."""
        width_s = self.width_us / 1_000_000
        sums: dict[int, int] = {}
        for at, amount in self.uses:
            part = int(at / width_s)
            sums[part] = sums.get(part, 0) + amount
        return [((part + 1) * width_s, amount) for part, amount in sums.items()]

    def keep(self, uses: Uses) -> None:
        """Remember what is about to be said, for as long as it is in the window."""
        if not uses:
            return
        scale = KEPT_PARTS / self.rule.window_s
        kept = self._kept
        for at, amount in uses:
            part = int(at * scale)
            kept[part] = kept.get(part, 0) + amount
        if len(kept) > 2 * KEPT_PARTS:
            edge = max(kept) - KEPT_PARTS - 1
            self._kept = {part: amount for part, amount in kept.items() if part >= edge}

    # --- to Redis
    # -----------------------------------------------------------------------------------------------

    def introduction(
        self, epoch: str, me: str, source: str, now_ms: int, clock: RemoteClock, *, lost: bool
    ) -> Said:
        """All that this process has of it. `lost`: Redis does not know what was said before."""
        words: list[str | int] = []
        said = Said((), introduces=True)
        if self.width_us and lost:
            self.keep(self.uses)
            self.uses = []
            scale = self.rule.window_s / KEPT_PARTS
            words = self.parts([((part + 1) * scale, n) for part, n in self._kept.items() if n > 0], clock)
        if lost or not self.width_us:
            self.consumed = 0
        self.back = 0
        # What is not told yet of a rate is still a part of the lease, for Redis.
        held = self.held + self.consumed
        self.stated = self.told
        self.seq += 1
        ttl = ttl_ms(self.rule, now_ms)
        said.words = (
            epoch, me, self.seq, self.rule.kind, self.width_us, ttl, source, int(self.fresh), held, self.told,
            self.base, *words,
        )  # fmt: skip
        return said

    def turn(self, epoch: str, me: str, ttl: int, clock: RemoteClock) -> Said:
        """What was used and given back since the last one, and what is wanted."""
        words = self.parts(self.uses, clock) if self.uses else []
        self.seq += 1
        rule = self.rule
        least, most = (self.least, self.most) if self.wants else (-1, -1)
        said = Said(
            (
                epoch, me, self.seq, rule.kind, rule.limit, self.width_us, ttl, int(rule.patient), self.told,
                self.consumed, self.back, least, most, int(self.answered), *words,
            ),
            introduces=False,
        )  # fmt: skip
        said.consumed, said.back, said.uses, said.wanted = self.consumed, self.back, self.uses, self.wants
        said.least, said.most, said.presses = least, most, self.pressing
        self.keep(self.uses)
        self.consumed = self.back = 0
        self.uses = []
        self.answered = False
        return said

    def unsaid(self, said: Said) -> None:
        """Redis did not take it: it has to be said again."""
        self.consumed += said.consumed
        self.back += said.back
        self.uses = said.uses + self.uses
        if said.uses:
            self.keep([(at, -amount) for at, amount in said.uses])

    def parts(self, uses: Uses, clock: RemoteClock) -> list[str | int]:
        """Uses as Redis counts them: pairs of a part of the window, in its time, and an amount."""
        sums: dict[int, int] = {}
        for at, amount in uses:
            part = clock.us(at) // self.width_us
            sums[part] = sums.get(part, 0) + amount
        return [word for part, amount in sums.items() if amount for word in (part, amount)]


def ttl_ms(rule: CounterRule, now_ms: int) -> int:
    """How long Redis keeps a counter that nobody renews; 0: for ever."""
    if rule.kind != "budget":
        return IDLE_TTL_MS + int(2 * rule.window_s * 1000)
    if rule.ends_ms >= FOREVER_MS:
        return 0
    return max(0, rule.ends_ms - now_ms) + BUDGET_GRACE_MS
