"""Whatever several processes do, and whatever breaks between them: never above a limit, nothing leaked.

Runs against every owner. Each example has counters and processes of its own on one server.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core.allowance import CounterRule
from penstock.core.budget import FOREVER_MS
from tests.accounts.houses import House, Part, Process, redis_house, until
from tests.accounts.near_houses import memory_house, socket_house
from tests.clients.needed import needed

LIMIT = 60
WINDOW_S = 0.15
RULES = {
    "budget": CounterRule("budget", LIMIT, 0.0, FOREVER_MS),
    "slots": CounterRule("slots", LIMIT),
    "patient": CounterRule("slots", LIMIT, patient=True),
    "rate": CounterRule("rate", LIMIT, WINDOW_S),
}
_ids = itertools.count(1)
Step = tuple[str, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "want",
                "want",
                "want",
                "use",
                "use",
                "hold",
                "settle",
                "back",
                "correct",
                "cut",
                "die",
                "close",
                "pause",
            ]
        ),
        st.integers(0, 2),
        st.integers(0, LIMIT // 2),
        st.integers(0, LIMIT),
    ),
    min_size=20,
    max_size=70,
)


@dataclass
class Use:
    """A use of a rate by one part, less what that took back of it."""

    part: Part
    at: float
    amount: int


@dataclass
class Drama:
    """Three processes and one counter; the dead are replaced."""

    house: House
    rule: CounterRule
    counter: str = field(default_factory=lambda: f"counter{next(_ids)}")
    processes: list[Process] = field(default_factory=list[Process])
    parts: list[Part] = field(default_factory=list[Part])
    spent: int = 0  # by parts that are gone
    uses: list[Use] = field(default_factory=list[Use])
    wrong: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    closed: dict[str, int] = field(default_factory=dict[str, int])  # told by closed parts, by process

    async def begin(self) -> None:
        """Three come."""
        self.processes = [self.house.process() for _ in range(3)]
        for process in self.processes:
            await process.ready()
        self.parts = [self._part(process) for process in self.processes]

    def _part(self, process: Process) -> Part:
        drama = self

        class Watched(Part):
            def granted(self, amount: int) -> None:
                super().granted(amount)
                drama.check()

        return Watched(process.shares, self.counter, self.rule)

    def check(self) -> None:
        """Never above the limit, as far as the processes know."""
        now = time.monotonic()
        held = sum(max(0, part.held()) for part in self.parts)
        used = 0
        if self.rule.kind == "budget":
            used = self.spent + sum(part.spent for part in self.parts)
        elif self.rule.kind == "rate":
            used = sum(use.amount for use in self.uses if use.at > now - WINDOW_S)
        if used + held > LIMIT:
            self.wrong.append((used, held))
        assert not self.wrong, self.wrong

    async def step(self, verb: str, who: int, amount: int, more: int) -> None:  # noqa: C901 - a list of verbs
        """One thing that happens."""
        part, process = self.parts[who], self.processes[who]
        if verb == "want" and not part.asking and not part.is_away:
            part.want(amount, amount + more)
        elif verb == "use" and self.rule.kind != "slots" and part.free > 0:
            used = min(amount, part.free)
            at = part.use(used)
            self.uses.append(Use(part, at, used))
        elif verb == "hold" and part.free > 0 and self.rule.kind != "rate":
            part.hold(min(amount, part.free))
        elif verb == "settle" and part.busy:
            held = min(part.busy, amount)
            part.settle(held, min(held, more) if self.rule.kind == "budget" else 0)
        elif verb == "back":
            part.give_back(min(amount, part.free))
        elif verb == "correct" and self.rule.kind == "rate":
            self._correct(part, amount)
        elif verb == "cut":
            process.cut()
        elif verb == "die":
            await self._die(who, amount)
        elif verb == "close":
            self.spent += part.spent
            self.closed[process.name] = self.closed.get(process.name, 0) + part.spent
            process.shares.close(self.counter)
            self.parts[who] = self._part(process)
            if not process.is_ready:
                self.parts[who].is_away = True
                await until(lambda: process.is_ready)
                self.parts[who].is_away = False
        elif verb == "pause":
            await asyncio.sleep(amount / 2000)
        await asyncio.sleep(0)

    def _correct(self, part: Part, amount: int) -> None:
        for use in reversed(self.uses):
            taken = min(use.amount, amount)
            if use.part is part and taken:
                use.amount -= taken
                part.shares.used(self.counter, -taken, use.at)
                return

    async def _die(self, who: int, amount: int) -> None:
        """A process ends without a word; its journal knows what it spent, and a part of what was under way."""
        part, process = self.parts[who], self.processes[who]
        extra = min(part.busy, amount)
        process.die()
        spent = part.spent + extra
        self.spent += spent
        self.processes[who] = self.house.process()
        self.parts[who] = self._part(self.processes[who])
        journaled = spent + self.closed.get(process.name, 0)
        await self.house.bury(process, {self.counter: journaled} if self.rule.kind == "budget" else {})
        await self.processes[who].ready()

    async def end(self) -> None:
        """All give everything back; a newcomer gets all that is not spent, and no more."""
        for part, process in zip(self.parts, self.processes, strict=True):
            await until(lambda process=process: process.is_ready)
            if part.busy:
                part.settle(part.busy, 0)
            part.give_back(part.free)
        for part, process in zip(self.parts, self.processes, strict=True):
            await until(lambda part=part: not part.asking, "a want that fits is not answered")
            part.give_back(part.free)
            await process.leave()
        self.spent += sum(part.spent for part in self.parts)
        self.parts = []
        heir = self.house.process()
        await heir.ready()
        part = Part(heir.shares, self.counter, self.rule)
        left = LIMIT - (self.spent if self.rule.kind == "budget" else 0)
        word, wait_s = await part.get(left)
        while word == "denied" and self.rule.kind == "rate":
            await asyncio.sleep(wait_s)
            word, wait_s = await part.get(left)
        assert (word, part.free) == ("granted", left)
        if self.rule.kind == "budget":
            assert await part.get(left + 1) == ("denied", float("inf"))
        await heir.leave()


def redis() -> AbstractAsyncContextManager[House]:
    """Redis, a real one."""
    return redis_house(needed("redis") / "redis-server")


@pytest.fixture(scope="module", params=[memory_house, socket_house, redis], ids=["memory", "socket", "redis"])
def on_server(
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[Callable[[House], Awaitable[None]]], None]]:
    """Runs something with one owner, in one event loop."""
    with asyncio.Runner() as runner:
        opened = request.param()
        house = runner.run(opened.__aenter__())

        def run(what: Callable[[House], Awaitable[None]]) -> None:
            async def whole() -> None:
                await what(house)

            runner.run(whole())

        yield run
        runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize("kind", sorted(RULES))
def test_never_above_and_nothing_leaked(
    on_server: Callable[[Callable[[House], Awaitable[None]]], None], kind: str
) -> None:
    """After each grant all use and hold at most the limit; in the end exactly what is not spent can be had."""

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(STEPS)
    def example(steps: list[Step]) -> None:
        async def play(house: House) -> None:
            drama = Drama(house, RULES[kind])
            await drama.begin()
            for verb, who, amount, more in steps:
                await drama.step(verb, who, amount, more)
                drama.check()
            await drama.end()

        on_server(play)

    example()
