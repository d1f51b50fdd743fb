"""The breaker: what opens it, for how long, and who may try."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.health import CLOSED, HALF_OPEN, OPEN, Breaker, Fault, fault_of
from penstock.core.health_rules import HealthRule

RULE = HealthRule()


def failed(breaker: Breaker, now: float, fault: Fault = "overload", count: int = 1) -> None:
    """So many attempts that began and ended at `now`."""
    for _ in range(count):
        breaker.began(now)
        breaker.ended(now, now, fault)


def test_failures_in_a_row_open_it() -> None:
    """Five failures one after the other open the breaker, four do not."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, count=4)
    assert breaker.closed_to(10.0) == ""
    failed(breaker, 10.0)
    assert breaker.closed_to(10.0) == "breaker open: overload"


def test_timeouts_count_twice() -> None:
    """A timeout costs a client far more than a refusal, so three are enough."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, "timeout", 3)
    assert breaker.state == OPEN


@pytest.mark.parametrize("fault", ["caller", "neutral"])
def test_what_is_not_the_targets_fault_never_opens_it(fault: Fault) -> None:
    """A thousand errors of callers leave it closed."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, fault, 1000)
    assert breaker.state == CLOSED


def test_a_success_ends_a_row() -> None:
    """Failures between which there are answers open it only by their share."""
    breaker = Breaker(HealthRule(calls=1000))
    for _ in range(100):
        failed(breaker, 10.0, count=4)
        failed(breaker, 10.0, "ok")
    assert breaker.state == CLOSED


def test_a_share_opens_it() -> None:
    """Half of twenty attempts are enough although no five of them fail in a row."""
    breaker = Breaker(RULE)
    for at in range(20):
        failed(breaker, 10.0 + at / 10, "failed" if at % 2 else "ok")
    assert breaker.state == OPEN


def test_one_trial_closes_it() -> None:
    """When its time has passed one request may try; its answer closes the breaker."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, count=5)
    assert breaker.closed_to(11.9)
    assert breaker.closed_to(12.1) == ""
    breaker.began(12.1)
    assert breaker.closed_to(12.1) == "half-open: its trial is under way"
    breaker.ended(12.2, 12.1, "ok")
    assert breaker.state == CLOSED
    assert breaker.closed_to(12.2) == ""


def test_each_failed_trial_doubles_the_time() -> None:
    """2, 4, 8 and at most 10 seconds; recovery is never further away than one of them."""
    breaker = Breaker(RULE)
    now = 10.0
    failed(breaker, now, count=5)
    spans: list[float] = []
    for _ in range(6):
        spans.append(round(breaker.until - now, 6))
        now = breaker.until + 0.001
        assert breaker.closed_to(now) == ""
        failed(breaker, now)
    assert spans == [2, 4, 8, 10, 10, 10]


def test_what_was_long_ago_is_forgotten() -> None:
    """After a longer time without trouble than it was left alone for, the first time is short again."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, count=5)
    failed(breaker, 12.1)
    failed(breaker, 17.0, "ok")
    failed(breaker, 20.0, count=5)
    assert breaker.until == pytest.approx(28.0)
    failed(breaker, 28.1, "ok")
    failed(breaker, 100.0, count=5)
    assert breaker.until == pytest.approx(102.0)


def test_retry_after_is_obeyed_at_once() -> None:
    """One 429 with Retry-After: 7 keeps everybody away for seven seconds."""
    breaker = Breaker(RULE)
    breaker.began(10.0)
    breaker.ended(10.1, 10.0, "limited", 7.0)
    assert breaker.closed_to(17.0) == "cooling down: rate limited"
    assert breaker.closed_to(17.2) == ""


def test_an_absurd_retry_after_is_capped() -> None:
    """A provider cannot make us leave it for a day."""
    breaker = Breaker(RULE)
    breaker.ended(10.0, 10.0, "limited", 86_400.0)
    assert breaker.until == pytest.approx(310.0)


def test_many_under_way_are_one_event() -> None:
    """Fifty requests that were under way when a 429 came do not make the cooldown grow fiftyfold."""
    breaker = Breaker(RULE)
    for _ in range(50):
        breaker.began(10.0)
    for at in range(50):
        breaker.ended(10.5 + at / 1000, 10.0, "limited", 2.0)
    assert breaker.until == pytest.approx(12.549)
    assert breaker.opened == 1


def test_a_late_answer_does_not_close_it() -> None:
    """What began before it opened says nothing of what is now."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, count=5)
    breaker.ended(10.5, 9.0, "ok")
    assert breaker.state == OPEN


def test_who_has_nowhere_else_to_go_may_close_it() -> None:
    """An answer to a request that was sent although it is open is as good as a trial's."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, count=5)
    breaker.began(10.5)
    breaker.ended(10.7, 10.5, "ok")
    assert breaker.state == CLOSED


def test_a_lost_trial_does_not_lock_it() -> None:
    """A trial that never ends lets another one try after a while."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, count=5)
    breaker.began(12.1)
    assert breaker.closed_to(13.0)
    assert breaker.closed_to(18.0) == ""


def test_a_cancelled_trial_gives_its_place_back() -> None:
    """The client hung up: the next request may try."""
    breaker = Breaker(RULE)
    failed(breaker, 10.0, count=5)
    breaker.began(12.1)
    breaker.ended(12.2, 12.1, "neutral")
    assert breaker.closed_to(12.2) == ""


def test_off_means_off() -> None:
    """With `on: false` nothing is ever left alone."""
    breaker = Breaker(HealthRule(on=False))
    failed(breaker, 10.0, count=50)
    assert breaker.closed_to(10.0) == ""


@pytest.mark.parametrize(
    ("cause", "code", "fault"),
    [
        ("status_429", "upstream_rate_limited", "limited"),
        ("status_503", "upstream_overloaded", "overload"),
        ("status_529", "upstream_overloaded", "overload"),
        ("status_500", "upstream_error", "failed"),
        ("status_502", "upstream_error", "failed"),
        ("status_204", "upstream_garbage", "failed"),
        ("status_400", "", "caller"),
        ("status_400", "upstream_auth", "refused"),
        ("status_401", "upstream_auth", "refused"),
        ("status_404", "", "caller"),
        ("status_413", "", "caller"),
        ("status_422", "", "caller"),
        ("connect_refused", "upstream_unreachable", "unreachable"),
        ("first_event_timeout", "upstream_timeout", "timeout"),
        ("stale", "upstream_error", "neutral"),
        ("budget", "budget_exceeded", "neutral"),
        ("client_closed", "", "neutral"),
        ("stream_error", "upstream_overloaded", "overload"),
        ("stream_error", "upstream_rate_limited", "limited"),
        ("", "", "ok"),
    ],
)
def test_causes_are_told_apart(cause: str, code: str, fault: Fault) -> None:
    """What is the provider's fault, what the caller's, what nobody's."""
    assert fault_of(cause, code) == fault


EVENTS = st.lists(
    st.tuples(
        st.floats(0.0, 20.0),
        st.sampled_from(["ok", "caller", "neutral", "limited", "overload", "timeout", "failed"]),
        st.floats(0.0, 40.0),
        st.floats(0.0, 60.0),
    ),
    max_size=60,
)


@given(EVENTS)
def test_it_can_always_be_tried_again(events: list[tuple[float, Fault, float, float]]) -> None:
    """Whatever happens, it is open for no longer than the longest cooldown, and then somebody may try."""
    breaker, now = Breaker(RULE), 1000.0
    for passed, fault, took, retry_after in events:
        now += passed
        breaker.began(now)
        breaker.ended(now, now - took, fault, retry_after if fault == "limited" else 0.0)
        assert breaker.state in {CLOSED, OPEN, HALF_OPEN}
        assert breaker.until <= now + RULE.max_cooldown_s
        assert breaker.closed_to(now + RULE.max_cooldown_s + 60.0) == ""
