"""Throttles as the gateway holds them: whom they bind, for how long, and what they are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.pipeline.usage import usage_body
from penstock.testing.clock import VirtualClock
from tests.fairness.world import World

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "http://127.0.0.1:1/v1"}}
deployments:
  dear: {{provider: up, model: m, price: {{request: 0.01}}}}
  cheap: {{provider: up, model: c, price: {{request: 0.001}}}}
orgs: {{acme: {{throttles: {{slow: {{{whom}, until: "{until}", why: "spent a lot"{more}}}}}}}, beta: {{}}}}
routes: {{chat: {{policy: dear}}, economy: {{policy: cheap}}}}
keys:
  - {{name: jane, secret: sk-jane, org: acme, user: jane, routes: [chat]}}
  - {{name: shared, secret: sk-shared, org: acme, routes: [chat]}}
  - {{name: other, secret: sk-other, org: beta, user: jane, routes: [chat]}}
"""


def world(whom: str = "user: jane", more: str = ", limits: {rpm: 2}", for_s: int = 600) -> World:
    """A throttle in acme that is over after so many seconds."""
    until = datetime.fromtimestamp(VirtualClock().now_ms() / 1000 + for_s, UTC).isoformat()
    return World(CONFIG.format(whom=whom, until=until, more=more), lambda: 0.1)


def codes(house: World, key: str, count: int = 4) -> list[str]:
    """What so many requests of a key come to, one after the other."""
    found: list[str] = []
    for _ in range(count):
        asked = house.ask(key)
        house.clock.advance(1.0)
        found.append(asked.code)
    return found


def test_a_throttled_user_is_bound_and_nobody_else() -> None:
    """By its own key; neither colleagues nor a user of the same name elsewhere."""
    house = world()
    assert codes(house, "jane") == ["", "", "rate_limited", "rate_limited"]
    assert codes(house, "shared") == codes(house, "other") == [""] * 4


def test_a_user_is_bound_whichever_key_names_it() -> None:
    """A shared key whose requests say whom they are for counts on the same throttle."""
    house = world()
    assert codes(house, "jane", 2) == ["", ""]
    asked = house.ask("shared", metadata={"user": "jane"})
    house.clock.advance(1.0)
    assert asked.code == "rate_limited"
    assert b"the throttle slow binds" in asked.body


@pytest.mark.parametrize(("whom", "bound"), [("key: shared", True), ("key: other", False)])
def test_a_key_is_bound_by_its_own_organisation_only(whom: str, bound: bool) -> None:
    """Naming another organisation's key binds nobody."""
    house = world(whom)
    key = "shared" if bound else "other"
    assert codes(house, key) == (["", "", "rate_limited", "rate_limited"] if bound else [""] * 4)


def test_it_ends_at_its_moment() -> None:
    """Without anybody doing anything."""
    house = world(for_s=30)
    assert codes(house, "jane") == ["", "", "rate_limited", "rate_limited"]
    house.clock.advance(30.0)
    assert codes(house, "jane") == [""] * 4


def test_it_may_send_requests_elsewhere() -> None:
    """With `downgrade` every request is served by the other route meanwhile, and none after it."""
    house = world(more=", downgrade: economy", for_s=30)
    assert codes(house, "jane") == [""] * 4
    settled = house.settled()
    assert [each.request.route for each in settled] == ["economy"] * 4
    house.clock.advance(30.0)
    codes(house, "jane", 1)
    assert house.settled()[-1].request.route == "chat"


def test_usage_tells_who_is_throttled_why_and_until_when() -> None:
    """With what is left of it; others are told of no throttle."""
    house = world()
    codes(house, "jane", 1)
    told: dict[str, Any] = {}
    for key in ("jane", "shared"):
        (found,) = [each for each in house.context.plan.keys.values() if each.id == key]
        clock = house.clock
        body = usage_body(house.context.accounts, house.context.plan, found, clock.monotonic(), clock.now_ms())
        told[key] = json.loads(body)
    (throttle,) = told["jane"]["throttles"]
    assert (throttle["name"], throttle["why"]) == ("slow", "spent a lot")
    accounts = {each["account"]: each for each in told["jane"]["accounts"]}
    assert accounts["throttle:acme/slow"]["limits"][0]["left"] == 1
    assert told["shared"]["throttles"] == []
