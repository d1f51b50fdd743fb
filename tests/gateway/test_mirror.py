"""Copies of requests to a candidate, as an operator meets them in the ledger and a client does not."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter

import pytest

from penstock.core.exchange import ExchangeSettled
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask
from tests.service.service import until

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1", facts: {{residency: [eu], source: contract, verified: 2026-05-01}}}}
  far: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  main: {{provider: up, model: echo, price: {{request: 0.01}}}}
  same: {{provider: up, model: echo, price: {{request: 0.02}}}}
  other: {{provider: up, model: tokens-10, price: {{request: 0.02}}}}
  broken: {{provider: up, model: error-503, price: {{request: 0.02}}}}
  abroad: {{provider: far, model: echo, price: {{request: 0.02}}}}
  slow: {{provider: up, model: slow-300ms, price: {{request: 0.02}}, limits: {{concurrency: 1}}}}
routes:
  pay: {{policy: main, mirror: {{to: {to}, percent: {percent}{more}}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, budget: {{usd: 1, window: month}}{key}}}
"""


def gateway(
    simulator: SimulatorThread, to: str, percent: int = 100, more: str = "", key: str = ""
) -> GatewayThread:
    """A gateway whose route is mirrored."""
    return GatewayThread(CONFIG.format(url=simulator.url, to=to, percent=percent, more=more, key=key))


def rows(running: GatewayThread) -> dict[str, list[ExchangeSettled]]:
    """What was settled so far, by purpose."""
    found: dict[str, list[ExchangeSettled]] = {"": [], "mirror": []}
    for row in running.exchanges(0):
        found[row.request.purpose].append(row)
    return found


def streamed(url: str) -> bytes:
    """A whole stream."""
    body = {"model": "pay", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": "Bearer sk-test-gateway", "content-type": "application/json"}
    request = urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("to", "same"), [("same", "yes"), ("other", "no")])
def test_a_copy_is_made_after_the_answer_and_compared_with_it(
    simulator: SimulatorThread, to: str, same: str, stream: bool
) -> None:
    """It names its parent, has its own cost on its own account, and notes whether it says the same."""
    with gateway(simulator, to) as running:
        if stream:
            assert streamed(running.url).endswith(b"data: [DONE]\n\n")
        else:
            assert ask(running.url, "pay").status == 200
        until(lambda: bool(rows(running)["mirror"]))
        (first,), (copy,) = rows(running)[""], rows(running)["mirror"]
    assert copy.request.parent == first.request.request_id
    assert copy.request.route == "pay"
    assert [each.target for each in copy.attempts] == [to]
    assert (first.attempts[0].cost_nanousd, copy.attempts[0].cost_nanousd) == (10_000_000, 20_000_000)
    assert (first.subject.org, copy.subject.org) == ("acme", "penstock")
    assert copy.notes["same_text"] == copy.notes["same_normal"] == same
    assert (copy.notes["answer"] == copy.notes["parent_answer"]) is (same == "yes")


def test_the_callers_budget_pays_for_no_copy(simulator: SimulatorThread) -> None:
    """A dollar at a cent a request is a hundred requests, though each was copied at two."""
    with gateway(simulator, "same") as running:
        counted = Counter(ask(running.url, "pay").status for _ in range(101))
        assert counted == {200: 100, 402: 1}


def test_a_candidate_that_fails_harms_nobody(simulator: SimulatorThread) -> None:
    """The caller has its answer, the copy its error, after one try."""
    with gateway(simulator, "broken") as running:
        assert ask(running.url, "pay").status == 200
        until(lambda: bool(rows(running)["mirror"]))
        (copy,) = rows(running)["mirror"]
        assert (copy.outcome, len(copy.attempts)) == ("error", 1)


def test_copies_are_dropped_where_there_is_no_room(simulator: SimulatorThread) -> None:
    """Neither more than the route says nor more than the candidate takes are under way, and none waits."""
    with gateway(simulator, "slow", more=", concurrency: 3") as running:
        for _ in range(6):
            assert ask(running.url, "pay").status == 200
        until(lambda: any(copy.outcome == "ok" for copy in rows(running)["mirror"]))
        copies = rows(running)["mirror"]
        assert 1 <= len(copies) <= 6
        assert all(copy.outcome == "ok" or copy.code == "deployment_busy" for copy in copies)
        assert len(rows(running)[""]) == 6


def test_what_the_caller_requires_holds_for_copies(simulator: SimulatorThread) -> None:
    """A candidate that the caller's data may not go to gets none of it."""
    seen = len(simulator.requests())
    with gateway(simulator, "abroad", key=", require: {residency: eu}") as running:
        for _ in range(3):
            assert ask(running.url, "pay").status == 200
        assert rows(running)["mirror"] == []
    assert len(simulator.requests()) - seen == 3


def test_the_share_is_kept(simulator: SimulatorThread) -> None:
    """None per cent is none, whatever is drawn."""
    with gateway(simulator, "same", percent=0) as running:
        for _ in range(5):
            assert ask(running.url, "pay").status == 200
        assert rows(running)["mirror"] == []


def test_a_refused_request_is_not_copied(simulator: SimulatorThread) -> None:
    """Only what was answered well has something to compare with."""
    with gateway(simulator, "same") as running:
        request = urllib.request.Request(
            running.url + "/v1/chat/completions",
            json.dumps({"model": "pay", "messages": 3}).encode(),
            {"authorization": "Bearer sk-test-gateway", "content-type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request)
        assert rows(running)["mirror"] == []
