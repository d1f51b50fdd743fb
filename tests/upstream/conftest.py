"""A simulator that misbehaves on demand, and a gateway with routes of every shape in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

CONFIG = """
version: 1
providers:
  sim: {kind: simulator}
  dead: {kind: openai, base_url: "http://127.0.0.1:9/v1"}
deployments:
  a: {provider: sim, model: first+tokens-40}
  b: {provider: sim, model: second+tokens-40}
  c: {provider: dead, model: nobody, price: {input: 1, output: 2}}
routes:
  one: {policy: a, retry: {attempts: 1}}
  two: {policy: {fallback: [a, b]}, retry: {attempts: 1}}
  again: {policy: a, retry: {attempts: 3, backoff_s: 0.001}}
  patient: {policy: a, retry: {attempts: 2, backoff_s: 0.001, max_backoff_s: 2}}
  hasty:
    {policy: a, retry: {attempts: 1}, timeouts: {connect_s: 1, first_event_s: 0.3, idle_s: 0.3, total_s: 1}}
  hurried: {policy: {fallback: [a, b]}, retry: {attempts: 1}, timeouts: {first_event_s: 0.3, idle_s: 5}}
  nobody: {policy: c, retry: {attempts: 1}}
  reached: {policy: {fallback: [c, a]}, retry: {attempts: 1}}
  sorry: {policy: {fallback: [a, {static: "Please call again."}]}, retry: {attempts: 1}}
  mostly: {policy: {weighted: [{use: a, weight: 9}, {use: b, weight: 1}]}, retry: {attempts: 1}}
keys:
  - {name: dev, secret: sk-test-gateway, direct: true, budget: {usd: 100, window: month}}
"""


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    """A simulator without a script."""
    with SimulatorThread() as running:
        yield running


@pytest.fixture
def gateway(simulator: SimulatorThread) -> Iterator[GatewayThread]:
    """A gateway in front of it."""
    with GatewayThread(CONFIG, urls={"simulator": simulator.url + "/v1"}) as running:
        yield running
