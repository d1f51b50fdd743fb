"""Hedged requests as the ledger sees them: both attempts, each with what it cost."""

from __future__ import annotations

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  slow: {{provider: up, model: slow-500ms, price: {{input: 1, output: 2}}}}
  quick: {{provider: up, model: echo, price: {{input: 1, output: 2}}}}
routes:
  race: {{policy: {{hedge: {{of: [slow, quick], after: 0.02}}}}}}
keys:
  - {{name: dev, secret: sk-test-gateway}}
"""


def test_the_loser_is_let_go_and_charged_and_time_counts_once(simulator: SimulatorThread) -> None:
    """The answer is the quick one's; waiting for two upstreams at once is no overhead below zero."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as running:
        assert ask(running.url, "race").status == 200
        (row,) = running.exchanges(1)
    loser, winner = row.attempts
    assert (loser.target, loser.outcome, loser.cause) == ("slow", "cancelled", "not_needed")
    assert (winner.target, winner.outcome) == ("quick", "ok")
    assert loser.cost_nanousd
    assert loser.usage_source == "estimated"
    assert row.total_us > row.overhead_us > 0
    assert row.total_us - row.overhead_us >= loser.total_us
    assert row.notes == {"hedged": "beside slow", "stage": "hedge[1]"}, "a race is no fallback"
