"""The outage game, played in virtual time: what clients see while upstreams fail in every way that they do."""

from __future__ import annotations

import random

import pytest

from penstock.core.plan import Timeouts
from penstock.core.policy import HedgeNode, PolicyNode
from tests.routing.game import Fate, Game, Script, well

# The game begins at 1,000 seconds of virtual time.
BEGIN = 1_000.0
QUICK = Timeouts(connect_s=1, first_event_s=2, idle_s=2, total_s=10)


def during(start: float, end: float, bad: Script) -> Script:
    """A target that is well, but for one span of seconds after the beginning."""

    def script(now: float, draw: random.Random) -> Fate:
        return bad(now, draw) if start <= now - BEGIN < end else well(now, draw)

    return script


def down(_: float, draw: random.Random) -> Fate:
    """503 at once."""
    return Fate("status", draw.uniform(0.005, 0.02), 503)


def refusing(_: float, draw: random.Random) -> Fate:
    """Nobody listens."""
    del draw
    return Fate("refuse")


def storm(_: float, draw: random.Random) -> Fate:
    """429 with a Retry-After, to nine of ten."""
    if draw.random() < 0.1:
        return Fate(delay_s=0.2)
    return Fate("status", 0.01, 429, {b"retry-after": b"2"})


def garbage(_: float, draw: random.Random) -> Fate:
    """200 with nonsense."""
    return Fate("garbage", draw.uniform(0.05, 0.1))


def half_broken(_: float, draw: random.Random) -> Fate:
    """Every second answer breaks off."""
    return Fate("cut" if draw.random() < 0.5 else "ok", 0.1)


def failing(_: float, draw: random.Random) -> Fate:
    """A third is answered with 500."""
    return Fate("status", 0.05, 500) if draw.random() < 0.34 else Fate(delay_s=0.2)


BAD: dict[str, Script] = {
    "503": down,
    "refused": refusing,
    "429": storm,
    "garbage": garbage,
    "half-broken": half_broken,
    "500s": failing,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_one_bad_target_is_hardly_noticed(bad: Script) -> None:
    """With the first of three targets bad for a minute: 99.9 % served, a fifth more calls at most."""
    game = Game([during(10, 70, bad), well, well])
    game.play(90)
    assert game.success() >= 0.999
    assert game.extra_load() <= 0.20
    assert game.p99_s() <= 2.0


def test_two_bad_targets_leave_one(recwarn: pytest.WarningsRecorder) -> None:
    """Outages that overlap: while one target is healthy, clients are served."""
    game = Game([during(10, 60, down), during(30, 80, refusing), well])
    game.play(100)
    assert game.success() >= 0.999
    assert game.extra_load() <= 0.20
    assert not recwarn.list


def test_the_whole_game() -> None:
    """Everything one after the other and at the same time, as `bench/outage.py` plays it with real sockets."""
    first = [(10, 30, down), (60, 80, storm), (110, 130, garbage), (150, 170, half_broken)]
    second = [(20, 45, refusing), (75, 100, failing), (160, 180, down)]

    def scripted(spans: list[tuple[int, int, Script]]) -> Script:
        def script(now: float, draw: random.Random) -> Fate:
            for start, end, bad in spans:
                if start <= now - BEGIN < end:
                    return bad(now, draw)
            return well(now, draw)

        return script

    game = Game([scripted(first), scripted(second), well])
    game.play(200)
    assert game.success() >= 0.999
    assert game.extra_load() <= 0.20
    assert game.p99_s() <= 2.0


def test_streams_that_break_are_gone_on_with() -> None:
    """Half of two targets' streams break after their first words: with `on_break: resume` nobody notices."""
    game = Game(
        [during(10, 60, half_broken), during(30, 80, half_broken), well],
        stream=True,
        resumes=True,
        timeouts=QUICK,
    )
    game.play(100)
    assert game.success() >= 0.999
    assert game.extra_load() <= 0.20
    assert sum("resumed" in each.notes for each in game.exchanges) >= 4


def test_traffic_comes_back_within_one_probe_interval() -> None:
    """After an outage the first target has its traffic again before its longest open time is over."""
    game = Game([during(10, 70, down), well, well])
    game.play(110)
    after = [at - BEGIN for at in game.upstreams.calls[0] if at - BEGIN >= 70]
    first_back = after[0] - 70
    assert first_back <= 10.0
    # From then on it gets everything again: 20 requests a second.
    assert sum(first_back + 71 <= at < first_back + 76 for at in after) >= 60


def test_an_outage_of_all_is_not_multiplied() -> None:
    """With everything down each request is tried about once, not once per target and retry."""
    game = Game([during(10, 70, down), during(10, 70, down), during(10, 70, down)])
    game.play(90)
    out = [at for calls in game.upstreams.calls for at in calls if 15 <= at - BEGIN < 65]
    asked = [client for client in game.clients if 15 <= client.asked_at - BEGIN < 65]
    assert len(out) <= 1.2 * len(asked)
    back = [client for client in game.clients if client.asked_at - BEGIN >= 70]
    assert sum(client.served for client in back) >= 0.99 * len(back)


def hedged(nodes: list[PolicyNode]) -> HedgeNode:
    """The three targets under a hedge at p95."""
    return HedgeNode(tuple(nodes), None, 0.95, 5.0)


def test_a_brown_out_is_hedged_and_then_left() -> None:
    """Every answer takes twenty times as long: hedges save the first ones, then the target is left as slow."""

    def slow(_: float, draw: random.Random) -> Fate:
        return Fate(delay_s=20 * draw.uniform(0.1, 0.3))

    game = Game([during(20, 80, slow), well, well], policy=hedged)
    game.play(100)
    assert game.success() >= 0.999
    assert game.extra_load() <= 0.20
    assert game.p99_s() <= 2.0


def test_a_tail_is_cut() -> None:
    """One answer of fifty takes twenty times as long: with the hedge the 99th percentile is as without them."""

    def tail(_: float, draw: random.Random) -> Fate:
        usual = draw.uniform(0.1, 0.3)
        return Fate(delay_s=20 * usual if draw.random() < 0.02 else usual)

    game = Game([tail, well, well], policy=hedged)
    game.play(100)
    assert game.p99_s() <= 0.7
    assert game.extra_load() <= 0.06


def test_unstreamed_requests_do_not_hang_with_their_target() -> None:
    """Without any timeout or hedge, those that hang are taken to the next target within seconds."""

    def hang(_: float, draw: random.Random) -> Fate:
        del draw
        return Fate("hang")

    game = Game([during(10, 70, hang), well, well])
    game.play(90)
    assert game.success() >= 0.999
    assert max(client.took_s for client in game.clients) <= 5.0
    assert game.extra_load() <= 0.20


def test_hanging_targets_are_left() -> None:
    """A target that takes requests and never answers is left although nothing has failed yet."""

    def hang(_: float, draw: random.Random) -> Fate:
        del draw
        return Fate("hang")

    game = Game([during(10, 70, hang), well, well], timeouts=QUICK, stream=True)
    game.play(90)
    assert game.success() >= 0.999
    assert game.extra_load() <= 0.20
