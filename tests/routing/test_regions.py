"""A region that goes down: its targets are left together, another region answers, and shares show it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from penstock.adapters.ledger.reading import CostLine
from penstock.cli.route_ledger import shared
from penstock.routing.standings_told import told
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask
from tests.service.service import free_port

CONFIG = """
version: 1
providers:
  eu: {{kind: openai, base_url: "http://127.0.0.1:{dead}/v1",
        facts: {{region: eu-central-1, source: contract, verified: 2026-05-01}}}}
  us: {{kind: openai, base_url: "{url}/v1",
        facts: {{region: us-east-1, source: contract, verified: 2026-05-01}}}}
deployments:
  eu-large: {{provider: eu, model: echo, price: {{request: 0.01}}}}
  eu-small: {{provider: eu, model: echo, price: {{request: 0.01}}}}
  us-large: {{provider: us, model: echo, price: {{request: 0.02}}}}
routes: {{pay: {{policy: {{fallback: [eu-large, eu-small, us-large]}}, retry: {{attempts: 1}}}}}}
keys: [{{name: dev, secret: sk-test-gateway, org: acme}}]
"""


def test_another_region_answers_and_the_dead_one_is_left_alone_as_a_whole() -> None:
    """Every request is answered; once the region is known to be down, none of its targets is tried."""
    with (
        SimulatorThread() as simulator,
        GatewayThread(CONFIG.format(url=simulator.url, dead=free_port())) as running,
    ):
        for _ in range(60):
            assert ask(running.url, "pay").status == 200
        rows = running.exchanges(60)
        ctx = running.context
        standing: dict[str, Any] = running.call(lambda: told(ctx.standings, ctx.clock.monotonic()))
    late = Counter(len(row.attempts) for row in rows[-20:])
    assert {row.attempts[-1].target for row in rows} == {"us-large"}
    assert late == {1: 20}
    assert {each["kind"] for each in standing["groups"] if each["reason"]} >= {"provider"}
    lines = [CostLine({"route": "pay", "target": "us-large"}, 60, 0, 1, 1, 1_200_000_000, 0, 0)]
    (share,) = shared(lines, {"us-large": "us"}, "pay")
    assert (share.provider, share.requests_share, share.cost_share) == ("us", 1.0, 1.0)
