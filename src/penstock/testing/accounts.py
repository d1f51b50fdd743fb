"""An owner of counters in memory: what several holders in one process share, without a socket or a server."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.core.allowance import CounterRule
from penstock.core.leases import Answer, Book
from penstock.core.limits import SlidingWindow
from penstock.ports.accounts import Holder
from penstock.ports.clock import Clock, Timer

TELL_S = 0.05
# How long holders take to connect anew.
BACK_S = 0.01


class _Open:
    """A counter that a holder has opened. `ripening`: granted, and not to be used yet."""

    def __init__(self, rule: CounterRule, holder: Holder, told: int) -> None:
        self.rule = rule
        self.holder = holder
        self.ripening = 0
        self.told = told
        self.window = SlidingWindow(rule.limit, rule.window_s) if rule.kind == "rate" else None


class MemoryAccounts:
    """The owner. Answers come in a later turn of the event loop, as those of any owner do.

    `restart` forgets everything, as a process that dies does; holders connect anew a moment later.
    """

    def __init__(self, clock: Clock, patience_s: float = 0.1) -> None:
        self.clock = clock
        self.book = Book()
        self.holders: dict[str, MemoryShares] = {}
        self._patience_s = patience_s
        # What the dead have spent, by counter.
        self._spent: dict[str, int] = {}
        self._answering = False
        self._timer: Timer | None = None
        self._ended = False
        clock.call_later(TELL_S, self._tell)

    def holder(self, name: str) -> MemoryShares:
        """Somebody new who shares the counters."""
        made = self.holders[name] = MemoryShares(self, name)
        made.connect()
        return made

    def before(self, counter: str) -> int:
        """What the dead spent of a budget."""
        return self._spent.get(counter, 0)

    def bury(self, name: str, spent: Mapping[str, int]) -> None:
        """A holder that vanished is dead; what it spent, by budget counter."""
        for counter, amount in spent.items():
            self._spent[counter] = self._spent.get(counter, 0) + amount
        self.book.buried(name, self.clock.monotonic(), spent)
        self.soon()

    def restart(self) -> None:
        """Forget everything, but for the dead, whose journals are there."""
        now = self.clock.monotonic()
        living = [each for each in self.holders.values() if each.up]
        for each in living:
            each.cut()
        self.book = Book([each.name for each in living], now + self._patience_s)
        for each in living:
            self.clock.call_later(BACK_S, each.connect)

    def end(self) -> None:
        """Set no more timers."""
        self._ended = True

    def soon(self) -> None:
        """Hand over what the book has to say, in the next turn."""
        if not self._answering:
            self._answering = True
            self.clock.call_soon(self._answer)

    def _answer(self) -> None:
        self._answering = False
        answers, self.book.answers = self.book.answers, []
        for each in answers:
            holder = self.holders.get(each.holder)
            if holder is not None and holder.up:
                holder.hear(each)
        due = self.book.due
        if due != float("inf") and self._timer is None and not self._ended:
            self._timer = self.clock.call_later(max(0.0, due - self.clock.monotonic()), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.book.grant_due(self.clock.monotonic())
        self._answer()

    def _tell(self) -> None:
        if not self._ended:
            self.book.tick(self.clock.monotonic())
            self.book.tell()
            self._answer()
            self.clock.call_later(TELL_S, self._tell)


class MemoryShares:
    """One holder's way to it. Implements ports.accounts.Shares."""

    def __init__(self, owner: MemoryAccounts, name: str) -> None:
        self.name = name
        self.up = False
        self._owner = owner
        self._opened: dict[str, _Open] = {}
        self._told: dict[str, int] = {}
        # Those that were closed while the owner could not be told.
        self._parting: list[tuple[str, _Open]] = []

    def connect(self) -> None:
        """Say all that is held."""
        self.up = True
        parting, self._parting = self._parting, []
        for counter, gone in parting:
            self._state(counter, gone, 0)
            self._owner.book.closed(self.name, counter, self._now())
        for counter, each in list(self._opened.items()):
            self._state(counter, each, each.holder.held() + each.ripening)
        self._owner.book.arrived(self.name, self._now())
        self._owner.soon()
        for each in list(self._opened.values()):
            each.holder.here()

    def cut(self) -> None:
        """Lose the connection."""
        self.up = False
        self._owner.book.vanished(self.name, self._now())
        self._owner.soon()
        for each in list(self._opened.values()):
            each.holder.away()

    def die(self) -> None:
        """Vanish without a word."""
        self.up = False
        self._opened.clear()
        self._owner.book.vanished(self.name, self._now())
        self._owner.soon()

    def leave(self) -> None:
        """Give everything back."""
        for counter in list(self._opened):
            self.close(counter)

    def open(self, counter: str, rule: CounterRule, holder: Holder) -> None:
        """See Shares."""
        known = self._opened.get(counter)
        if known is not None and known.holder is holder:
            known.rule = rule
            if self.up:
                self._owner.book.changed(counter, rule.limit, rule.patient, self._now())
                self._owner.soon()
            return
        self._owner.book.unsay(self.name, counter)
        self._told.setdefault(counter, known.told if known is not None else holder.told())
        self._opened[counter] = _Open(rule, holder, self._told.pop(counter))
        if self.up:
            self._state(counter, self._opened[counter], holder.held())
        else:
            holder.away()

    def close(self, counter: str) -> None:
        """See Shares."""
        gone = self._opened.pop(counter, None)
        if gone is not None:
            self._told[counter] = gone.told
            if not self.up:
                self._parting.append((counter, gone))
        if gone is not None and self.up:
            self._owner.book.unsay(self.name, counter)
            self._owner.book.closed(self.name, counter, self._now())
            self._owner.soon()

    def want(self, counter: str, least: int, most: int) -> None:
        """See Shares."""
        if self.up:
            self._owner.book.wanted(self.name, counter, least, most, self._now())
            self._owner.soon()

    def used(self, counter: str, amount: int, at: float) -> None:
        """See Shares."""
        opened = self._opened[counter]
        window = opened.window
        if window is None or amount > 0:
            opened.told += amount
        if window is not None:
            window.pass_to(self._now())
            if amount > 0:
                window.count(amount, at)
            else:
                window.correct(amount, at)
        if self.up:
            self._owner.book.used(self.name, counter, amount, at, self._now())
            self._owner.soon()

    def back(self, counter: str, amount: int) -> None:
        """See Shares."""
        if self.up:
            self._owner.book.given_back(self.name, counter, amount, self._now())
            self._owner.soon()

    def hear(self, answer: Answer) -> None:
        """For the owner: an answer."""
        opened = self._opened.get(answer.counter)
        if opened is None:
            return
        if answer.verb == "granted":
            self._granted(answer, opened)
        elif answer.verb == "denied":
            opened.holder.denied(answer.wait_s)
        elif answer.verb == "recalled":
            opened.holder.recalled()
            self._owner.book.answered(self.name, answer.counter, self._now())
            self._owner.soon()
        else:
            opened.holder.known(answer.amount, answer.leased)

    def _granted(self, answer: Answer, opened: _Open) -> None:
        wait_s = answer.at - self._now()
        if wait_s <= 0:
            opened.holder.granted(answer.amount)
            return
        opened.ripening += answer.amount

        def ripe() -> None:
            opened.ripening -= answer.amount
            if self._opened.get(answer.counter) is opened:
                opened.holder.granted(answer.amount)

        self._owner.clock.call_later(wait_s, ripe)

    def _state(self, counter: str, each: _Open, held: int) -> None:
        book, now = self._owner.book, self._now()
        known = counter in book.counters
        before = 0 if known or each.rule.kind != "budget" else self._owner.before(counter)
        uses: list[tuple[float, int]] = []
        if each.window is not None:
            each.window.pass_to(now)
            uses = each.window.entries()
        book.opened(self.name, counter, each.rule, now, before)
        book.stated(self.name, counter, held, each.told, uses, now)
        self._owner.soon()

    def _now(self) -> float:
        return self._owner.clock.monotonic()
