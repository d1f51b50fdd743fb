"""A simulator for each test, and the official SDK pointed at it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import openai
import pytest

from penstock.testing.simulator import SimulatorThread


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    """A running simulator with the usual settings."""
    with SimulatorThread() as running:
        yield running


@pytest.fixture
def client(simulator: SimulatorThread) -> Iterator[openai.OpenAI]:
    """The SDK, without retries, so that each call is one request."""
    with openai.OpenAI(base_url=f"{simulator.url}/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


@pytest.fixture
def dial(simulator: SimulatorThread) -> Iterator[Callable[[], socket.socket]]:
    """Opens plain connections to the simulator and closes them at the end."""
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", simulator.port), timeout=30))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()
