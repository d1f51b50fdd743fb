"""What each limit does by itself while the owner of its counter cannot be asked, and when it can be again."""

from __future__ import annotations

import pytest

from penstock.compile.plan import compile_plan
from penstock.config.load import load_text
from penstock.core.price_book import PriceBook
from tests.accounts.world import NO, OK, World

RATE, SLOTS, BUDGET = 100, 4, 10_000


def alone(world: World) -> None:
    """Nobody can ask any more, and nobody waits for that to change."""
    world.settle_all(0.5)
    for process in world.processes.values():
        process.wire.cut()
    world.clock.advance(1.5)


@pytest.mark.parametrize("default", [True, False])
def test_a_limit_says_for_itself_what_it_does(default: bool) -> None:
    """A rate that fails open goes on with its share, one that fails closed does not, whatever others do."""
    world = World(2, (RATE, SLOTS, BUDGET), fail_open=default)
    one, two = world.processes.values()
    one.counters["rate"].fail_open = one.counters["slots"].fail_open = True
    two.counters["rate"].fail_open = two.counters["slots"].fail_open = False
    alone(world)
    assert [one.ask("rate", 1).answer for _ in range(60)].count(OK) == RATE // 2
    assert [one.ask("slots", 1).answer for _ in range(4)].count(OK) == SLOTS // 2
    assert {two.ask("rate", 1).answer for _ in range(3)} == {NO}
    assert {two.ask("slots", 1).answer for _ in range(3)} == {NO}


def test_a_budget_that_fails_open_spends_its_share_of_what_was_left() -> None:
    """All together spend at most what was left, held or settled; afterwards all of it is counted, once."""
    world = World(2, (RATE, SLOTS, BUDGET))
    one, two = world.processes.values()
    for process in (one, two):
        process.counters["budget"].fail_open = True
    one.ask("budget", 2_000)
    world.flow()
    one.settle(one.attempts[0], 2_000)
    world.settle_all(0.5)
    world.book.tell()
    world.answer()
    alone(world)
    # 2,000 are spent, and as much is leased to the first one still; half of the rest is each one's share.
    for process, served in ((one, 4 + 6), (two, 6)):
        answers = [process.ask("budget", 500).answer for _ in range(20)]
        assert answers.count(OK) == served
        assert set(answers) == {OK, NO}
        # What turns out to be cheaper leaves room for another one.
        process.settle(process.attempts[0], 0)
        assert process.ask("budget", 500).answer == OK
        assert process.ask("budget", 500).answer == NO
    for process in (one, two):
        for attempt in list(process.attempts):
            process.settle(attempt, 500)
    world.settle_all(0.5)
    assert world.book.counters["key:k|usd|0"].spent == one.spent + two.spent == BUDGET
    assert one.ask("budget", 1).answer is None
    world.settle_all(0.5)
    assert one.askers[-1].answer == NO


def test_a_budget_that_nobody_told_of_stays_closed() -> None:
    """A process that begins while the owner is away does not know what is left, and spends nothing."""
    world = World(1, (RATE, SLOTS, BUDGET))
    process = world.start()
    process.counters["budget"].fail_open = True
    process.wire.cut()
    world.clock.advance(1.5)
    assert process.ask("budget", 1).answer == NO


def test_the_document_says_it_for_each_limit() -> None:
    """A rate's own word holds before that of its limits; budgets refuse unless they say otherwise."""
    text = """
version: 1
providers: {up: {kind: openai, base_url: "http://127.0.0.1:1/v1", api_key: sk}}
keys:
  - name: k
    secret: sk-k
    org: acme
    limits:
      rpm: 1
      concurrency: 2
      on_accounts_away: fail_closed
      rates: [{per: hour, limit: 3, on_accounts_away: fail_open}, {per: day, limit: 4}]
    budget: {usd: 1, window: day}
    budgets: [{usd: 2, window: month, on_accounts_away: fail_open}]
  - {name: plain, secret: sk-p, org: acme, limits: {rpm: 1, concurrency: 1}}
"""
    plan = compile_plan(
        load_text(text, {}),
        revision="",
        prices=PriceBook("none", {}),
        reveal=lambda secret: secret.resolve({}),
        urls={},
        now_ms=0,
    )
    rule = plan.accounts["key:k"]
    assert [(rate.limit, rate.fail_open) for rate in rule.rates] == [(1, False), (3, True), (4, False)]
    assert rule.fail_open is False
    assert [budget.fail_open for budget in rule.budgets] == [False, True]
    plain = plan.accounts["key:plain"]
    assert (plain.rates[0].fail_open, plain.fail_open) == (None, None)
