"""One simulator and gateways in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

KEY = "sk-test-gateway"
CONFIG = """
version: 1
providers:
  sim: {kind: simulator}
keys:
  - {name: dev, secret: sk-test-gateway, org: acme, team: research, direct: true}
"""


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    """A simulator on a free port."""
    with SimulatorThread() as running:
        yield running


@pytest.fixture
def gateway(simulator: SimulatorThread) -> Iterator[GatewayThread]:
    """A gateway with one key in front of the simulator."""
    with GatewayThread(CONFIG, urls={"simulator": simulator.url + "/v1"}) as running:
        yield running
