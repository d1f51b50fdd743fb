"""The owner's book: who holds how much of which counter, and who gets what next (protocol: ports.accounts).

A pure state machine: told what happened and when, it answers by appending to `answers`. For every counter,
whatever the order of events:

    used + the sum of all leases ≤ limit

A lease may be below zero: more was used than the holder had (a vendor billed more than was reserved). What
happened happened; the debt is covered by the holder's next grants, and no other holder's room grows by it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from penstock.core.allowance import CounterRule
from penstock.core.shared_counter import Answer, Lease, Shared, Want

NEVER = float("inf")
# A holder whose want of a rate was denied is granted what becomes free without asking again, until so long
# after the time that it was told: under pressure a limit is used to the full although asking takes time.
# For the same reason it is granted a little ahead of the instant from which on it may be used.
INTEREST_S = 0.1


class Book:
    """All counters, and the holders that are not heard of just now.

    `expected` are holders that may have leases which this book does not know, because it was begun after them:
    until each has come (or is known to be dead) no budget is granted, nor anything else before `patience`.
    """

    def __init__(self, expected: Sequence[str] = (), patience: float = 0.0) -> None:
        self.answers: list[Answer] = []
        self.counters: dict[str, Shared] = {}
        self.gone: set[str] = set()
        self.expected = set(expected)
        # When something may become free that somebody was denied.
        self.due = NEVER
        self._pressed: set[str] = set()
        self._patience = patience

    # --- holders ----------------------------------------------------------------------------------------------

    def arrived(self, holder: str, now: float) -> None:
        """It has said all that it holds."""
        self.gone.discard(holder)
        self.expected.discard(holder)
        self.tick(now)

    def vanished(self, holder: str, now: float) -> None:
        """It cannot be asked any more. Its leases count until it comes back or is buried."""
        self.gone.add(holder)
        for counter in self.counters.values():
            lease = counter.leases.get(holder)
            if lease is not None:
                lease.asked = False
                counter.wants = deque(want for want in counter.wants if want.holder != holder)
        self.tick(now)

    def buried(self, holder: str, now: float, journaled: Mapping[str, int]) -> None:
        """It is dead. `journaled`: what it spent and opened, by budget counter, as its journal has it."""
        self.gone.discard(holder)
        self.expected.discard(holder)
        for counter in self.counters.values():
            lease = counter.leases.pop(holder, None)
            if lease is not None and counter.window is not None:
                counter.window.count(max(0, lease.held), now)
            elif counter.rule.kind == "budget":
                counter.spent += journaled.get(counter.id, 0) - (lease.told if lease is not None else 0)
        self.tick(now)

    def budgets(self) -> list[str]:
        """The counters of budgets: those that a burial needs to know of."""
        return [counter.id for counter in self.counters.values() if counter.rule.kind == "budget"]

    # --- counters ---------------------------------------------------------------------------------------------

    def opened(self, holder: str, counter_id: str, rule: CounterRule, now: float, spent: int = 0) -> None:
        """A holder knows this counter. `spent`: of a budget that is new here, what dead holders spent."""
        counter = self.counters.get(counter_id)
        if counter is None:
            counter = self.counters[counter_id] = Shared(counter_id, rule)
            counter.spent = spent
        counter.touched = now
        counter.leases.setdefault(holder, Lease())
        self._apply(counter, rule, now)
        if rule.kind == "budget":
            self.answers.append(Answer(holder, counter_id, "known", counter.spent, counter.leased()))

    def changed(self, counter_id: str, limit: int, patient: bool, now: float) -> None:
        """A holder has another rule for it: the last word counts."""
        counter = self.counters[counter_id]
        rule = counter.rule
        self._apply(counter, CounterRule(rule.kind, limit, rule.window_s, rule.ends_ms, patient), now)

    def _apply(self, counter: Shared, rule: CounterRule, now: float) -> None:
        if counter.rule == rule:
            return
        counter.apply(rule)
        if counter.room(now) < 0:
            self._recall(counter, "")
        self._serve(counter, now)

    def stated(
        self,
        holder: str,
        counter_id: str,
        held: int,
        told: int,
        uses: Sequence[tuple[float, int]],
        now: float,
    ) -> None:
        """What a holder that comes (back) holds and has used in all, after `opened`.

        `uses`: of a rate, what it used and when, within the last window; for a book that has not heard of it.
        """
        counter = self.counters[counter_id]
        lease = counter.leases[holder]
        missing = max(0, told - lease.told)
        counter.drop(lease, lease.held - held - missing, now)
        lease.held = held
        if counter.window is None:
            counter.spent += missing
        elif lease.fresh:
            for at, amount in uses:
                counter.window.count(amount, at)
        else:
            counter.window.count(max(0, min(missing, sum(amount for _, amount in uses))), now)
        lease.told += missing
        lease.fresh = False
        lease.recalled = lease.asked = False
        counter.touched = now

    def closed(self, holder: str, counter_id: str, now: float) -> None:
        """A holder has no use for it; what it spent of a budget stays known."""
        counter = self.counters.get(counter_id)
        lease = counter.leases.get(holder) if counter is not None else None
        if counter is None or lease is None:
            return
        counter.wants = deque(want for want in counter.wants if want.holder != holder)
        counter.drop(lease, lease.held, now)
        lease.held = 0
        lease.asked = False
        if counter.rule.kind != "budget":
            del counter.leases[holder]
        self._serve(counter, now)

    def unsay(self, holder: str, counter_id: str) -> None:
        """Drop what is to be said to a holder of a counter that it has closed."""
        self.answers = [each for each in self.answers if (each.holder, each.counter) != (holder, counter_id)]

    # --- what a holder says of one counter that it opened ---------------------------------------------------

    def wanted(self, holder: str, counter_id: str, least: int, most: int, now: float) -> None:
        """It asks for at least `least`; where that is 0, for what is free just now."""
        counter = self.counters[counter_id]
        counter.touched = now
        counter.interest.pop(holder, None)
        counter.wants.append(Want(holder, least, max(least, most)))
        self._serve(counter, now)

    def used(self, holder: str, counter_id: str, amount: int, at: float, now: float) -> None:
        """It used `amount` of its lease at `at`."""
        counter = self.counters[counter_id]
        counter.touched = now
        counter.use(counter.leases[holder], amount, at)
        if counter.wants:
            self._serve(counter, now)

    def given_back(self, holder: str, counter_id: str, amount: int, now: float) -> None:
        """It needs `amount` of its lease no more."""
        counter = self.counters[counter_id]
        counter.leases[holder].held -= amount
        if counter.wants:
            self._serve(counter, now)

    def answered(self, holder: str, counter_id: str, now: float) -> None:
        """It has given back what it could after a recall."""
        counter = self.counters[counter_id]
        counter.leases[holder].asked = False
        self._serve(counter, now)

    # --- time -----------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Look again at all who wait."""
        for counter in self.counters.values():
            if counter.wants:
                self._serve(counter, now)

    def grant_due(self, now: float) -> None:
        """Grant what has become free to those who were denied it; sets `due` anew."""
        self.due = NEVER
        for name in list(self._pressed):
            counter = self.counters.get(name)
            if counter is None or not self._press(counter, now):
                self._pressed.discard(name)

    def _press(self, counter: Shared, now: float) -> bool:
        """Share the room among those who are interested; whether somebody still is."""
        free = not counter.wants and self._complete(counter.rule, now)
        room = max(0, counter.room(now)) if free else 0
        ripe = counter.ripening(now) if free else 0
        for holder, (want, until) in list(counter.interest.items()):
            lease = counter.leases.get(holder)
            if until < now or lease is None or holder in self.gone:
                del counter.interest[holder]
                continue
            ahead = ripe if lease.held >= 0 else 0
            part = max(want.least, (room + ahead) // len(counter.interest))
            if 0 < part <= room + ahead:
                amount = min(want.most, part)
                at_once = min(room, counter.at_once(amount, want.least, now))
                later = min(amount - at_once, ahead)
                room -= at_once
                ripe -= later
                self._grant_ahead(counter, want, lease, (at_once, later), now)
                self._stay(counter, want, at_once + later, min(until, now + counter.lead_s))
        if counter.interest:
            least = min(want.least for want, _ in counter.interest.values())
            lead_s = counter.lead_s
            self.due = min(self.due, now + max(counter.wait_s(least, now) - lead_s / 2, lead_s / 8))
        return bool(counter.interest)

    def _grant_ahead(
        self, counter: Shared, want: Want, lease: Lease, amounts: tuple[int, int], now: float
    ) -> None:
        """Grant so much of the room, and so much of what leaves the window soon."""
        for at, amount in counter.grant(lease, *amounts, want.least, now):
            self.answers.append(Answer(want.holder, counter.id, "granted", amount, at=at if at > now else 0.0))
        lease.recalled = False

    def _stay(self, counter: Shared, want: Want, granted: int, until: float) -> None:
        """A want of a rate was met in part: the rest of it stands until then."""
        if granted < want.most:
            counter.interest[want.holder] = (Want(want.holder, want.least, want.most - granted), until)
        else:
            counter.interest.pop(want.holder, None)

    def _press_soon(self, counter: Shared, want: Want, granted: int, until: float, now: float) -> None:
        """Grant the rest of what is wanted of a rate as it becomes free."""
        self._stay(counter, want, granted, until)
        counter.keen[want.holder] = max(until, now + INTEREST_S)
        self._pressed.add(counter.id)
        self.due = min(self.due, now)

    def tell(self) -> None:
        """Say of each budget that changed how much of it is spent."""
        for counter in self.counters.values():
            if counter.rule.kind != "budget":
                continue
            leased = counter.leased()
            if (counter.spent, leased) != counter.said:
                counter.said = (counter.spent, leased)
                self.answers.extend(
                    Answer(holder, counter.id, "known", counter.spent, leased)
                    for holder in counter.leases
                    if holder not in self.gone
                )

    def forget(self, now: float, now_ms: int, idle_s: float, brief: tuple[str, ...]) -> None:
        """Drop counters of which nothing is left to know.

        Budgets whose window is over; whatever is empty; and those whose id begins with one of `brief` once
        nobody has touched them for `idle_s`. None that somebody holds a part of.
        """
        for counter in list(self.counters.values()):
            if counter.wants or any(lease.held > 0 for lease in counter.leases.values()):
                continue
            if counter.rule.kind == "budget":
                over = counter.rule.ends_ms <= now_ms
                idle = counter.touched + idle_s < now and counter.id.startswith(brief)
            else:
                over = not counter.leases and not counter.used(now)
                idle = False
            if over or idle:
                del self.counters[counter.id]

    # --- granting -------------------------------------------------------------------------------------------

    def _serve(self, counter: Shared, now: float) -> None:
        """Answer wants in their order, until one has to wait."""
        while counter.wants:
            want = counter.wants[0]
            answer = self._answer(counter, want, now)
            if answer is None:
                return
            counter.wants.popleft()
            if answer.verb == "granted":
                lease = counter.leases[want.holder]
                lease.held += answer.amount
                lease.recalled = False
                self.answers.append(answer)
                if want.least > 0 and counter.window is not None and answer.amount < want.most:
                    self._press_soon(counter, want, answer.amount, now + counter.lead_s, now)
            else:
                self.answers.append(answer)

    def _answer(self, counter: Shared, want: Want, now: float) -> Answer | None:
        """What to say to the first in the queue, None where it has to wait."""
        rule = counter.rule
        for_good = counter.spent if rule.kind == "budget" else 0
        # A debt is covered by what is used already, so it takes no room.
        debt = max(0, -counter.leases[want.holder].held)
        if want.least - debt > rule.limit - for_good:
            return Answer(want.holder, counter.id, "denied", wait_s=NEVER)
        if not self._complete(rule, now):
            return Answer(want.holder, counter.id, "granted") if want.least <= 0 else None
        room = counter.room(now)
        if room >= want.least - debt:
            return Answer(want.holder, counter.id, "granted", self._amount(counter, want, room, debt, now))
        if self._recall(counter, want.holder):
            return None
        if rule.kind == "budget" or rule.patient or not self.gone.isdisjoint(counter.leases):
            return None
        wait_s = counter.wait_s(want.least - debt, now)
        if counter.window is not None:
            self._press_soon(counter, want, 0, now + wait_s + INTEREST_S, now)
        return Answer(want.holder, counter.id, "denied", wait_s=wait_s)

    def _complete(self, rule: CounterRule, now: float) -> bool:
        """Whether all leases of such counters are known."""
        return not self.expected or (rule.kind != "budget" and now >= self._patience)

    def _amount(self, counter: Shared, want: Want, room: int, debt: int, now: float) -> int:
        """All that is wanted, if as much is left for every other holder and for all who wait."""
        holders = sum(1 for holder in counter.leases if holder not in self.gone)
        share = room // max(1, holders, len(counter.wants))
        amount = max(want.least, min(want.most, share + debt), 0)
        return counter.at_once(amount, max(0, want.least), now)

    def _recall(self, counter: Shared, asking: str) -> bool:
        """Ask all others to give back what they can; whether somebody has still to answer."""
        waiting = False
        for holder, lease in counter.leases.items():
            if holder == asking or holder in self.gone:
                continue
            if lease.held > 0 and not lease.recalled:
                lease.recalled = lease.asked = True
                self.answers.append(Answer(holder, counter.id, "recalled"))
            waiting = waiting or lease.asked
        return waiting
