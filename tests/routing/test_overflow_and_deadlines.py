"""Full deployments, clients in a hurry, hedges that race: small scenes in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from penstock.core.allowance import AccountRule
from penstock.core.plan import Plan, Timeouts
from penstock.core.policy import FallbackNode, HedgeNode, PolicyNode, TargetNode
from penstock.core.retry_share import HedgeShare
from tests.routing.game import Fate, Game, Script, target, well


def always(fate: Fate) -> Script:
    """The same for every request."""

    def script(now: float, draw: random.Random) -> Fate:
        del now, draw
        return fate

    return script


def narrow(plan: Plan) -> Plan:
    """The first target is a deployment with one slot and a queue of ten."""
    rule = AccountRule("deployment:t0", concurrency=1, queue_size=10, queue_wait_s=5.0)
    return replace(plan, accounts={rule.id: rule}, deployments={"t0": target(0)})


def test_a_full_deployment_overflows_to_the_next_target() -> None:
    """The second of two requests at the same time does not queue: the next target takes it."""
    game = Game([always(Fate(delay_s=2.0)), well], change=narrow)
    first, second = game.ask(), game.ask()
    game.pass_time(5.0)
    assert (first.served, second.served) == (True, True)
    assert (len(game.upstreams.calls[0]), len(game.upstreams.calls[1])) == (1, 1)
    assert second.took_s < 0.5


def test_without_another_target_it_queues() -> None:
    """Where nobody else would take it, the second request waits for the first one's slot."""
    game = Game([always(Fate(delay_s=2.0))], change=narrow)
    first, second = game.ask(), game.ask()
    game.pass_time(10.0)
    assert (first.served, second.served) == (True, True)
    assert second.took_s == pytest.approx(4.0, abs=0.1)


def test_it_queues_where_the_other_is_down() -> None:
    """A target that is closed is no reason to leave the queue."""
    game = Game([always(Fate(delay_s=2.0)), well], change=narrow)
    game.context.standings.of("t1").breaker.open(game.clock.monotonic(), 60.0, "breaker open: overload")
    _, second = game.ask(), game.ask()
    game.pass_time(10.0)
    assert second.served
    assert not game.upstreams.calls[1]


def test_overflow_can_be_turned_off() -> None:
    """With `queue: {overflow: false}` the deployment's own queue comes first."""

    def patient(nodes: list[PolicyNode]) -> PolicyNode:
        return FallbackNode((TargetNode(replace(target(0), overflows=False)), nodes[1]))

    game = Game([always(Fate(delay_s=2.0)), well], change=narrow, policy=patient)
    _, second = game.ask(), game.ask()
    game.pass_time(10.0)
    assert second.served
    assert not game.upstreams.calls[1]


@pytest.mark.parametrize("header", [b"x-stainless-read-timeout", b"x-stainless-timeout"])
def test_nothing_is_tried_again_after_the_client_has_gone(header: bytes) -> None:
    """A client whose SDK waits no longer gets its error, instead of a retry that it would not see."""
    slow_failure = always(Fate("status", 0.9, 500))
    hurried, patient = Game([slow_failure], seed=3), Game([slow_failure], seed=3)
    client = hurried.ask({header: b"0.9"})
    hurried.pass_time(5.0)
    patient.ask()
    patient.pass_time(5.0)
    assert client.status >= 500
    assert len(hurried.upstreams.calls[0]) == 1
    assert len(patient.upstreams.calls[0]) == 2


def test_a_fallback_that_cannot_finish_is_not_made() -> None:
    """The next target usually takes two seconds: for a client with one second left it is not started."""
    game = Game([always(Fate("status", 0.5, 503)), always(Fate(delay_s=2.0))])
    for _ in range(10):
        game.context.standings.of("t1").ended(game.clock.monotonic(), "ok", 0.0, 2.0)
    game.ask({b"x-stainless-timeout": b"1.5"})
    game.pass_time(5.0)
    assert not game.upstreams.calls[1]
    assert game.ask().asked_at
    game.pass_time(5.0)
    assert len(game.upstreams.calls[1]) == 1


@pytest.mark.parametrize(
    "bad",
    [
        Fate("status", 0.001, 503, {b"retry-after": b"30"}),
        Fate("status", 0.001, 503),
        Fate("status", 0.001, 429, {b"retry-after": b"30"}),
        Fate("refuse"),
    ],
    ids=["503 retry-after", "503", "429", "refused"],
)
def test_a_fallback_is_immediate(bad: Fate) -> None:
    """No wait stands between an overloaded target's answer and the next target's request."""
    game = Game([always(bad), always(Fate(delay_s=0.0))])
    client = game.ask()
    game.pass_time(1.0)
    assert client.served
    assert client.took_s < 0.01


def hedge(after_s: float | None) -> Callable[[list[PolicyNode]], PolicyNode]:
    """A policy that hedges its targets."""

    def policy(nodes: list[PolicyNode]) -> PolicyNode:
        return HedgeNode(tuple(nodes), after_s, 0.95, 100.0)

    return policy


def test_the_first_answer_wins_and_both_are_paid() -> None:
    """The slow one is let go, and the ledger has what both cost."""
    game = Game([always(Fate(delay_s=3.0)), always(Fate(delay_s=0.2))], policy=hedge(0.5))
    client = game.ask()
    game.pass_time(10.0)
    assert client.took_s == pytest.approx(0.7, abs=0.05)
    (settled,) = game.exchanges
    by_target = {each.target: each for each in settled.attempts}
    assert (by_target["t0"].outcome, by_target["t0"].cause) == ("cancelled", "not_needed")
    assert by_target["t1"].outcome == "ok"
    assert settled.notes["hedged"] == "beside t0"
    assert by_target["t0"].cost_nanousd
    assert by_target["t1"].cost_nanousd


def test_the_first_may_still_win() -> None:
    """A hedge that is slower than what it hedges changes nothing but the bill."""
    game = Game([always(Fate(delay_s=0.8)), always(Fate(delay_s=5.0))], policy=hedge(0.5))
    client = game.ask()
    game.pass_time(10.0)
    assert client.took_s == pytest.approx(0.8, abs=0.05)
    assert {each.target: each.outcome for each in game.exchanges[0].attempts} == {"t0": "ok", "t1": "cancelled"}


def test_a_quick_answer_is_not_hedged() -> None:
    """Nothing is started beside an answer that comes in time."""
    game = Game([always(Fate(delay_s=0.3)), well], policy=hedge(0.5))
    game.ask()
    game.pass_time(5.0)
    assert not game.upstreams.calls[1]


def test_a_failure_falls_back_without_a_hedge() -> None:
    """A hedge node is a fallback, too."""
    game = Game([always(Fate("status", 0.01, 503)), well, well], policy=hedge(5.0))
    client = game.ask()
    game.pass_time(5.0)
    assert client.served
    assert client.took_s < 0.5


def test_where_both_fail_the_third_is_tried() -> None:
    """Two attempts side by side that both fail leave the other children."""
    bad = always(Fate("status", 1.0, 503))
    game = Game([bad, bad, well], policy=hedge(0.5))
    client = game.ask()
    game.pass_time(10.0)
    assert client.served


def test_a_client_that_hangs_up_stops_both() -> None:
    """Neither upstream goes on for nobody."""
    game = Game([always(Fate(delay_s=3.0)), always(Fate(delay_s=3.0))], policy=hedge(0.5))
    client = game.ask()
    game.pass_time(1.0)
    assert client.listener is not None
    client.listener.client_gone()
    game.pass_time(10.0)
    (settled,) = game.exchanges
    assert settled.outcome == "cancelled"
    assert len(settled.attempts) == 2
    assert not game.context.attempts


def test_hedges_keep_to_their_share() -> None:
    """Of a thousand requests of which each would be hedged, five per cent are, and one to begin with."""
    share = HedgeShare()
    hedges = 0
    for _ in range(1000):
        share.first(5.0)
        hedges += share.allow()
    assert hedges in {50, 51}


def test_timeouts_of_streams_fall_back() -> None:
    """A stream without a first event in time is gone on with at the next target."""
    times = Timeouts(connect_s=1, first_event_s=1, idle_s=5, total_s=20)
    game = Game([always(Fate("hang")), well], timeouts=times, stream=True)
    client = game.ask()
    game.pass_time(5.0)
    assert client.served
    assert client.took_s < 1.6
