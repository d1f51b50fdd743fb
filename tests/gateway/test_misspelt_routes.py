"""A slip in a route's name is told, although some provider could be asked for anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.core.price import rate_card
from penstock.core.price_book import Clause, DatedCard, ModelPrices, PriceBook, ProviderPrices
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask

CONFIG = """
version: 1
providers:
  openai: {{kind: openai, base_url: "{url}/v1", api_key: sk-vendor-0123456789}}
routes:
  support: {{policy: openai/echo}}
  supper-club: {{policy: openai/echo}}
  qwen3-4b: {{policy: openai/echo}}
  secret-project: {{policy: openai/echo}}
deployments:
  sonnet: {{provider: openai, model: echo}}
defaults: {{on_unknown_price: flag}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, direct: true, routes: [support, supper-club, qwen3-4b]}}
"""
BOOK = PriceBook(
    "test",
    {
        "openai": ProviderPrices(
            r"http://127\.0\.0\.1",
            (ModelPrices("sonett", Clause("equals", "sonett"), (DatedCard(rate_card("v", {"input": 1})),)),),
        )
    },
)


@pytest.fixture
def gateway(simulator: SimulatorThread) -> Iterator[GatewayThread]:
    """One provider, some routes, and a key that may name models directly."""
    with GatewayThread(CONFIG.format(url=simulator.url), prices=BOOK) as running:
        yield running


@pytest.mark.parametrize(
    "name", ["suport", "Support", "supports", "penstock/suport", "support/suport", "sonett1"]
)
def test_a_slip_names_what_was_meant(gateway: GatewayThread, simulator: SimulatorThread, name: str) -> None:
    """The answer is 404 with the nearest names, and the vendor hears nothing."""
    told = ask(gateway.url, name if name != "sonett1" else "sonnett")
    assert (told.status, told.code) == (404, "unknown_model")
    meant = "sonnet" if name == "sonett1" else "support"
    assert f"nearest names are: {meant}" in told.body["error"]["message"]
    assert "openai" in told.body["error"]["message"]
    assert simulator.counts.total == 0


@pytest.mark.parametrize("name", ["echo", "tokens-3", "qwen3-8b", "secret-projekt", "openai/suport"])
def test_what_is_the_vendors_passes(gateway: GatewayThread, simulator: SimulatorThread, name: str) -> None:
    """Other words, other numbers, names near routes that are none of the key's business, and full names."""
    ask(gateway.url, name)
    assert simulator.counts.total == 1


def test_a_name_that_the_catalogue_lists_passes(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """However near it is to a name of ours."""
    ask(gateway.url, "sonett")
    assert simulator.counts.total == 1
