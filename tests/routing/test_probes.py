"""Requests of our own, where the configuration asks for them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from penstock.core.health import CLOSED, OPEN
from penstock.core.health_rules import HealthRule, Place, ProbeRule
from penstock.core.plan import Plan
from tests.routing.game import Fate, Game, well


def probed(*, asks: bool) -> Callable[[Plan], Plan]:
    """Probes of the first target every five seconds."""
    rule = HealthRule(probe=ProbeRule(5.0, asks, 3.0), open_s=60.0, max_open_s=60.0)
    return lambda plan: replace(plan, places={"t0": Place("p0", "", rule)})


def test_nobody_is_probed_by_default() -> None:
    """Without a word in the configuration nothing is ever sent that no client asked for."""
    game = Game([well])
    game.pass_time(120.0)
    assert game.calls == 0


def test_a_probe_is_accounted() -> None:
    """A probe that asks the model has its row, with its purpose and its cost, on nobody's key."""
    game = Game([well], change=probed(asks=True))
    game.pass_time(12.0)
    (first, *_) = game.exchanges
    assert (first.request.purpose, first.subject.key, first.outcome) == ("probe", "penstock:probe", "ok")
    assert first.attempts[0].cost_nanousd
    assert len(game.exchanges) == len(game.upstreams.calls[0]) == 2


def test_a_target_in_use_is_not_probed() -> None:
    """Clients' own requests say enough."""
    game = Game([well], change=probed(asks=True))
    for _ in range(20):
        game.ask()
        game.pass_time(1.0)
    assert game.calls == 20


def test_a_probe_brings_a_target_back() -> None:
    """A target that is left alone for a minute is found well by a probe, before any client has to try."""
    game = Game([well], change=probed(asks=True))
    breaker = game.context.standings.of("t0").breaker
    breaker.open(game.clock.monotonic(), 60.0, "breaker open: overload")
    game.pass_time(6.0)
    assert breaker.state == CLOSED


def test_connecting_costs_nothing_and_finds_who_cannot_be_reached() -> None:
    """Refused connections open the breaker, the first one that stands closes it; the ledger has no row."""

    def away(now: float, draw: random.Random) -> Fate:
        return Fate("refuse") if now < 1_040.0 else well(now, draw)

    game = Game([away], change=probed(asks=False))
    game.pass_time(30.0)
    breaker = game.context.standings.of("t0").breaker
    assert breaker.state == OPEN
    assert breaker.reason == "breaker open: unreachable"
    game.pass_time(20.0)
    assert breaker.state == CLOSED
    assert not game.exchanges


def test_a_connection_alone_does_not_bring_back_what_fails() -> None:
    """That an address answers does not mean that its model does."""
    game = Game([well], change=probed(asks=False))
    breaker = game.context.standings.of("t0").breaker
    breaker.open(game.clock.monotonic(), 60.0, "breaker open: overload")
    game.pass_time(20.0)
    assert breaker.state == OPEN
