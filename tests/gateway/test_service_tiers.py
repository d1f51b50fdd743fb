"""A vendor's service tier: what is asked for is reserved, what the answer names is billed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.core.exchange import AttemptFacts, AttemptOpened, Event, ExchangeSettled
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.clients.plain import Plain, send
from tests.gateway.asking import KEY, ask
from tests.worker.doubles import dump, project, rows, write

# A thousand dollars per million tokens: the answer's 20 tokens cost $0.02 in the standard tier.
CONFIG = """
version: 1
{defaults}
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  honest: {{provider: up, model: tokens-20, price: {price}}}
  downgraded: {{provider: up, model: tokens-20+tier-default, price: {price}}}
  upgraded: {{provider: up, model: tokens-20+tier-priority, price: {price}}}
  always-flex: {{provider: up, model: tokens-20, price: {price}, set: {{service_tier: flex}}}}
  one-price: {{provider: up, model: tokens-20+tier-priority, price: {{input: 0, output: 1000}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme{key}}}
"""
PRICE = "{input: 0, output: 1000, service_tier: {flex: 0.5, priority: 2}}"
STANDARD = 20_000_000


def gateway(simulator: SimulatorThread, key: str = "", defaults: str = "") -> GatewayThread:
    """A gateway in front of deployments that differ in what their answers say."""
    return GatewayThread(CONFIG.format(url=simulator.url, price=PRICE, key=key, defaults=defaults))


def respond(gateway: GatewayThread, model: str, **fields: Any) -> Plain:
    """One request to the Responses endpoint."""
    return send(gateway.url + "/v1/responses", {"model": model, "input": "Hello", **fields}, KEY)


def last(gateway: GatewayThread, count: int) -> AttemptFacts:
    """The attempt of the exchange that was settled last."""
    return gateway.exchanges(count)[-1].attempts[0]


@pytest.mark.parametrize(
    ("model", "asked", "billed", "cost"),
    [
        ("honest", {}, "default", STANDARD),
        ("honest", {"service_tier": "auto"}, "default", STANDARD),
        ("honest", {"service_tier": None}, "default", STANDARD),
        ("honest", {"service_tier": "flex"}, "flex", STANDARD // 2),
        ("honest", {"service_tier": "priority"}, "priority", STANDARD * 2),
        ("downgraded", {"service_tier": "priority"}, "default", STANDARD),
        ("upgraded", {}, "priority", STANDARD * 2),
        ("always-flex", {"service_tier": "priority"}, "flex", STANDARD // 2),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_the_tier_that_the_answer_names_is_billed(
    simulator: SimulatorThread,
    model: str,
    asked: dict[str, Any],
    billed: str,
    cost: int,
    endpoint: str,
    *,
    stream: bool,
) -> None:
    """Whole or streamed, in chats and responses: the row has the tier, and the cost is that tier's."""
    with gateway(simulator) as running:
        if endpoint == "chat":
            body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
            send(running.url + "/v1/chat/completions", body | asked, KEY)
        else:
            respond(running, model, stream=stream, **asked)
        facts = last(running, 1)
        assert (facts.service_tier, facts.cost_nanousd, facts.usage_source) == (billed, cost, "reported")


def test_an_answer_that_names_no_tier_is_billed_as_asked(simulator: SimulatorThread) -> None:
    """Where a vendor does not tell, the price is that of the request."""
    with gateway(simulator) as running:
        body = {"model": "honest", "prompt": "Hello", "max_tokens": 20, "service_tier": "flex"}
        told = send(running.url + "/v1/completions", body, KEY)
        assert "service_tier" not in told.json
        assert (last(running, 1).service_tier, last(running, 1).cost_nanousd) == ("flex", STANDARD // 2)


def test_a_stream_that_is_cut_is_estimated_in_the_tier_that_was_asked_for(simulator: SimulatorThread) -> None:
    """A first event that still says `auto` does not count as the tier."""
    simulator.play("cut-after-6")
    with gateway(simulator) as running:
        respond(running, "honest", stream=True, service_tier="flex")
        facts = last(running, 1)
        assert (facts.outcome, facts.service_tier, facts.usage_source) == ("error", "flex", "estimated")
        assert facts.cost_nanousd == facts.usage.output_tokens * STANDARD // 20 // 2


def reserved(gateway: GatewayThread, model: str, **fields: Any) -> int | None:
    """What the attempt of one request held back."""
    ask(gateway.url, model, max_tokens=100, **fields)
    return [event for event in gateway.events() if isinstance(event, AttemptOpened)][-1].reserved_nanousd


def test_the_reservation_is_the_worst_that_the_request_may_get(simulator: SimulatorThread) -> None:
    """The tier asked for or the standard one; the dearest of all where the vendor chooses."""
    with gateway(simulator) as running:
        worst = 100 * 1_000_000
        assert reserved(running, "honest") == worst * 2
        assert reserved(running, "honest", service_tier="auto") == worst * 2
        assert reserved(running, "honest", service_tier="priority") == worst * 2
        assert reserved(running, "honest", service_tier="default") == worst
        assert reserved(running, "honest", service_tier="flex") == worst
        assert reserved(running, "always-flex", service_tier="priority") == worst
        assert reserved(running, "honest", service_tier="turbo") is None


def test_an_unknown_tier_is_refused_where_a_budget_applies(simulator: SimulatorThread) -> None:
    """Its cost cannot be held back, so it is not spent; the sentence names the tier."""
    with gateway(simulator, ", budget: {usd: 5, window: day}") as running:
        told = ask(running.url, "honest", service_tier="turbo")
        assert (told.status, told.code) == (403, "unpriced_model")
        assert "service tier 'turbo'" in told.body["error"]["message"]
        assert ask(running.url, "honest", service_tier="flex").status == 200
    assert simulator.counts.total == 1


def test_an_unknown_tier_is_flagged_where_that_is_wanted(simulator: SimulatorThread) -> None:
    """Asked for or only answered, it is served, and its cost is unknown instead of the standard tier's."""
    with gateway(simulator, ", budget: {usd: 5, window: day}", "defaults: {on_unknown_price: flag}") as running:
        told = ask(running.url, "honest", service_tier="turbo")
        assert (told.status, told.headers["x-penstock-cost-usd"]) == (200, "unpriced")
        told = ask(running.url, "one-price")
        assert (told.status, told.headers["x-penstock-cost-usd"]) == (200, "unpriced")
        assert (last(running, 2).service_tier, last(running, 2).cost_nanousd) == ("priority", None)


@pytest.mark.parametrize("value", [7, ["flex"], {"name": "flex"}, "x" * 65])
def test_a_tier_is_a_short_text(simulator: SimulatorThread, value: object) -> None:
    """What decides about money must be readable; nothing goes upstream."""
    with gateway(simulator) as running:
        told = ask(running.url, "honest", service_tier=value)
        assert (told.status, told.code, told.body["error"]["param"]) == (400, "invalid_type", "service_tier")
    assert simulator.counts.total == 0


def test_the_ledger_has_the_tier_and_a_rebuild_agrees(simulator: SimulatorThread, tmp_path: Path) -> None:
    """The journal's events alone give the same rows, the tier of an interrupted attempt included."""
    with gateway(simulator) as running:
        ask(running.url, "honest", service_tier="flex")
        ask(running.url, "downgraded", service_tier="priority")
        running.exchanges(2)
        events: list[Event] = running.events()
    ends = [event for event in events if isinstance(event, ExchangeSettled)]
    interrupted = [event for event in events if event is not ends[-1]]
    for place in (tmp_path / "one", tmp_path / "two"):
        write(place, "b1", interrupted)
        project(place)
    query = "SELECT service_tier, cost_nanousd, outcome FROM {} ORDER BY outcome DESC"
    found = rows(tmp_path / "one", query.format("exchanges"))
    assert found[0] == ("flex", STANDARD // 2, "ok")
    assert (found[1][0], found[1][2]) == ("priority", "interrupted")
    assert rows(tmp_path / "one", query.format("attempts")) == found
    assert dump(tmp_path / "one") == dump(tmp_path / "two")
