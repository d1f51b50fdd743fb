"""Answers judged after the fact, as the journal tells it."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.exchange import Judged
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask
from tests.gateway.test_mirror import streamed
from tests.service.service import until
from tests.translation.upstream import Answer, CannedUpstream

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1", facts: {{residency: [eu], source: contract, verified: 2026-05-01}}}}
  far: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  main: {{provider: up, model: echo, price: {{request: 0.01}}}}
  expert: {{provider: far, model: echo, price: {{request: 0.02}}}}
  slow: {{provider: far, model: slow-300ms, price: {{request: 0.02}}}}
routes:
  pay: {{policy: main, evals: {{judge: {judge}, sample: {sample}, score: good, cohort: feature{more}}}}}
  fixed: {{policy: {{static: '{verdict}'}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, budget: {{usd: 1, window: month}}{key}}}
"""


def gateway(simulator: SimulatorThread, **said: Any) -> GatewayThread:
    """A gateway whose route is judged."""
    values = {"judge": "fixed", "sample": 1, "verdict": '{"score": 0.75}', "more": "", "key": "", **said}
    return GatewayThread(CONFIG.format(url=simulator.url, **values))


def judged(running: GatewayThread) -> list[Judged]:
    """What was judged so far."""
    return running.call(lambda: list(running.journal.judged))


@pytest.mark.parametrize("stream", [False, True])
def test_a_verdict_names_the_target_and_the_cohort(simulator: SimulatorThread, *, stream: bool) -> None:
    """The judge is asked after the answer, by a request of its own with the judged one as its parent."""
    with gateway(simulator) as running:
        if stream:
            streamed(running.url)
        else:
            assert ask(running.url, "pay", headers={"x-penstock-tags": "feature=search"}).status == 200
        until(lambda: bool(judged(running)))
        (one,) = judged(running)
        found = {row.request.purpose: row for row in running.exchanges(2)}
    assert (one.route, one.target, one.name, one.value, one.source) == ("pay", "main", "good", 0.75, "judge")
    assert one.cohort == ("" if stream else "search")
    assert one.request_id == found["eval"].request.parent == found[""].request.request_id
    assert found["eval"].subject.key == "eval:pay"
    assert found[""].notes.get("cohort", "") == one.cohort


@pytest.mark.parametrize(
    "verdict", ['{"score": 1.5}', '{"score": "1"}', "0.7", '{"score": 0.7, "why": 1}', "I think 0.7"]
)
def test_a_verdict_that_is_not_what_was_asked_for_is_none(simulator: SimulatorThread, verdict: str) -> None:
    """No number is guessed; that there was none is on record."""
    with gateway(simulator, verdict=verdict) as running:
        ask(running.url, "pay")
        until(lambda: bool(judged(running)))
        (one,) = judged(running)
    assert (one.value, one.label) == (None, "unreadable verdict")


def test_judging_has_a_budget_of_its_own(simulator: SimulatorThread) -> None:
    """Two judgements at two cents fit into five; the caller's own dollar is for its own requests."""
    more = ", budget: {usd: 0.05, window: day}"
    with gateway(simulator, judge="expert", more=more) as running:
        for count in range(1, 5):
            assert ask(running.url, "pay").status == 200
            until(lambda count=count: len(judged(running)) == count)
        labels = [one.label for one in judged(running)]
        paid = [row for row in running.exchanges(0) if row.request.purpose == "eval" and row.attempts]
        assert ask(running.url, "pay").headers["x-penstock-budget-left-usd"] == "0.95"
    assert labels == ["unreadable verdict"] * 2 + ["judge failed: budget_exceeded"] * 2
    assert len(paid) == 2


def test_the_judge_gets_the_conversation_and_the_answer_as_material(simulator: SimulatorThread) -> None:
    """The criteria and both texts stand in its request, with the schema of a verdict."""
    message = {"role": "assistant", "content": '{"score": 0.5}'}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    with CannedUpstream(Answer({**reply, "choices": choices})) as judge:
        config = (
            CONFIG.format(
                url=simulator.url,
                judge="wise",
                sample=1,
                verdict="-",
                key="",
                more=", criteria: whether it is kind",
            )
            .replace("providers:\n", f'providers:\n  critic: {{kind: openai, base_url: "{judge.url}/v1"}}\n')
            .replace(
                "deployments:\n", "deployments:\n  wise: {provider: critic, model: m, price: {request: 0.01}}\n"
            )
        )
        with GatewayThread(config) as running:
            ask(running.url, "pay")
            until(lambda: bool(judged(running)))
            (one,) = judged(running)
        body = judge.asked[0].body
    system, user = (message["content"] for message in body["messages"])
    assert one.value == 0.5
    assert "whether it is kind" in system
    assert "user: Hello" in user
    assert "<answer>\nHello" in user
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["score"]


def test_no_more_than_so_many_are_judged_at_once(simulator: SimulatorThread) -> None:
    """What is beyond is dropped, not queued; the callers wait for none of it."""
    with gateway(simulator, judge="slow", more=", concurrency: 1") as running:
        for _ in range(4):
            assert ask(running.url, "pay").status == 200
        until(lambda: bool(judged(running)))
        assert 1 <= len(judged(running)) < 4
        assert [row.outcome for row in running.exchanges(0) if not row.request.purpose] == ["ok"] * 4


def test_what_the_caller_requires_holds_for_the_judge(simulator: SimulatorThread) -> None:
    """A judge that the caller's data may not go to sees none of it."""
    with gateway(simulator, judge="expert", key=", require: {residency: eu}") as running:
        ask(running.url, "pay")
        until(lambda: bool(judged(running)))
        (one,) = judged(running)
    assert one.label == "judge failed: policy_denied"


def test_the_share_is_kept(simulator: SimulatorThread) -> None:
    """Nothing of none per cent is judged, and no failed answer is."""
    with gateway(simulator, sample=0) as running:
        for _ in range(5):
            assert ask(running.url, "pay").status == 200
        assert judged(running) == []
