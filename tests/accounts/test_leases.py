"""Leases as a whole: real counters, the real book, messages in every order, deaths and breaks included."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.accounts.world import OK, Process, World

RATE, SLOTS, BUDGET = 60, 4, 100
KINDS = st.sampled_from(["rate", "slots", "budget"])


class Interleavings(RuleBasedStateMachine):
    """Three processes and their owner; whatever happens in whatever order, no limit is broken."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(3, (RATE, SLOTS, BUDGET))
        self.killed_at = float("-inf")
        # What a process used of a rate just before it died is known to the owner alone.
        self.rate_from = float("-inf")

    def _some(self, index: int) -> Process:
        processes = list(self.world.processes.values())
        return processes[index % len(processes)]

    @rule(index=st.integers(0, 2), kind=KINDS, amount=st.integers(1, 20))
    def ask(self, index: int, kind: str, amount: int) -> None:
        """Somebody takes, or waits."""
        self._some(index).ask(kind, 1 if kind == "slots" else amount)
        self.world.clock.run_soon()

    @rule(index=st.integers(0, 2), which=st.integers(0, 9), part=st.floats(0, 1))
    def settle(self, index: int, which: int, part: float) -> None:
        """Something ends, and has used a part of what it took."""
        process = self._some(index)
        if process.attempts:
            attempt = process.attempts[which % len(process.attempts)]
            process.settle(attempt, int(attempt.amount * part))
            self.world.clock.run_soon()

    @rule(index=st.integers(0, 2), count=st.integers(1, 6))
    def arrive(self, index: int, count: int) -> None:
        """The owner hears some of what a process said."""
        for _ in range(count):
            self.world.to_owner(self._some(index))

    @rule(index=st.integers(0, 2), count=st.integers(1, 6))
    def answer(self, index: int, count: int) -> None:
        """A process hears some of what the owner said."""
        for _ in range(count):
            self.world.to_holder(self._some(index))
        self.world.clock.run_soon()

    @rule()
    def flow(self) -> None:
        """Everything that was said is heard."""
        self.world.flow()

    @rule(seconds=st.sampled_from([0.001, 0.01, 0.06, 0.3, 1.1]))
    def advance(self, seconds: float) -> None:
        """Time passes."""
        if self.world.book.expected and seconds > 0.06:
            self.reconnect()
            self.world.bury()
            self.world.flow()
        self.world.clock.advance(seconds)
        self.world.book.grant_due(self.world.now)
        self.world.answer()

    @rule(index=st.integers(0, 2))
    def kill(self, index: int) -> None:
        """A process dies; another one takes its place."""
        self.killed_at = self.world.now
        process = self._some(index)
        if process.boot in self.world.book.expected:
            self.rate_from = self.world.now + 1.0
        self.world.kill(process)
        self.world.start()

    @rule()
    def bury(self) -> None:
        """The owner reads the journals of the dead."""
        self.world.bury()

    @rule(index=st.integers(0, 2))
    def cut(self, index: int) -> None:
        """A connection breaks."""
        process = self._some(index)
        if process.wire.up:
            process.wire.cut()
            self.world.book.vanished(process.boot, self.world.now)
            self.world.answer()

    @rule()
    def reconnect(self) -> None:
        """Those whose connection broke come back."""
        for process in self.world.processes.values():
            if not process.wire.up:
                process.wire.connect()
        self.world.clock.run_soon()

    @rule()
    def restart_owner(self) -> None:
        """The owner dies and knows nothing any more."""
        if self.world.now - self.killed_at <= 1.0:
            self.rate_from = self.world.now + 1.0
        self.world.restart_owner()

    @invariant()
    def book_is_sound(self) -> None:
        """Used and leased are never more than the limit."""
        for counter in self.world.book.counters.values():
            assert counter.used(self.world.now) + counter.leased() <= counter.rule.limit, counter.id

    @invariant()
    def limits_hold(self) -> None:
        """What really happened is never more than the limits, in any window."""
        world = self.world
        everybody = [*world.processes.values(), *world.dead.values()]
        assert sum(each.in_use("slots") for each in world.processes.values()) <= SLOTS
        assert sum(each.journaled() for each in everybody) <= BUDGET
        if world.now >= self.rate_from:
            assert sum(n for at, n in world.uses if at > world.now - 1.0) <= RATE

    def teardown(self) -> None:
        """In the end everybody has an answer, nothing is leaked, and the book knows what was spent."""
        world = self.world
        world.settle_all(2.5)
        while attempts := [(p, each) for p in world.processes.values() for each in p.attempts]:
            for process, attempt in attempts:
                process.settle(attempt, attempt.amount // 2)
            world.settle_all(2.5)
        assert [a for p in world.processes.values() for a in p.askers if a.answer is None] == []
        world.settle_all(12.0)
        for counter in world.book.counters.values():
            assert not counter.wants
            assert counter.leased() == 0, counter.id
        everybody = [*world.processes.values(), *world.dead.values()]
        spent = sum(each.journaled() for each in everybody)
        budget = next((c for c in world.book.counters.values() if c.rule.kind == "budget"), None)
        assert budget is None or budget.spent == spent
        # Whatever is left can be had.
        asker = self._some(0).ask("budget", BUDGET - spent)
        world.settle_all(0.5)
        assert asker.answer == OK


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
