"""One counter's lease in this process: taken from without asking, asked for ahead, given back when idle."""

from __future__ import annotations

from penstock.admission.counters import FOREVER_S, Counter
from penstock.admission.tending import PATIENCE_S, PAUSE_S, LeaseDesk, Tended
from penstock.admission.waiting import NO, OK, WAIT
from penstock.core.allowance import CounterRule, Kind
from penstock.core.limits import SlidingWindow

# One more request's worth of what is idle stays for so long; the rest goes back after IDLE_S.
KEEP_S = 10.0
BRIEF = ("session:", "task:")
# How long a refusal is believed without asking again: a limit may be raised, a dead process's part come free.
BELIEVE_S = 5.0


class HeldLease(Tended):
    """Implements ports.accounts.Holder.

    `free`: what can be taken. `in_use`: what is held for attempts under way (never of a rate). `unsaid`: what
    was used of a rate and not told yet. The lease is the sum of the three.
    """

    __slots__ = (
        *(
            "_alone",
            "_alone_nanousd",
            "_ask",
            "_asking",
            "_counter",
            "_denied",
            "_denied_until",
            "_desk",
            "_kind",
        ),
        *("_asked", "_before", "_granted", "_heard", "_inflow"),
        *("_last", "_need", "_next_ahead", "_opened", "_queued", "_recalled", "_window_s", "away_at", "busy"),
        *("ends_ms", "free", "in_use", "leased", "low", "spent", "total", "unsaid"),
        *("unsaid_at", "unsaid_from"),
    )

    def __init__(
        self,
        desk: LeaseDesk,
        counter: Counter,
        counter_id: str,
        kind: Kind,
        window_s: float = 0.0,
        ends_ms: int = 0,
    ) -> None:
        super().__init__(counter_id)
        self.ends_ms = ends_ms
        self.free = 0
        self.in_use = 0
        self.unsaid = 0
        self.unsaid_at = 0.0
        self.unsaid_from = 0.0
        self.busy = False  # taken from since the last sweep
        self.low = 0  # below it more is asked for ahead
        self.total = 0  # used and told, since this process began
        self.spent = 0  # by all holders, as the owner said last, and what was told since
        self.leased = 0  # by all holders, as the owner said last
        self.away_at = FOREVER_S
        self._desk = desk
        self._counter = counter
        self._kind: Kind = kind
        self._window_s = window_s
        self._opened: CounterRule | None = None
        self._asking = False
        self._recalled = False
        self._need = 0
        self._ask = 0
        self._last = 0
        self._denied = 0
        self._denied_until = 0.0
        self._asked = 0
        self._granted = 0
        self._inflow = 0
        self._before = 0
        self._next_ahead = 0.0
        self._queued = False
        self._alone: SlidingWindow | None = None
        # Of a budget: how far the lease may go below zero while the owner is away; None before it was heard of.
        self._alone_nanousd: int | None = None
        self._heard = False

    def belong(self, counter: Counter) -> None:
        """Another object stands for the same counter."""
        self._counter = counter

    # --- the process's side ---------------------------------------------------------------------------------

    def short(self, amount: int, now: float) -> int:
        """What to say to somebody whose `amount` is not free."""
        self.touched = now
        self._last = amount
        counter = self._counter
        if amount > counter.limit:
            return NO
        if self.away_at != FOREVER_S:
            return self._by_itself(amount, now)
        if now < self._denied_until and amount >= self._denied:
            return NO
        if counter.waitlist.full():
            return NO
        if not self._asking or not self._need:
            self._need = amount
        # What is too little for us may be enough for somebody else, and two who each keep a part wait for ever.
        self._give_back(self.free)
        if not self._asking:
            self._grow()
            self._want(amount - self.free, max(self._ask, 2 * amount - self.free))
            if self.away_at != FOREVER_S:  # as it turned out
                return self._by_itself(amount, now)
        return WAIT

    def taken(self, amount: int, now: float) -> None:
        """Called after the first take since a sweep, and when the lease runs low."""
        if not self.busy:
            self.busy = True
            self.touched = now
            self._last = amount
            self._desk.heat(self)
        if (
            self.free < self.low
            and not self._asking
            and now >= self._next_ahead
            and self.away_at == FOREVER_S
            and not self._recalled
        ):
            self._grow()
            self._need = 0
            self._want(0, max(self._ask, amount))

    def _grow(self) -> None:
        """Ask for more than before, where all that was asked for was granted and is used up already."""
        if self._granted >= self._asked > 0:
            self._ask = min(2 * self._asked, self._counter.limit)
        self._granted = 0

    def use(self, amount: int, now: float) -> None:
        """What was taken of a rate is used."""
        if not self.unsaid:
            self.unsaid_from = now
            self._queue()
        self.unsaid += amount
        self.unsaid_at = now

    def correct(self, change: int, at: float) -> None:
        """What was used of a rate at `at` was more, or less."""
        if change < 0 and self.unsaid and at >= self.unsaid_from and self.unsaid + change >= 0:
            # Not told yet, so it is a part of the lease still.
            self.unsaid += change
            self.free -= change
            self.freed()
            return
        self._open()
        if change > 0:
            self.free -= change
            self.total += change
        self._desk.shares.used(self.id, change, at)

    def spend(self, taken: int, used: int, at: float) -> None:
        """Of `taken`, which was in use, `used` is spent, and the rest is free again."""
        self.in_use -= taken
        self.free += taken - used
        self._inflow += taken - used
        if used:
            self._open()
            self.total += used
            self.spent += used
            self._desk.shares.used(self.id, used, at)
        self.freed()

    def freed(self) -> None:
        """There is more free: others have waited for it longer, where it was recalled."""
        if self._recalled:
            self._give_back(self.free)
        else:
            self._counter.freed()

    def changed(self) -> None:
        """The rule is another one: refusals are void, and the owner hears of it."""
        self._denied_until = 0.0
        if self._opened is not None:
            self._open()
        self._counter.freed()

    def wait_s(self, amount: int, now: float) -> float:
        """Seconds after which asking again makes sense; 0 where it does now."""
        if amount > self._counter.limit:
            return FOREVER_S
        if self.away_at != FOREVER_S:
            return PATIENCE_S
        return max(0.0, self._denied_until - now)

    # --- the owner's side (ports.accounts.Holder) -----------------------------------------------------------

    def granted(self, amount: int) -> None:
        """See Holder."""
        now = self._desk.clock.monotonic()
        if self._asking:  # what comes unasked says nothing of how much there is
            self._granted += amount
        self._asking = False
        self._recalled = False
        self.free += amount
        self._inflow += amount
        if amount:
            self._denied_until = 0.0
            self.low = min(amount, self._ask) >> 2
        else:
            self._next_ahead = now + PAUSE_S
        self.busy = True  # at least until the sweep after the next one
        self._desk.heat(self)
        self._counter.freed()

    def denied(self, wait_s: float) -> None:
        """See Holder."""
        now = self._desk.clock.monotonic()
        self._asking = False
        self._denied = max(1, self._need)
        self._denied_until = self._next_ahead = now + min(wait_s, max(BELIEVE_S, self._window_s))
        self._counter.freed()

    def recalled(self) -> None:
        """See Holder. What the first of our own who wait came for stays until they have had their turn."""
        self.tell()
        self._recalled = True
        enough = len(self._counter.waitlist) and self.free >= self._need
        keep = self._need if enough else 0
        self._give_back(self.free - keep)
        if keep:
            self._counter.freed()
            self._desk.clock.call_soon(self._after_turn)

    def away(self) -> None:
        """See Holder."""
        if self.away_at == FOREVER_S:
            self.away_at = self._desk.be_patient(self)
        self._asking = False
        self._recalled = False

    def here(self) -> None:
        """See Holder."""
        self.away_at = FOREVER_S
        self._desk.away_at = FOREVER_S
        self._denied_until = self._next_ahead = 0.0
        self._alone = self._alone_nanousd = None
        self._counter.freed()

    def held(self) -> int:
        """See Holder."""
        return self.free + self.in_use + self.unsaid

    def told(self) -> int:
        """See Holder."""
        return self.total

    def known(self, spent: int, leased: int) -> None:
        """See Holder."""
        self.spent = spent
        self.leased = leased
        self._heard = True

    # --- telling and giving back ----------------------------------------------------------------------------

    def tell(self) -> None:
        """Say what was used of a rate."""
        self._queued = False
        amount, self.unsaid = self.unsaid, 0
        if amount:
            self._open()
            self.total += amount
            self._desk.shares.used(self.id, amount, self.unsaid_at)

    def open(self) -> None:
        """Make it known to the owner, so that what others spent becomes known here."""
        self._open()
        self._desk.heat(self)

    def cool(self, now: float) -> bool:
        """Look after it; False once there is nothing to look after."""
        used = self._before + self._inflow - self.free
        self._before, self._inflow = self.free, 0
        # Enough for half the time between two looks; while nothing is to be had, as much as when there was.
        enough = max(self._last, used >> 1)
        self._ask = enough if now >= self._denied_until else max(enough, self._ask)
        if self.busy:
            self.busy = False
            self.touched = now
            return True
        keep = self._last if now - self.touched < KEEP_S else 0
        self._give_back(self.free - keep)
        self.low = 0
        return not self.idle()

    def idle(self) -> bool:
        """Whether nothing is held, and nobody asks for it."""
        return not (self.free > 0 or self.in_use or self._asking or self.unsaid or len(self._counter.waitlist))

    def brief(self) -> bool:
        """Whether it is a budget of something that passes."""
        return self._kind == "budget" and self._counter.account.startswith(BRIEF)

    def lasting(self) -> bool:
        """Whether it has to be kept until its window ends."""
        return self._kind == "budget" and not self.brief()

    def close(self) -> None:
        """Let go of it; it is opened again when it is needed."""
        if self._opened is not None:
            self._opened = None
            self._desk.open.pop(self.id, None)
            self._asking = self._recalled = False
            self.free = 0
            self._desk.shares.close(self.id)

    def _after_turn(self) -> None:
        if self._recalled:
            self._give_back(self.free)

    def _give_back(self, amount: int) -> None:
        if amount > 0:
            self.free -= amount
            self._inflow -= amount
            self._desk.shares.back(self.id, amount)

    def _want(self, least: int, most: int) -> None:
        self._open()
        if self.away_at != FOREVER_S:
            return  # as it turned out just now
        self.tell()
        self._asking = True
        self._asked = most
        self._desk.heat(self)
        self._desk.shares.want(self.id, least, most)

    def _open(self) -> None:
        counter = self._counter
        rule = self._opened
        # A rate's room comes with time: the owner says when, and grants it then to whom it was denied.
        patient = counter.queues and self._kind == "slots"
        if rule is None or rule.limit != counter.limit or rule.patient != patient:
            self._opened = rule = CounterRule(self._kind, counter.limit, self._window_s, self.ends_ms, patient)
            self._desk.open[self.id] = self
            self._desk.shares.open(self.id, rule, self)

    def _queue(self) -> None:
        if not self._queued:
            self._queued = True
            self._desk.queue(self)

    # --- without the owner ----------------------------------------------------------------------------------

    def _by_itself(self, amount: int, now: float) -> int:
        """The owner is away: wait a little for it; then what the rule says."""
        counter = self._counter
        if now - self.away_at < PATIENCE_S:
            return NO if counter.waitlist.full() else WAIT
        away = self._desk.away
        fail_open = counter.fail_open if counter.fail_open is not None else away.fail_open
        if self._kind == "budget":
            return self._alone_in_budget(amount, away.share)
        if not fail_open:
            return NO
        local = int(counter.limit * away.share)
        if self._kind == "slots":
            if self.in_use + amount > local:
                return NO
        else:
            if self._alone is None:
                self._alone = SlidingWindow(local, self._window_s)
            if not self._alone.take(amount, now):
                return NO
        return OK  # what is taken now is a debt of this lease: `free` goes below zero

    def _alone_in_budget(self, amount: int, share: float) -> int:
        """A part of what nobody had when the owner was heard of last, if the rule says so.

        Where it was not heard of since this process began, nobody knows what is left.
        """
        if not (self._counter.fail_open and self._heard):
            return NO
        if self._alone_nanousd is None:
            left = self._counter.limit - self.spent - max(self.leased, self.free + self.in_use)
            self._alone_nanousd = int(max(0, left) * share)
        return OK if self.free - amount >= -self._alone_nanousd else NO


def lease_of(
    desk: LeaseDesk, counter: Counter, counter_id: str, kind: Kind, window_s: float = 0.0, ends_ms: int = 0
) -> HeldLease:
    """The lease of a counter; the one that is open, where there is one."""
    known = desk.open.get(counter_id)
    if isinstance(known, HeldLease):
        known.belong(counter)
        return known
    return HeldLease(desk, counter, counter_id, kind, window_s, ends_ms)
