"""What the ledger is told of an answer that came from another target than the policy wanted."""

from __future__ import annotations

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
routes:
  chat: {{policy: {{fallback: [up/error-503, up/echo]}}, retry: {{attempts: 1}}}}
  good: {{policy: {{fallback: [up/echo, up/error-503]}}}}
keys:
  - {{name: dev, secret: sk-test-gateway}}
"""


def test_a_fallback_is_noted_also_where_the_first_target_is_not_even_tried(simulator: SimulatorThread) -> None:
    """First it fails, later its breaker is open: both are answers from elsewhere. Others have no note."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as running:
        for _ in range(8):
            assert ask(running.url, "chat").status == 200
        assert ask(running.url, "good").status == 200
        *fell_back, good = running.exchanges(9)
    assert {len(each.attempts) for each in fell_back} == {1, 2}
    assert [each.notes["fallback_from"] for each in fell_back] == ["up/error-503"] * 8
    assert "fallback_from" not in good.notes
