"""Shares of counters: how several processes keep one limit or one budget together, without asking each time.

Each counter (core.allowance.CounterRule, by its id) has one *owner*: a process behind a Unix socket, or Redis.
A gateway, the *holder*, has a *lease* of it: an amount that it may use without asking. What happens to leased
amounts is told to the owner in batches, once a turn of the event loop at most; a request waits for the owner
only when the lease does not cover it.

For every counter, at every instant:  used + the sum of all leases ≤ limit
    rate    `used` is what was reported in the last `window_s` seconds. A lease is reported as used with the
            instant of its use, so that use and lease never miss the same amount at once.
    slots   `used` is 0: a slot in use is a part of the lease.
    budget  `used` is what was spent in the window. A reservation under way is a part of the lease; when it
            settles, its cost is reported as used and the rest is free for the next one, or goes back.

The owner grants `least` at once where it fits, up to `most` where there is plenty (a share that leaves as much
for the other holders). A want with `least` 0 asks ahead: it gets what is there, which may be nothing, and
nobody is recalled for it. Where `least` does not fit, it recalls: every holder gives back what it does not
need just now, and goes on doing so. Then it grants, or it denies with the seconds after which asking again
makes sense. Wants are served in the order in which they came. A want for more than can ever fit (limit minus
what is used for good) is denied at once. A want of a budget is not denied as long as it may fit once others
settle, nor is one of patient slots (CounterRule.patient): it waits in the queue.

A lease may go below zero: more was used than was held (a vendor billed more than was reserved; an owner was
away and the rule fails open). What was used counts in full; a debt takes no room of others, and the next
grants cover it first. A negative use takes a use of a rate back: the owner counts it no more, where it is
still in the window, and it does not return to the lease.

A holder that vanishes is resolved by its journal: what it had spent and what it had opened counts, the rest of
its leases becomes free. Until that is known its leases count as used. Its slots are free at once, and the
unused part of its rates is taken as used when it vanished.

An owner that is away: a holder uses up its leases; beyond them each rule's policy says whether a request is
let through on a local share (`fail_open`) or refused (`fail_closed`, budgets always). A holder that comes back
says what it holds and all that it has used since it began, so that nothing is counted twice whatever was lost
on the way; of a rate, an owner that knows nothing hears what was used when. An owner that starts while
holders live grants no budget before each of them has come back or is known to be dead.
"""

from __future__ import annotations

from typing import Protocol

from penstock.core.allowance import CounterRule


class Holder(Protocol):
    """What the owner's answers mean for one counter of this process. Called in the event loop."""

    def granted(self, amount: int) -> None:
        """`amount` is added to the lease: the answer to `want`, or what became free after it was denied."""
        ...

    def denied(self, wait_s: float) -> None:
        """Nothing is left: ask again after `wait_s` seconds; infinite where that makes no sense."""
        ...

    def recalled(self) -> None:
        """Somebody else is waiting: give back what is free, and what becomes free, until the next grant."""
        ...

    def away(self) -> None:
        """The owner cannot be asked just now; an outstanding `want` is void."""
        ...

    def here(self) -> None:
        """The owner can be asked again, and knows of this holder's lease."""
        ...

    def held(self) -> int:
        """The lease: all that was granted and neither told as used nor given back, reservations included."""
        ...

    def told(self) -> int:
        """All that it has said it used since this process began, what it knew to be used before included.

        Of a rate without what it took back: a use that was lost must not hide behind a correction.
        """
        ...

    def known(self, spent: int, leased: int) -> None:
        """Of a budget: what all holders have spent, and hold besides, as of a moment ago."""
        ...


class Shares(Protocol):
    """This process's way to the owner of its counters. Every method returns at once and never fails."""

    def open(self, counter: str, rule: CounterRule, holder: Holder) -> None:
        """Make a counter known, or change its rule; before anything else is said about it."""
        ...

    def close(self, counter: str) -> None:
        """Forget it; what is left of the lease goes back."""
        ...

    def want(self, counter: str, least: int, most: int) -> None:
        """Ask for at least `least`, at best `most`. One want of a counter is under way at a time."""
        ...

    def used(self, counter: str, amount: int, at: float) -> None:
        """`amount` of the lease was used at the monotonic instant `at`; a negative one takes that back."""
        ...

    def back(self, counter: str, amount: int) -> None:
        """`amount` of the lease is not needed any more."""
        ...
