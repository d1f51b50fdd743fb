"""Keys, rates, concurrency, budgets and prices, as a client meets them."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import KEY, ask

CONFIG = """
version: 1
{defaults}
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  cent: {{provider: up, model: echo, price: {{request: 0.01}}}}
  tokens: {{provider: up, model: tokens-20, price: {{input: 100, output: 200}}}}
  unpriced: {{provider: up, model: echo}}
  slow: {{provider: up, model: hang, price: {{request: 0.01}}}}
routes:
  pay: {{policy: cent}}
  tagged: {{policy: cent, tags: {{required: [feature]}}}}
  finished: {{policy: tokens, success: {{all: [finish]}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, direct: true{key}}}
  - {{name: narrow, secret: sk-narrow, org: acme, routes: [pay]}}
"""


def gateway(simulator: SimulatorThread, key: str = "", defaults: str = "") -> GatewayThread:
    """A gateway whose first key has the given limits."""
    return GatewayThread(CONFIG.format(url=simulator.url, key=key, defaults=defaults))


def test_a_hard_budget_is_never_overspent(simulator: SimulatorThread) -> None:
    """200 calls at one cent from 100 threads against one dollar: exactly 100 are answered."""
    with gateway(simulator, ", budget: {usd: 1, window: month}") as running:
        with ThreadPoolExecutor(100) as pool:
            answers = [call.result() for call in [pool.submit(ask, running.url, "pay") for _ in range(200)]]
        counted = Counter((told.status, told.code) for told in answers)
        assert counted == {(200, ""): 100, (402, "budget_exceeded"): 100}
        refused = next(told for told in answers if told.status == 402)
        assert refused.headers["x-should-retry"] == "false"
        spent = sum(a.cost_nanousd or 0 for x in running.exchanges(200) for a in x.attempts)
        assert spent == 1_000_000_000
    assert simulator.counts.total == 100


def test_the_cap_that_was_reserved_is_sent_upstream(simulator: SimulatorThread) -> None:
    """Under a budget a request without a bound of its own gets the bound that its reservation stood on."""
    with gateway(
        simulator, ", budget: {usd: 10, window: month}", "defaults: {max_output_tokens: 7}"
    ) as running:
        told = ask(running.url, "tokens")
        assert told.body["usage"]["completion_tokens"] == 7
        assert told.body["choices"][0]["finish_reason"] == "length"


def test_what_is_left_of_the_budget_is_told(simulator: SimulatorThread) -> None:
    """An answer names what is left after it."""
    with gateway(simulator, ", budget: {usd: 1, window: day}") as running:
        assert ask(running.url, "pay").headers["x-penstock-budget-left-usd"] == "0.99"
        assert ask(running.url, "pay").headers["x-penstock-budget-left-usd"] == "0.98"


@pytest.mark.parametrize(("defaults", "status"), [("", 403), ("defaults: {on_unknown_price: flag}", 200)])
def test_no_price_under_a_budget(simulator: SimulatorThread, defaults: str, status: int) -> None:
    """It is refused where a budget applies, unless the configuration says to flag it."""
    with gateway(simulator, ", budget: {usd: 1, window: day}", defaults) as running:
        told = ask(running.url, "unpriced")
        assert told.status == status
        assert told.code == ("unpriced_model" if status == 403 else "")


def test_a_model_without_a_price_is_flagged(simulator: SimulatorThread) -> None:
    """Without a budget it is answered, and its cost is `unpriced` in the header and nothing in the record."""
    with gateway(simulator) as running:
        assert ask(running.url, "unpriced").headers["x-penstock-cost-usd"] == "unpriced"
        assert running.exchanges()[0].attempts[0].cost_nanousd is None


def test_the_rate_limit_says_when_the_next_request_fits(simulator: SimulatorThread) -> None:
    """The fourth request of a minute is refused with the seconds until the first one has left the window."""
    with gateway(simulator, ", limits: {rpm: 3}") as running:
        assert [ask(running.url, "pay").status for _ in range(3)] == [200] * 3
        told = ask(running.url, "pay")
        assert (told.status, told.code) == (429, "rate_limited")
        assert 1 <= int(told.headers["retry-after"]) <= 60


def test_concurrency_is_bounded_and_slots_come_back(simulator: SimulatorThread) -> None:
    """With one slot a second request is refused while the first hangs, and served once that has ended."""
    with gateway(simulator, ", limits: {concurrency: 1}") as running:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, running.url, "slow")
            while not simulator.requests(model="hang"):
                time.sleep(0.005)
            told = ask(running.url, "pay")
            assert (told.status, told.code) == (429, "too_many_concurrent")
            running.call(lambda: [attempt.expire() for attempt in list(running.context.attempts)])
            assert first.result(20).status in (502, 504)
        assert ask(running.url, "pay").status == 200


def test_route_scopes_and_direct_use(simulator: SimulatorThread) -> None:
    """A key with one route may not use another, nor name a model directly."""
    with gateway(simulator) as running:
        assert ask(running.url, "pay", key="sk-narrow").status == 200
        assert ask(running.url, "tagged", key="sk-narrow").code == "route_not_allowed"
        assert ask(running.url, "up/echo", key="sk-narrow").code == "direct_not_allowed"
        unknown = ask(running.url, "pey", key="sk-narrow")
        assert unknown.code == "unknown_model"
        assert "pay" in unknown.body["error"]["message"]
        assert "tagged" not in unknown.body["error"]["message"]


def test_a_required_tag_and_what_tags_become(simulator: SimulatorThread) -> None:
    """A route refuses a request without its tag; tags reach the record, the named ones in their own fields."""
    with gateway(simulator) as running:
        assert ask(running.url, "tagged").code == "missing_tag"
        tags = {"x-penstock-tags": "feature=search,user=42,session=s1,prompt_version=7,colour=red"}
        assert ask(running.url, "tagged", headers=tags).status == 200
        exchange = running.exchanges()[0]
        request = exchange.request
        assert (request.feature, request.session, request.prompt_version) == ("search", "s1", "7")
        assert exchange.subject.user == "42"
        assert request.tags["colour"] == "red"


def test_the_quality_gate_counts_only_finished_answers(simulator: SimulatorThread) -> None:
    """An answer that was cut at its bound is no success where the route asks for finished ones."""
    with gateway(simulator) as running:
        assert ask(running.url, "finished").status == 200
        assert ask(running.url, "finished", max_tokens=3).status == 200
        assert [exchange.success for exchange in running.exchanges(2)] == [True, False]


def test_a_full_journal_refuses_new_requests(simulator: SimulatorThread) -> None:
    """Nothing is sent upstream that could be lost: 503 with Retry-After, service again once there is room."""
    with gateway(simulator) as running:
        running.journal.full = True
        told = ask(running.url, "pay")
        assert (told.status, told.code) == (503, "journal_full")
        assert int(told.headers["retry-after"]) >= 1
        running.journal.full, running.journal.fail_openings = False, True
        assert ask(running.url, "pay").code == "journal_full"
        running.journal.fail_openings = False
        assert ask(running.url, "pay").status == 200
    assert simulator.counts.total == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"[]", "not_an_object"),
        (b'{"model":"a","model":"b"}', "duplicate_key"),
        (b'{"model":"pay","Model":"b"}', "case_variant_key"),
        (b'{"model":"pay","MAX_TOKENS":5}', "case_variant_key"),
        (
            b'{"model":"pay","stream_options":{"include_usage":true,"include_usage":false},"stream":true}',
            "duplicate_key",
        ),
        (b'{"model":5}', "invalid_type"),
        (b'{"model":"pay","stream":"yes"}', "invalid_type"),
        (b'{"model":"pay","max_tokens":"many"}', "invalid_type"),
        (b'{"model":"pay","max_tokens":-1}', "invalid_type"),
        (b'{"messages":[]}', "missing_model"),
    ],
)
def test_what_bad_bodies_get(simulator: SimulatorThread, body: bytes, code: str) -> None:
    """Each is a 400 with a stable code and the request id, and nothing reaches the upstream."""
    with gateway(simulator) as running:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        request = urllib.request.Request(running.url + "/v1/chat/completions", body, headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=20)
        with caught.value as error:
            told = json.load(error)["error"]
            assert error.code == 400
            assert told["code"] == code
            assert told["request_id"] == error.headers["x-penstock-request-id"]
    assert simulator.counts.total == 0
