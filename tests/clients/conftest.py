"""One simulator, one model server and one gateway in front of both, for all tests of clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from openai import OpenAI

from penstock.core.exchange import ExchangeSettled
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.clients.llama import KEY as LLAMA_KEY
from tests.clients.llama import LlamaServer
from tests.clients.needed import needed
from tests.clients.vendors.city import CONFIG as CITY_CONFIG
from tests.clients.vendors.city import reply
from tests.translation.upstream import CannedUpstream

KEY = "sk-test-gateway"
CONFIG = """
version: 1
providers:
  sim: {kind: simulator}
  llama: {kind: openai, base_url: "LLAMA_URL/v1", api_key: LLAMA_KEY}
  dead: {kind: openai, base_url: "http://127.0.0.1:9/v1"}
routes:
  chat: {policy: sim/echo}
keys:
  - {name: dev, secret: sk-test-gateway, org: acme, team: research, direct: true}
  - {name: narrow, secret: sk-test-narrow, routes: [chat]}
  - {name: poor, secret: sk-test-poor, direct: true, budget: {usd: 0.000001, window: month}}
  - {name: slow, secret: sk-test-slow, direct: true, limits: {rpm: 1}}
"""


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorThread]:
    """A simulator for the whole run."""
    with SimulatorThread() as running:
        yield running


@pytest.fixture(scope="session")
def llama() -> Iterator[LlamaServer]:
    """A real model server for the whole run."""
    with LlamaServer(needed("llama")) as running:
        yield running


def _config(llama_url: str) -> str:
    return CONFIG.replace("LLAMA_URL", llama_url).replace("LLAMA_KEY", LLAMA_KEY)


@pytest.fixture(scope="session")
def gateway(simulator: SimulatorThread) -> Iterator[GatewayThread]:
    """A gateway in front of the simulator."""
    config = _config("http://127.0.0.1:9")
    with GatewayThread(config, urls={"simulator": simulator.url + "/v1"}) as running:
        yield running


@pytest.fixture(scope="session")
def llama_gateway(simulator: SimulatorThread, llama: LlamaServer) -> Iterator[GatewayThread]:
    """A gateway in front of the model server, and of the simulator."""
    with GatewayThread(_config(llama.url), urls={"simulator": simulator.url + "/v1"}) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., OpenAI]]:
    """Makes SDK clients, without retries of their own unless told, and closes them."""
    with ExitStack() as stack:

        def make(url: str, key: str = KEY, max_retries: int = 0) -> OpenAI:
            sdk = OpenAI(base_url=url + "/v1", api_key=key, max_retries=max_retries, timeout=60)
            return stack.enter_context(sdk)

        yield make


@pytest.fixture
def client(gateway: GatewayThread, connect: Callable[..., OpenAI]) -> OpenAI:
    """The unmodified SDK, through the gateway to the simulator."""
    return connect(gateway.url)


@pytest.fixture
def llama_client(llama_gateway: GatewayThread, connect: Callable[..., OpenAI]) -> OpenAI:
    """The unmodified SDK, through the gateway to the model server."""
    return connect(llama_gateway.url)


@pytest.fixture
def settled() -> Callable[[GatewayThread, str], ExchangeSettled]:
    """Finds the settled exchange of a request by its id."""

    def find(gateway: GatewayThread, request_id: str) -> ExchangeSettled:
        count = 1
        while True:
            found = gateway.exchanges(count)
            for exchange in found:
                if exchange.request.request_id == request_id:
                    return exchange
            count = len(found) + 1

    return find


@pytest.fixture(scope="session")
def city() -> Iterator[CannedUpstream]:
    """Scripted vendors of every API."""
    with CannedUpstream(reply) as running:
        yield running


@pytest.fixture(scope="session")
def city_gateway(simulator: SimulatorThread, city: CannedUpstream) -> Iterator[GatewayThread]:
    """A gateway in front of the scripted vendors, and of the simulator."""
    config = CITY_CONFIG.replace("CITY", city.url)
    with GatewayThread(config, urls={"simulator": simulator.url + "/v1"}) as running:
        yield running
