"""Multi-region failover: a region or a provider that is gone is left as one, not target by target."""

from __future__ import annotations

import socket

from penstock.routing.standings_told import told
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask

FACTS = "source: contract, verified: 2026-05-01"
CONFIG = """
version: 1
providers:
  eu: {{kind: openai, base_url: "http://127.0.0.1:{dead}/v1", facts: {{region: eu-west-1, {facts}}}}}
  us: {{kind: openai, base_url: "{url}/v1", facts: {{region: us-east-1, {facts}}}}}
routes:
  chat: {{policy: {{fallback: [eu/a, eu/b, eu/c, us/echo]}}, retry: {{attempts: 1}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
"""


def test_a_region_that_is_gone_is_left_as_one(simulator: SimulatorThread) -> None:
    """Once connections do not stand, the other models there are not tried; the other region answers at once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        dead = taken.getsockname()[1]
        with GatewayThread(CONFIG.format(url=simulator.url, dead=dead, facts=FACTS)) as gateway:
            answers = [ask(gateway.url, "chat") for _ in range(6)]
            rows = gateway.exchanges(6)
            context = gateway.context
            said = gateway.call(lambda: told(context.standings, context.clock.monotonic()))
    assert {answer.headers["x-penstock-target"] for answer in answers} == {"us/echo"}
    attempts = [[attempt.target for attempt in row.attempts] for row in rows]
    assert attempts[2:] == [["us/echo"]] * 4
    assert sum(len(each) - 1 for each in attempts) == 5, "no model there has five failures of its own"
    groups = {group["id"]: group["open"] for group in said["groups"]}  # type: ignore[attr-defined]
    assert groups == {"eu": False, "eu@eu-west-1": False, "us": True, "us@us-east-1": True}
