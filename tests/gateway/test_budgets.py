"""Budgets and limits of every level, as a client meets them."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask
from tests.service.service import until
from tests.translation.upstream import Answer, CannedUpstream

CONFIG = """
version: 1
{defaults}
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  cent: {{provider: up, model: echo, price: {{request: 0.01}}{deployment}}}
  hundred: {{provider: up, model: tokens-100, price: {{input: 0, output: 100}}}}
  late: {{provider: up, model: slow-300ms+tokens-10, price: {{input: 0, output: 6000}}}}
orgs:
  acme: {{teams: {{lab: {{{team}}}}}{org}}}
  other: {{}}
routes:
  pay: {{policy: cent{route}}}
  words: {{policy: hundred}}
  slow: {{policy: late}}
  free: {{policy: {{static: "Nothing is left."}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, team: lab, direct: true{key}}}
  - {{name: second, secret: sk-second, org: acme}}
  - {{name: outside, secret: sk-outside, org: other}}
"""
BOUND = "budget: {usd: 0.03, window: month}"


def gateway(simulator: SimulatorThread, **parts: str) -> GatewayThread:
    """A gateway with these parts put into its configuration."""
    empty = dict.fromkeys(("defaults", "deployment", "team", "org", "route", "key"), "")
    return GatewayThread(CONFIG.format(url=simulator.url, **{**empty, **parts}))


def test_without_a_bound_of_its_own_a_request_is_not_held_at_the_models_maximum(
    simulator: SimulatorThread,
) -> None:
    """200 calls without max_tokens at a cent against a dollar: at least 95 are answered, none too many."""
    with gateway(simulator, key=", budget: {usd: 1, window: month}") as running:
        with ThreadPoolExecutor(100) as pool:
            answers = [call.result() for call in [pool.submit(ask, running.url, "words") for _ in range(200)]]
        counted = Counter((told.status, told.code) for told in answers)
        assert set(counted) == {(200, ""), (402, "budget_exceeded")}
        assert counted[200, ""] >= 95
        spent = sum(a.cost_nanousd or 0 for x in running.exchanges(200) for a in x.attempts)
        assert spent <= 1_000_000_000


@pytest.mark.parametrize(
    ("parts", "level"),
    [
        ({"key": f", {BOUND}"}, "the key dev"),
        ({"team": BOUND}, "the team lab"),
        ({"org": f", {BOUND}"}, "the organisation acme"),
        ({"org": f", users: {{jane: {{{BOUND}}}}}"}, "the user jane"),
        ({"org": f', users: {{"*": {{{BOUND}}}}}'}, "the user jane"),
        ({"org": f", tags: {{feature: {{search: {{{BOUND}}}}}}}"}, "the tag feature=search"),
        ({"org": f', tags: {{feature: {{"*": {{{BOUND}}}}}}}'}, "the tag feature=search"),
        ({"route": f", {BOUND}"}, "the route pay"),
        ({"deployment": f", {BOUND}"}, "the deployment cent"),
        ({"defaults": "defaults: {session: {usd: 0.03}}"}, "the session s1"),
        ({"route": ", session: {usd: 0.03}"}, "the session s1"),
    ],
)
def test_a_budget_binds_at_every_level(simulator: SimulatorThread, parts: dict[str, str], level: str) -> None:
    """Three calls of a cent fit into three cents of whoever is bound; the fourth is told whose is spent."""
    tags = {"x-penstock-tags": "user=jane,feature=search,session=s1"}
    with gateway(simulator, **parts) as running:
        assert [ask(running.url, "pay", headers=tags).status for _ in range(3)] == [200] * 3
        told = ask(running.url, "pay", headers=tags)
        assert (told.status, told.code) == (402, "budget_exceeded")
        assert f"the 0 USD that {level} has left" in told.body["error"]["message"]
    assert simulator.counts.total == 3


@pytest.mark.parametrize(
    ("parts", "others"),
    [
        ({"key": f", {BOUND}"}, ["sk-second", "sk-outside"]),
        ({"team": BOUND}, ["sk-second", "sk-outside"]),
        ({"org": f", {BOUND}"}, ["sk-outside"]),
        ({"org": f', users: {{"*": {{{BOUND}}}}}'}, ["sk-outside"]),
        ({"org": f', tags: {{feature: {{"*": {{{BOUND}}}}}}}'}, ["sk-outside"]),
        ({"defaults": "defaults: {session: {usd: 0.03}}"}, ["sk-outside"]),
    ],
)
def test_a_spent_budget_binds_nobody_else(
    simulator: SimulatorThread, parts: dict[str, str], others: list[str]
) -> None:
    """Who is not in the account is served, even under the same names of user, tag and session."""
    tags = {"x-penstock-tags": "user=jane,feature=search,session=s1"}
    with gateway(simulator, **parts) as running:
        assert [ask(running.url, "pay", headers=tags).status for _ in range(4)] == [200, 200, 200, 402]
        assert [ask(running.url, "pay", key=key, headers=tags).status for key in others] == [200] * len(others)


def test_what_will_fit_once_others_have_settled_waits_for_them(simulator: SimulatorThread) -> None:
    """Calls that hold 60 cents and cost six come one after the other under a dollar, and all are served."""
    with gateway(simulator, key=", budget: {usd: 1, window: month}") as running:
        with ThreadPoolExecutor(3) as pool:
            calls = [pool.submit(ask, running.url, "slow", max_tokens=100) for _ in range(3)]
            told = [call.result() for call in calls]
        assert [each.status for each in told] == [200] * 3
        left = min(each.headers["x-penstock-budget-left-usd"] for each in told)
        assert left == "0.82"


def test_a_waiting_client_that_hangs_up_holds_nothing(simulator: SimulatorThread) -> None:
    """Whoever gives up while waiting for a budget leaves no trace in it."""
    with gateway(simulator, key=", budget: {usd: 1, window: month}") as running:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, running.url, "slow", max_tokens=100)
            while not simulator.requests(model="slow-300ms+tokens-10"):
                time.sleep(0.005)
            waiting = http.client.HTTPConnection("127.0.0.1", running.port)
            body = b'{"model": "slow", "messages": [], "max_tokens": 100}'
            waiting.request("POST", "/v1/chat/completions", body, {"authorization": "Bearer sk-test-gateway"})
            while running.call(lambda: running.context.exchanges) < 2:
                time.sleep(0.005)
            waiting.close()
            assert first.result().status == 200
        outcomes = Counter(exchange.outcome for exchange in running.exchanges(2))
        assert outcomes == {"ok": 1, "cancelled": 1}
        assert ask(running.url, "pay").headers["x-penstock-budget-left-usd"] == "0.93"


def test_a_soft_budget_refuses_nothing(simulator: SimulatorThread) -> None:
    """It is counted, and everybody is served on."""
    with gateway(simulator, org=", budget: {usd: 0.01, window: day, soft: true}") as running:
        assert [ask(running.url, "pay").status for _ in range(3)] == [200] * 3


def test_a_budget_that_is_nearly_spent_leads_to_another_route(simulator: SimulatorThread) -> None:
    """From the share that is configured on, requests take the other route, and their answers name it."""
    budget = ", budget: {usd: 0.04, window: day, downgrade: {to: free, at: 0.5}}"
    with gateway(simulator, key=budget) as running:
        routes = [ask(running.url, "pay").headers["x-penstock-route"] for _ in range(4)]
        assert routes == ["pay", "pay", "free", "free"]


def test_two_windows_of_one_account_hold_together(simulator: SimulatorThread) -> None:
    """The tighter of two budgets decides, and is what a client is told to have left."""
    budgets = ", budget: {usd: 5, window: month}, budgets: [{usd: 0.02, window: day, timezone: Asia/Kolkata}]"
    with gateway(simulator, key=budgets) as running:
        assert ask(running.url, "pay").headers["x-penstock-budget-left-usd"] == "0.01"
        assert [ask(running.url, "pay").status for _ in range(2)] == [200, 402]


@pytest.mark.parametrize(
    "parts",
    [
        {"key": ", limits: {rpm: 2}"},
        {"team": "limits: {rpm: 2}"},
        {"org": ", limits: {rates: [{unit: requests, per: hour, limit: 2}]}"},
        {"org": ', users: {"*": {limits: {rpm: 2}}}'},
        {"org": ", tags: {feature: {search: {limits: {rpm: 2}}}}"},
        {"route": ", limits: {rpm: 2}"},
    ],
)
def test_requests_are_limited_at_every_level(simulator: SimulatorThread, parts: dict[str, str]) -> None:
    """The third request of the span is refused with an honest wait."""
    tags = {"x-penstock-tags": "user=jane,feature=search"}
    with gateway(simulator, **parts) as running:
        told = [ask(running.url, "pay", headers=tags) for _ in range(3)]
        assert [(each.status, each.code) for each in told] == [(200, ""), (200, ""), (429, "rate_limited")]
        assert int(told[2].headers["retry-after"]) >= 50


def test_tokens_are_held_as_they_are_likely_and_counted_as_they_were(simulator: SimulatorThread) -> None:
    """An answer of a hundred tokens leaves room for a second one under 1,000, though its length was unknown."""
    limits = ", limits: {rates: [{unit: output_tokens, per: hour, limit: 1000}]}"
    with gateway(simulator, key=limits) as running:
        statuses = [ask(running.url, "words").status for _ in range(8)]
        assert statuses[:5] == [200] * 5
        told = ask(running.url, "words", max_tokens=900)
        assert (told.status, told.code) == (429, "rate_limited")
        assert "1000 output tokens a hour" in told.body["error"]["message"]


def test_a_request_too_large_for_its_limit_is_told_so(simulator: SimulatorThread) -> None:
    """An input that alone is above the limit is refused without a promise that waiting helps."""
    with gateway(simulator, key=", limits: {tpm: 100}") as running:
        told = ask(running.url, "pay", messages=[{"role": "user", "content": "word " * 500}])
        assert (told.status, told.code) == (429, "rate_limited")
        assert "this request alone needs" in told.body["error"]["message"]


def test_a_session_ends_after_its_requests(simulator: SimulatorThread) -> None:
    """A loop is stopped with an error that no SDK tries again; another session goes on."""
    with gateway(simulator, defaults="defaults: {session: {requests: 3}}") as running:
        tags = {"x-penstock-tags": "session=loop"}
        assert [ask(running.url, "pay", headers=tags).status for _ in range(3)] == [200] * 3
        told = ask(running.url, "pay", headers=tags)
        assert (told.status, told.code) == (403, "session_exhausted")
        assert ask(running.url, "pay", headers={"x-penstock-tags": "session=fresh"}).status == 200


def test_sessions_have_ceilings_by_default(simulator: SimulatorThread) -> None:
    """Two hundred requests of one session are served without any configuration, and no more."""
    with gateway(simulator) as running:
        tags = {"x-penstock-tags": "session=loop"}
        with ThreadPoolExecutor(8) as pool:
            calls = [pool.submit(ask, running.url, "pay", headers=tags) for _ in range(203)]
            counted = Counter(call.result().status for call in calls)
        assert counted == {200: 200, 403: 3}


def test_a_saturated_deployment_lets_others_wait(simulator: SimulatorThread) -> None:
    """With one slot at a deployment, requests that come together are served one after the other."""
    with gateway(simulator, deployment=", limits: {concurrency: 1}") as running:
        with ThreadPoolExecutor(6) as pool:
            told = [call.result() for call in [pool.submit(ask, running.url, "pay") for _ in range(6)]]
        assert [each.status for each in told] == [200] * 6


def test_a_reload_keeps_what_was_counted(simulator: SimulatorThread) -> None:
    """Another limit over the same window counts what was spent before."""
    empty = dict.fromkeys(("defaults", "deployment", "team", "org", "route", "key"), "")
    with gateway(simulator, org=", budget: {usd: 0.02, window: month}, limits: {rpm: 50}") as running:
        assert ask(running.url, "pay").status == 200
        org = ", budget: {usd: 0.03, window: month}, limits: {rpm: 3}"
        running.reload(CONFIG.format(url=simulator.url, **{**empty, "org": org}))
        assert ask(running.url, "pay").headers["x-penstock-budget-left-usd"] == "0.01"
        assert ask(running.url, "pay").status == 200
        assert ask(running.url, "pay").code == "rate_limited"


def test_callers_see_what_they_have_used(simulator: SimulatorThread) -> None:
    """`GET /v1/usage` tells a key of its own accounts, and of nobody else's."""
    parts = {
        "key": ", limits: {rpm: 5}, budget: {usd: 0.05, window: total}",
        "team": "budget: {usd: 2, window: day, soft: true}",
        "org": ", limits: {concurrency: 9}",
    }
    with gateway(simulator, **parts) as running:
        ask(running.url, "pay")
        url, auth = running.url + "/v1/usage", {"authorization": "Bearer sk-test-gateway"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=auth)) as response:
            told = json.load(response)
    key, team, org = told["accounts"]
    assert (told["key"], told["org"], told["team"]) == ("dev", "acme", "lab")
    assert key["limits"] == [{"unit": "requests", "per": "minute", "limit": 5, "used": 1, "left": 4}]
    (budget,) = key["budgets"]
    assert budget == {
        "window": "total",
        "timezone": "UTC",
        "hard": True,
        "ends_ms": None,
        "limit_usd": "0.05",
        "used_usd": "0.01",
        "reserved_usd": "0",
        "left_usd": "0.04",
    }
    assert (team["account"], team["budgets"][0]["used_usd"]) == ("team:acme/lab", "0.01")
    assert org["concurrency"] == [{"unit": "requests", "limit": 9, "used": 0, "left": 9}]


def test_a_noisy_organisation_does_not_keep_others_waiting(simulator: SimulatorThread) -> None:
    """With one slot and forty requests of one organisation queued, another's is served among the next two."""
    deployment = "{provider: up, model: slow-40ms, price: {request: 0.01}, limits: {concurrency: 1}}"
    config = f"""
providers: {{up: {{kind: openai, base_url: "{simulator.url}/v1"}}}}
deployments: {{one: {deployment}}}
routes: {{pay: {{policy: one}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
  - {{name: outside, secret: sk-outside, org: other}}
"""
    with GatewayThread(config) as running:
        with ThreadPoolExecutor(41) as pool:
            noisy = [pool.submit(ask, running.url, "pay") for _ in range(40)]
            while running.call(lambda: running.context.exchanges) + len(running.exchanges(0)) < 40:
                time.sleep(0.001)
            served_before = len(running.exchanges(0))
            told = ask(running.url, "pay", key="sk-outside")
            assert [call.result().status for call in noisy] == [200] * 40
        assert told.status == 200
        order = [exchange.subject.org for exchange in running.exchanges(41)]
        assert order.index("other") <= served_before + 3


def test_a_full_queue_refuses_with_an_honest_wait(simulator: SimulatorThread) -> None:
    """Who does not fit into the queue is turned away at once and told for how long; the others are served."""
    deployment = ", limits: {concurrency: 1}, queue: {size: 2}"
    with gateway(simulator, deployment=deployment) as running:
        with ThreadPoolExecutor(12) as pool:
            told = [call.result() for call in [pool.submit(ask, running.url, "pay") for _ in range(12)]]
        counted = Counter((each.status, each.code) for each in told)
        assert counted[200, ""] >= 3
        assert set(counted) <= {(200, ""), (429, "deployment_busy")}
        assert all(int(each.headers["retry-after"]) >= 1 for each in told if each.status == 429)


def test_without_a_queue_a_busy_deployment_falls_back(simulator: SimulatorThread) -> None:
    """A deployment whose slots are taken and whose queue is off leaves its requests to the next target."""
    parts = {"deployment": ", limits: {concurrency: 1}, queue: {size: 0}"}
    empty = dict.fromkeys(("defaults", "deployment", "team", "org", "route", "key"), "")
    config = CONFIG.format(url=simulator.url, **{**empty, **parts}).replace(
        "slow: {policy: late}", "slow: {policy: {fallback: [stuck, hundred]}}"
    )
    stuck = (
        "stuck: {provider: up, model: hang, price: {request: 0.01}, limits: {concurrency: 1}, queue: {size: 0}}"
    )
    config = config.replace("deployments:\n", f"deployments:\n  {stuck}\n")
    with GatewayThread(config) as running, ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, running.url, "slow")
        while not simulator.requests(model="hang"):
            time.sleep(0.005)
        assert ask(running.url, "slow").headers["x-penstock-target"] == "hundred"
        running.call(lambda: [attempt.expire() for attempt in list(running.context.attempts)])
        first.result(20)


def test_calls_within_calls_end_at_their_depth() -> None:
    """An upstream that calls back under the trace it was given is stopped; clients' claims are not believed."""
    empty = dict.fromkeys(("defaults", "deployment", "team", "org", "route", "key"), "")
    depth = {"defaults": "defaults: {session: {depth: 3}}"}
    chat = {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
    with CannedUpstream(Answer(chat)) as agent:
        config = CONFIG.format(url=agent.url, **{**empty, **depth})
        with GatewayThread(config) as running:
            parent = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
            for _ in range(3):
                assert ask(running.url, "pay", headers={"traceparent": parent}).status == 200
                sent = agent.asked[-1].headers["traceparent"]
                assert sent.split("-")[1] == "ab" * 16
                assert sent != parent
                parent = sent
            told = ask(running.url, "pay", headers={"traceparent": parent})
            assert (told.status, told.code) == (403, "session_exhausted")
            fresh = {"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-00"}
            assert ask(running.url, "pay", headers=fresh).status == 200


def test_a_session_may_not_last_for_ever(simulator: SimulatorThread) -> None:
    """After its time a session is refused, while another one begins."""
    with gateway(simulator, defaults="defaults: {session: {wall_s: 0.05}}") as running:
        tags = {"x-penstock-tags": "session=long"}
        assert ask(running.url, "pay", headers=tags).status == 200
        until(lambda: ask(running.url, "pay", headers=tags).code == "session_exhausted")
        assert ask(running.url, "pay", headers={"x-penstock-tags": "session=new"}).status == 200
