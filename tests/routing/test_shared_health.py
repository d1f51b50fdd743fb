"""What gateways believe of each other's breakers, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.health import CLOSED, HALF_OPEN, OPEN
from penstock.core.health_news import BreakerNews
from penstock.routing.shared_health import DOUBTED_S, FRESH_S, SharedHealth
from penstock.routing.standings import Standings

TARGET = "p/m"


class Machine:
    """One gateway's standings and what it shares."""

    def __init__(self, name: str) -> None:
        self.standings = Standings()
        self.shared = SharedHealth(self.standings, name)

    @property
    def standing(self):  # noqa: ANN201 - a test's shorthand
        """The one target's."""
        return self.standings.of(TARGET)

    def attempt(self, now: float, fault: str) -> None:
        """One attempt that ends at once."""
        self.standing.began(now)
        self.standing.ended(now, fault)  # type: ignore[arg-type]

    def fail(self, now: float, fault: str = "failed") -> None:
        """As often as opens the breaker."""
        while self.standing.breaker.state == CLOSED:
            self.attempt(now, fault)


def exchange(now: float, *machines: Machine) -> list[BreakerNews]:
    """Every machine tells all others what is new."""
    said = [news for machine in machines for news in machine.shared.news(now)]
    for news in said:
        for machine in machines:
            machine.shared.hear(news, now)
    return said


@pytest.mark.parametrize("fault", ["failed", "timeout", "overload", "unreachable", "refused", "limited"])
def test_what_one_opened_the_other_leaves(fault: str) -> None:
    """At once, with the same reason, and only once told."""
    one, two = Machine("one"), Machine("two")
    one.fail(10.0, fault)
    said = exchange(10.1, one, two)
    assert [news.id for news in said if news.kind == "target"] == [TARGET]
    assert two.standing.closed_to(10.2) == one.standing.closed_to(10.2) != ""
    assert exchange(10.3, one, two) == []


def test_both_try_again_by_themselves() -> None:
    """The opening ends here as it would have there; a trial that fails is told on."""
    one, two = Machine("one"), Machine("two")
    one.fail(10.0)
    exchange(10.0, one, two)
    until = two.standing.breaker.until
    assert until <= 10.0 + two.standing.breaker.rule.open_s
    assert two.standing.closed_to(until) == ""
    assert two.standing.breaker.state == HALF_OPEN
    two.attempt(until + 1, "failed")
    assert two.standing.breaker.state == OPEN
    assert [news.origin for news in two.shared.news(until + 1) if news.kind == "target"] == ["two"]


def test_what_is_well_again_is_told() -> None:
    """Whoever opened it closes it to the others as well."""
    one, two = Machine("one"), Machine("two")
    one.fail(10.0)
    exchange(10.0, one, two)
    assert two.standing.breaker.state == OPEN
    one.attempt(11.0, "ok")  # somebody who had nowhere else to go
    exchange(11.0, one, two)
    assert (one.standing.breaker.state, two.standing.breaker.state) == (CLOSED, CLOSED)


def test_who_has_an_answer_does_not_believe_it() -> None:
    """One machine's broken network closes nothing to the others; a rate limit of the credential does."""
    one, two = Machine("one"), Machine("two")
    two.attempt(10.0, "ok")
    one.fail(10.0, "unreachable")
    exchange(10.0 + FRESH_S / 2, one, two)
    assert two.standing.closed_to(10.0 + FRESH_S / 2) == ""
    three = Machine("three")
    three.fail(10.5, "limited")
    exchange(10.5, three, two)
    assert two.standing.closed_to(10.6).startswith("cooling down")


def test_who_was_wrong_is_doubted_for_a_while() -> None:
    """After a trial that went well the same machine's word does not count, and does later."""
    one, two = Machine("one"), Machine("two")
    one.fail(10.0)
    exchange(10.0, one, two)
    tried = two.standing.breaker.until + 1
    two.attempt(tried, "ok")
    two.shared.news(tried)
    again = BreakerNews("target", TARGET, "one", "breaker open: failed", 30.0)
    two.shared.hear(again, tried + FRESH_S + 1)
    assert two.standing.closed_to(tried + FRESH_S + 1) == ""
    two.shared.hear(again, tried + DOUBTED_S + 1)
    assert two.standing.closed_to(tried + DOUBTED_S + 1) != ""


def test_ones_own_finding_stays() -> None:
    """Another's word neither shortens nor ends what was found here."""
    one, two = Machine("one"), Machine("two")
    one.fail(10.0)
    two.fail(10.0)
    until = two.standing.breaker.until
    exchange(10.1, one, two)
    assert two.standing.breaker.until == until
    two.shared.hear(BreakerNews("target", TARGET, "one"), 10.2)
    assert two.standing.breaker.state == OPEN


def test_everything_is_told_anew_after_a_gap() -> None:
    """Who was cut off hears what is still open."""
    one, two = Machine("one"), Machine("two")
    one.fail(10.0)
    one.shared.news(10.0)  # nobody heard it
    one.shared.again()
    exchange(11.0, one, two)
    assert two.standing.closed_to(11.0) != ""


FAULTS = st.sampled_from(["ok", "failed", "unreachable", "limited", "neutral", "caller"])
STEPS = st.lists(st.tuples(st.integers(0, 2), FAULTS, st.floats(0.0, 20.0)), max_size=60)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_nobody_stays_closed_by_hearsay(steps: list[tuple[int, str, float]]) -> None:
    """Whatever three machines live through: what was taken from others ends and is not handed round."""
    machines = [Machine(name) for name in ("one", "two", "three")]
    now = 10.0
    for at, fault, pause in steps:
        now += pause
        machines[at].attempt(now, fault)
        exchange(now, *machines)
    for _ in range(3):
        exchange(now, *machines)
    assert exchange(now, *machines) == []
    longest = max(each.standing.breaker.rule.max_cooldown_s for each in machines)
    longest = max(longest, *(each.standing.breaker.rule.max_open_s for each in machines))
    assert all(each.standing.closed_to(now + longest + 1) == "" for each in machines)
