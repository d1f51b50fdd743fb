"""Rates of a deployment: what is beyond them queues fairly, bounded in number and time."""

from __future__ import annotations

import pytest

from tests.fairness.world import Asked, World

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "http://127.0.0.1:1/v1"}}
deployments:
  model: {{provider: up, model: m, price: {{request: 0.01}}, limits: {limits}{queue}}}
orgs: {{loud: {{}}, calm: {{}}}}
routes:
  chat: {{policy: model}}
  urgent: {{policy: model, priority: high}}
keys:
  - {{name: loud, secret: sk-loud, org: loud, routes: [chat, urgent]}}
  - {{name: calm, secret: sk-calm, org: calm, routes: [chat, urgent]}}
"""
TEN_A_SECOND = "{rates: [{unit: requests, per: second, limit: 10}]}"


def world(limits: str = TEN_A_SECOND, queue: str = "") -> World:
    """A deployment with these limits, answering after a tenth of a second."""
    return World(CONFIG.format(limits=limits, queue=queue), lambda: 0.1)


def most_in_a_second(began: list[float]) -> int:
    """The most calls in any half-open second."""
    return max(sum(1 for other in began if at <= other < at + 1.0) for at in began)


def told(asked: list[Asked]) -> list[tuple[int, str]]:
    """Status and code of each."""
    return [(each.status, each.code) for each in asked]


def test_what_is_beyond_the_rate_waits_and_is_served() -> None:
    """Thirty at once at ten a second: all are answered, and at no instant more than ten were sent."""
    house = world()
    asked = [house.ask("loud") for _ in range(30)]
    house.clock.advance(5.0)
    assert told(asked) == [(200, "")] * 30
    assert most_in_a_second(house.transport.began) == 10
    assert max(each.took_s for each in asked) == pytest.approx(2.1, abs=0.1)


def test_the_queue_is_bounded_and_the_refusal_honest() -> None:
    """Who does not fit gets 429 at once, with the time that the queue takes: a try after it is served."""
    house = world(queue=", queue: {size: 20}")
    asked = [house.ask("loud") for _ in range(40)]
    house.clock.run_soon()
    refused = [each for each in asked if each.status]
    assert told(refused) == [(429, "deployment_busy")] * 10
    wait_s = refused[0].retry_after_s
    assert wait_s == 3
    house.clock.advance(float(wait_s))
    again = house.ask("loud")
    house.clock.advance(0.2)
    assert again.status == 200
    assert sum(each.status == 200 for each in asked) == 30


def test_waiting_ends_with_the_patience_of_the_queue() -> None:
    """Who has waited as long as the queue may last gets 429 then, not later."""
    house = world(queue=", queue: {wait_s: 1.5}")
    asked = [house.ask("loud") for _ in range(30)]
    house.clock.advance(10.0)
    assert sum(each.status == 200 for each in asked) == 20
    late = [each for each in asked if each.status != 200]
    assert told(late) == [(429, "deployment_busy")] * 10
    assert {round(each.took_s, 3) for each in late} == {1.5}


def test_what_cannot_come_in_time_is_refused_at_once() -> None:
    """A minute's rate that is used up has room in a minute: nobody waits half of it for nothing."""
    house = world("{rpm: 5}")
    asked = [house.ask("loud") for _ in range(6)]
    house.clock.advance(1.0)
    assert told(asked[:5]) == [(200, "")] * 5
    assert (asked[5].status, asked[5].code, asked[5].took_s) == (429, "deployment_busy", 0.0)
    assert asked[5].retry_after_s == 60


def test_a_rate_is_shared_fairly_between_organisations() -> None:
    """Somebody who comes once is served with the next room, however many of another one wait."""
    house = world()
    asked = [house.ask("loud") for _ in range(200)]
    house.clock.advance(2.5)
    calm = house.ask("calm")
    house.clock.advance(1.0)
    assert calm.status == 200
    assert calm.took_s < 0.8
    assert sum(each.done_at is None for each in asked) > 100


def test_priorities_hold_for_rates() -> None:
    """What is urgent overtakes what came before it."""
    house = world()
    normal = [house.ask("loud") for _ in range(60)]
    urgent = [house.ask("loud", "urgent") for _ in range(10)]
    house.clock.advance(2.2)
    assert sum(each.status == 200 for each in urgent) >= 9
    assert sum(each.status == 200 for each in normal) <= 31


def test_tokens_queue_too_and_what_was_not_used_comes_back() -> None:
    """A request holds what it is likely to take of a second's tokens; the rest is free when it is answered."""
    house = world("{rates: [{unit: tokens, per: second, limit: 40}]}")
    asked = [house.ask("loud", max_tokens=1) for _ in range(20)]
    house.clock.advance(20.0)
    assert told(asked) == [(200, "")] * 20
    too_long = house.ask("loud", messages=[{"role": "user", "content": "x" * 2000}])
    house.clock.advance(0.1)
    assert (too_long.status, too_long.code) == (429, "deployment_busy")


def test_rates_and_slots_share_one_queue() -> None:
    """A deployment with both never exceeds either, and loses nobody between the two."""
    house = world("{concurrency: 1, rates: [{unit: requests, per: second, limit: 4}]}")
    asked = [house.ask("loud") for _ in range(12)]
    house.clock.advance(10.0)
    assert told(asked) == [(200, "")] * 12
    assert most_in_a_second(house.transport.began) <= 4
    gaps = [b - a for a, b in zip(house.transport.began, house.transport.began[1:], strict=False)]
    assert min(gaps) >= 0.1 - 1e-9


def test_a_client_who_hangs_up_leaves_the_queue() -> None:
    """The next one goes on in its place, and nothing stays held."""
    house = world()
    asked = [house.ask("loud") for _ in range(25)]
    house.clock.advance(0.5)
    for each in asked[10:20]:
        each.hang_up()
    house.clock.advance(0.7)
    assert told(asked[20:]) == [(200, "")] * 5
    assert len(house.transport.began) == 15
