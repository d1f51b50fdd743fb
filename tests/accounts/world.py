"""Holders, an owner and the wires between them in virtual time; journals in memory. Messages stay in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.admission.counters import Counter
from penstock.admission.leased import LeasedSlots, leased_counters
from penstock.admission.tending import Away
from penstock.admission.waiting import NO, OK, WAIT, Waiter, Wakings
from penstock.core.allowance import BudgetRule, CounterRule, RateRule
from penstock.core.budget import FOREVER_MS
from penstock.core.leases import Book
from penstock.ports.accounts import Holder
from penstock.testing.clock import VirtualClock

ACCOUNT = "key:k"


@dataclass
class Opened:
    """A counter as a wire knows it."""

    rule: CounterRule
    holder: Holder
    uses: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    ripening: int = 0


class Wire:
    """One holder's way to the owner, and back. Implements ports.accounts.Shares."""

    def __init__(self, world: World, boot: str) -> None:
        self.world = world
        self.boot = boot
        self.up = False
        self.opened: dict[str, Opened] = {}
        self.to_owner: deque[Callable[[], None]] = deque()
        self.to_holder: deque[Callable[[], None]] = deque()

    def connect(self) -> None:
        """Say all that is held."""
        self.up = True
        for counter in self.opened:
            self._state(counter)
        self.say(lambda: self.world.book.arrived(self.boot, self.world.now))
        for each in list(self.opened.values()):
            each.holder.here()

    def cut(self) -> None:
        """What is under way, in both directions, is lost."""
        self.up = False
        self.to_owner.clear()
        self.to_holder.clear()
        for each in list(self.opened.values()):
            each.holder.away()

    def _state(self, counter: str) -> None:
        each = self.opened[counter]
        held, told = each.holder.held() + each.ripening, each.holder.told()
        uses = [(at, n) for at, n in each.uses if at > self.world.now - each.rule.window_s]
        world, boot, rule = self.world, self.boot, each.rule

        def say() -> None:
            known = counter in world.book.counters
            before = 0 if known or rule.kind != "budget" else world.before(counter)
            world.book.opened(boot, counter, rule, world.now, before)
            world.book.stated(boot, counter, held, told, uses, world.now)

        self.say(say)

    def say(self, what: Callable[[], None]) -> None:
        """Put it on the way, unless the connection is cut."""
        if self.up:
            self.to_owner.append(what)

    def open(self, counter: str, rule: CounterRule, holder: Holder) -> None:
        """See Shares."""
        if counter in self.opened and self.opened[counter].holder is holder:
            self.opened[counter].rule = rule
            self.say(lambda: self.world.book.changed(counter, rule.limit, rule.patient, self.world.now))
            return
        self.opened[counter] = Opened(rule, holder)
        if self.up:
            self._state(counter)
        else:
            holder.away()

    def close(self, counter: str) -> None:
        """See Shares."""
        if self.opened.pop(counter, None) is not None:
            self.say(lambda: self.world.book.closed(self.boot, counter, self.world.now))

    def want(self, counter: str, least: int, most: int) -> None:
        """See Shares."""
        self.say(lambda: self.world.book.wanted(self.boot, counter, least, most, self.world.now))

    def used(self, counter: str, amount: int, at: float) -> None:
        """See Shares."""
        self.opened[counter].uses.append((at, amount))
        self.say(lambda: self.world.book.used(self.boot, counter, amount, at, self.world.now))

    def back(self, counter: str, amount: int) -> None:
        """See Shares."""
        self.say(lambda: self.world.book.given_back(self.boot, counter, amount, self.world.now))

    def granted(self, counter: str, opened: Opened, amount: int, at: float) -> None:
        """The owner granted something, to be used from `at` on."""
        if at <= self.world.now:
            opened.holder.granted(amount)
            return
        opened.ripening += amount

        def ripe() -> None:
            opened.ripening -= amount
            if self.opened.get(counter) is opened:
                opened.holder.granted(amount)

        self.world.clock.call_later(at - self.world.now, ripe)


@dataclass
class Attempt:
    """Something under way at a process."""

    counter: Counter
    amount: int
    at: float
    at_ms: int


class Asker(Waiter):
    """Somebody who waits for an amount of a counter."""

    def __init__(self, process: Process, counter: Counter, amount: int) -> None:
        super().__init__()
        self.process, self.counter, self.amount = process, counter, amount
        self.answer: int | None = None

    def again(self) -> bool:
        """See Waiter."""
        code = self.process.try_take(self.counter, self.amount)
        if code == WAIT:
            self.counter.waitlist.add(self)
            return False
        self.answer = code
        return True


class Process:
    """A holder: its counters, what it has under way, and what its journal says that it spent."""

    def __init__(self, world: World, boot: str, limits: tuple[int, int, int], *, fail_open: bool) -> None:
        self.world = world
        self.boot = boot
        self.wire = Wire(world, boot)
        self.alive = True
        wakings = Wakings(self.soon, world.clock.call_later)
        make = leased_counters(self.wire, world.clock, Away(fail_open=fail_open, share=0.5))(wakings)
        rate, slots, budget = limits
        now_ms = world.clock.now_ms()
        self.counters: dict[str, Counter] = {
            "rate": make.rate("key:k|tokens|1", ACCOUNT, RateRule("tokens", 1.0, rate), None),
            "slots": make.slots("key:k|slots", ACCOUNT, slots, None),
            "budget": make.budget("key:k|usd", ACCOUNT, BudgetRule(budget, "total"), None, None, now_ms),
        }
        self.attempts: list[Attempt] = []
        self.askers: list[Asker] = []
        self.spent = 0

    def soon(self, call: Callable[[], None]) -> None:
        """At the end of the turn, if the process lives until then."""
        self.world.clock.call_soon(lambda: call() if self.alive else None)

    def try_take(self, counter: Counter, amount: int) -> int:
        """Take, and remember what is under way."""
        clock = self.world.clock
        code = counter.take(amount, clock.monotonic(), clock.now_ms())
        if code == OK:
            self.attempts.append(Attempt(counter, amount, clock.monotonic(), clock.now_ms()))
            if counter.unit == "tokens":
                self.world.uses.append([clock.monotonic(), amount])
                self.attempts[-1].at_ms = len(self.world.uses) - 1
        return code

    def ask(self, kind: str, amount: int) -> Asker:
        """Take, or wait."""
        asker = Asker(self, self.counters[kind], amount)
        code = self.try_take(asker.counter, amount)
        if code == WAIT:
            asker.counter.waitlist.add(asker)
            self.askers.append(asker)
        else:
            asker.answer = code
        return asker

    def settle(self, attempt: Attempt, used: int) -> None:
        """It is over."""
        self.attempts.remove(attempt)
        counter = attempt.counter
        if counter.unit == "tokens":
            self.world.uses[attempt.at_ms][1] += used - attempt.amount
        elif counter.unit == "budget":
            self.spent += used
        counter.settle(attempt.amount, used, attempt.at, self.world.clock.now_ms())

    def lower_slots(self, limit: int) -> None:
        """A reload."""
        slots = self.counters["slots"]
        assert isinstance(slots, LeasedSlots)
        slots.apply(limit)

    def in_use(self, kind: str) -> int:
        """What is under way."""
        return sum(each.amount for each in self.attempts if each.counter is self.counters[kind])

    def journaled(self) -> int:
        """What its journal has: what was spent, and what is open."""
        return self.spent + self.in_use("budget")


class World:
    """Some processes and the owner of what they share. `uses`: when tokens were used, and how many."""

    def __init__(self, processes: int, limits: tuple[int, int, int], *, fail_open: bool = False) -> None:
        self.clock = VirtualClock()
        self.limits = limits
        self.fail_open = fail_open
        self.book = Book()
        self.uses: list[list[float]] = []
        self.processes: dict[str, Process] = {}
        self.dead: dict[str, Process] = {}
        self._number = 0
        for _ in range(processes):
            self.start()

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self.clock.monotonic()

    def start(self) -> Process:
        """One more process."""
        self._number += 1
        process = Process(self, f"boot{self._number}", self.limits, fail_open=self.fail_open)
        self.processes[process.boot] = process
        process.wire.connect()
        return process

    def before(self, counter: str) -> int:
        """What dead processes spent; those that this book does not know to be dead are not among them."""
        del counter
        unknown = self.book.gone | self.book.expected
        return sum(each.journaled() for boot, each in self.dead.items() if boot not in unknown)

    def to_owner(self, process: Process) -> bool:
        """Let one message arrive; whether there was one."""
        if not process.wire.to_owner:
            return False
        process.wire.to_owner.popleft()()
        self.answer()
        return True

    def to_holder(self, process: Process) -> bool:
        """Let one answer arrive; whether there was one."""
        if not process.wire.to_holder:
            return False
        process.wire.to_holder.popleft()()
        return True

    def answer(self) -> None:
        """Hand the book's answers to the wires."""
        answers, self.book.answers = self.book.answers, []
        for each in answers:
            process = self.processes.get(each.holder)
            opened = process.wire.opened.get(each.counter) if process is not None else None
            if process is None or opened is None or not process.wire.up:
                continue
            holder = opened.holder
            if each.verb == "granted":
                process.wire.to_holder.append(
                    lambda w=process.wire, o=opened, a=each: w.granted(a.counter, o, a.amount, a.at)
                )
            elif each.verb == "denied":
                process.wire.to_holder.append(lambda h=holder, w=each.wait_s: h.denied(w))
            elif each.verb == "recalled":
                process.wire.to_holder.append(lambda p=process, c=each.counter, h=holder: self._recall(p, c, h))
            else:
                process.wire.to_holder.append(lambda h=holder, a=each: h.known(a.amount, a.leased))

    def _recall(self, process: Process, counter: str, holder: Holder) -> None:
        holder.recalled()
        process.wire.say(lambda: self.book.answered(process.boot, counter, self.now))

    def kill(self, process: Process) -> None:
        """`kill -9`: what it knew is gone, but for its journal. It is buried by `bury`."""
        process.alive = False
        process.wire.up = False
        process.wire.to_owner.clear()
        process.wire.to_holder.clear()
        del self.processes[process.boot]
        self.dead[process.boot] = process
        self.book.vanished(process.boot, self.now)
        self.answer()

    def bury(self) -> None:
        """The owner reads the journals of those that died."""
        for boot, process in self.dead.items():
            if boot in self.book.gone or boot in self.book.expected:
                self.book.buried(boot, self.now, {name: process.journaled() for name in self.book.budgets()})
        self.answer()

    def restart_owner(self) -> None:
        """It forgets everything; the processes come back one by one (`connect`)."""
        for process in self.processes.values():
            process.wire.cut()
        self.book = Book(list(self.processes), self.now + 1.0)

    def flow(self) -> None:
        """Let everything that is under way arrive, and its consequences, in this instant."""
        self.clock.run_soon()
        moved = True
        while moved:
            moved = False
            for process in list(self.processes.values()):
                moved = self.to_owner(process) or moved
                moved = self.to_holder(process) or moved
                self.clock.run_soon()

    def settle_all(self, seconds: float) -> None:
        """Let time pass in small steps, with everything flowing."""
        self.bury()
        for process in self.processes.values():
            if not process.wire.up:
                process.wire.connect()
        end = self.now + seconds
        while self.now < end:
            self.flow()
            self.clock.advance(0.01)
            self.book.tick(self.now)
            self.book.grant_due(self.now)
            self.answer()
        self.flow()


__all__ = ["FOREVER_MS", "NO", "OK", "WAIT", "Asker", "Attempt", "Process", "World"]
