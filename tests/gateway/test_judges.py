"""Another route as judge of a cascade's answers: its verdict, its failures, its cost and its bounds."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from penstock.config.load import ConfigError, load_text
from penstock.core.judge import RUBRIC
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.translation.upstream import Answer, Asked, CannedUpstream, sse

KEY = "sk-test-gateway"
MILLI = 1_000_000
CONFIG = """
version: 1
providers:
  up:
    kind: openai
    base_url: "{url}/v1"
    facts: {{retention_days: 0, source: contract, verified: 2026-05-01}}
  keeps: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  cheap: {{provider: up, model: cheap, price: {{input: 0, request: 0.001}}}}
  dear: {{provider: up, model: dear, price: {{input: 0, request: 0.1}}}}
  grader: {{provider: {grader}, model: grader, price: {{input: 0, request: 0.01}}}}
routes:
  grading: {{policy: grader}}
  asked:
    {require}
    policy:
      cascade:
        - {{use: cheap, accept: {{judge: {{route: grading, min: 0.7{more}}}, {accept}}}}}
        - dear
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, routes: [asked]}}
"""


@dataclass
class Bench:
    """What the upstream's judge says, and what it was asked."""

    verdict: str = '{"grade": 0.9}'
    status: int = 200
    finish: str = "stop"
    silent: threading.Event | None = None
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __call__(self, asked: Asked) -> Answer:
        """The upstream's answer."""
        model = asked.body["model"]
        if model != "grader":
            return streamed(model) if asked.body.get("stream") else chat(model, f"from {model}")
        self.asked.append(asked.body)
        if self.silent is not None:
            self.silent.wait(20)
        if self.status != 200:
            return Answer({"error": {"message": "no"}}, status=self.status)
        return chat(model, self.verdict, self.finish)


def chat(model: str, text: str, finish: str = "stop") -> Answer:
    """A chat answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return Answer({**whole, "usage": usage})


def streamed(model: str) -> Answer:
    """The same as a stream."""
    whole = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model}
    said = {"index": 0, "delta": {"content": f"from {model}"}, "finish_reason": None}
    ended: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return sse({**whole, "choices": [said]}, {**whole, "choices": [ended]}, done=True)


@pytest.fixture
def bench() -> Bench:
    """A judge that is content."""
    return Bench()


@pytest.fixture
def upstream(bench: Bench) -> Iterator[CannedUpstream]:
    """Every model in one."""
    with CannedUpstream(bench) as running:
        yield running


def config(upstream: CannedUpstream, accept: str = "deadline_s: 5", **other: str) -> str:
    """The configuration, with more in `accept` and elsewhere."""
    said = {"more": "", "require": "", "grader": "up", **other}
    return CONFIG.format(url=upstream.url, accept=accept, **said)


def ask(gateway: GatewayThread, **more: object) -> Plain:
    """One request of the route that is judged."""
    body = {"model": "asked", "messages": [{"role": "user", "content": "How high is it?"}], **more}
    return send(gateway.url + "/v1/chat/completions", body, KEY)


@pytest.mark.parametrize(("verdict", "target"), [('{"grade": 0.9}', "cheap"), ('{"grade": 0.3}', "dear")])
@pytest.mark.parametrize("stream", [False, True])
def test_the_grade_decides(
    upstream: CannedUpstream, bench: Bench, verdict: str, target: str, *, stream: bool
) -> None:
    """An answer with the least grade is accepted, one below it goes further, streamed or not."""
    bench.verdict = verdict
    with GatewayThread(config(upstream)) as gateway:
        told = ask(gateway, stream=stream)
        assert told.headers["x-penstock-target"] == target
        material = json.loads(bench.asked[0]["messages"][1]["content"])
        assert material == {
            "conversation": [{"role": "user", "text": "How high is it?"}],
            "answer": "from cheap",
        }
        assert bench.asked[0]["messages"][0]["content"].startswith(RUBRIC)


def test_the_judge_is_an_exchange_of_its_own(upstream: CannedUpstream) -> None:
    """It has its own row with purpose and parent, and its own cost."""
    with GatewayThread(config(upstream)) as gateway:
        told = ask(gateway)
        rows = {row.request.purpose: row for row in gateway.exchanges(2)}
        judged, asked = rows["judge"], rows[""]
        assert judged.request.parent == asked.request.request_id == told.headers["x-penstock-request-id"]
        assert (judged.request.route, judged.subject.org) == ("grading", "acme")
        assert [attempt.cost_nanousd for attempt in judged.attempts] == [10 * MILLI]
        assert [attempt.cost_nanousd for attempt in asked.attempts] == [MILLI]
        assert asked.notes["judge"] == "0.90"


FAILURES = [
    ("it is a fine answer, 0.9", 200, "stop"),
    ('{"grade": 1.4}', 200, "stop"),
    ('{"grade": true}', 200, "stop"),
    ('{"grade": 0.9}', 200, "length"),
    ("", 500, "stop"),
]


@pytest.mark.parametrize(("on_error", "target"), [("escalate", "dear"), ("accept", "cheap")])
@pytest.mark.parametrize(("verdict", "status", "finish"), FAILURES)
def test_a_judge_that_fails_is_answered_for_as_told(
    upstream: CannedUpstream, bench: Bench, verdict: str, status: int, finish: str, on_error: str, target: str
) -> None:
    """No verdict, one out of bounds, a cut one and an error escalate, or accept where the step says so."""
    bench.verdict, bench.status, bench.finish = verdict, status, finish
    with GatewayThread(config(upstream, f"on_error: {on_error}")) as gateway:
        assert ask(gateway).headers["x-penstock-target"] == target
        parents = [row for row in gateway.exchanges(2) if not row.request.purpose]
        assert parents[0].notes["judge"] == "none"


@pytest.mark.parametrize(("on_error", "target"), [("escalate", "dear"), ("accept", "cheap")])
def test_a_judge_that_is_late_is_let_go(
    upstream: CannedUpstream, bench: Bench, on_error: str, target: str
) -> None:
    """After `deadline_s` its exchange ends as cancelled, and the step goes on as told."""
    bench.silent = threading.Event()
    with GatewayThread(config(upstream, f"deadline_s: 0.2, on_error: {on_error}")) as gateway:
        assert ask(gateway).headers["x-penstock-target"] == target
        judged = next(row for row in gateway.exchanges(2) if row.request.purpose == "judge")
        assert judged.outcome == "cancelled"
        bench.silent.set()


def test_the_prompt_can_be_edited_but_not_the_manner(upstream: CannedUpstream, bench: Bench) -> None:
    """A prompt of one's own replaces the rubric; how to reply is still said, and the verdict is bounded."""
    with GatewayThread(config(upstream, more=', prompt: "Only rhymes count.", max_tokens: 50')) as gateway:
        ask(gateway)
    system = bench.asked[0]["messages"][0]["content"]
    assert system.startswith("Only rhymes count.")
    assert RUBRIC not in system
    assert '{"grade": NUMBER}' in system
    assert bench.asked[0]["max_completion_tokens"] == 50


def test_the_whole_conversation_on_demand(upstream: CannedUpstream, bench: Bench) -> None:
    """With `sees: conversation` the judge gets system prompt and turns, of any dialect."""
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]},
    ]
    turns.append({"role": "user", "content": "How high?"})
    body = {"model": "asked", "max_tokens": 9, "system": "Be brief.", "messages": turns}
    with GatewayThread(config(upstream, more=", sees: conversation")) as gateway:
        assert send(gateway.url + "/v1/messages", body, KEY).status == 200
    material = json.loads(bench.asked[0]["messages"][1]["content"])
    said = [(turn["role"], turn["text"]) for turn in material["conversation"]]
    assert said == [("system", "Be brief."), ("user", "Hi"), ("assistant", "Yes?"), ("user", "How high?")]


def test_what_a_route_requires_binds_its_judge(upstream: CannedUpstream, bench: Bench) -> None:
    """A judge that keeps prompts is not shown those of a route that forbids it; the step goes further."""
    strict = "require: {retention_days: 0}"
    with GatewayThread(config(upstream, require=strict, grader="keeps")) as gateway:
        assert ask(gateway).headers["x-penstock-target"] == "dear"
    assert bench.asked == []
    with GatewayThread(config(upstream, require=strict)) as gateway:
        assert ask(gateway).headers["x-penstock-target"] == "cheap"
    assert len(bench.asked) == 1


def test_judges_of_judges_go_two_deep(upstream: CannedUpstream) -> None:
    """Two routes that judge each other end: the third question is not asked, and counts as no verdict."""
    text = config(upstream, "deadline_s: 5, on_error: accept").replace(
        "grading: {policy: grader}",
        "grading: {policy: {cascade: "
        "[{use: grader, accept: {judge: {route: asked}, on_error: accept}}, dear]}}",
    )
    with GatewayThread(text) as gateway:
        assert ask(gateway).headers["x-penstock-target"] == "cheap"
        assert sum(row.request.purpose == "judge" for row in gateway.exchanges(3)) == 2


def test_a_client_that_leaves_takes_the_judge_along(upstream: CannedUpstream, bench: Bench) -> None:
    """The inner call is cancelled with the exchange that it is for."""
    bench.silent = threading.Event()
    with GatewayThread(config(upstream)) as gateway:
        told: list[Plain] = []
        asking = threading.Thread(target=lambda: told.append(ask(gateway)))
        asking.start()
        while not bench.asked:
            bench.silent.wait(0.005)
        running = gateway.call(lambda: list(gateway.context.running.values()))
        parent = next(each for each in running if each.told()["route"] == "asked")
        assert gateway.call(parent.kill)
        rows = gateway.exchanges(2)
        assert {row.request.purpose: row.outcome for row in rows}["judge"] == "cancelled"
        asking.join(10)
        bench.silent.set()
    assert told[0].status >= 400


@pytest.mark.parametrize(
    ("route", "said"), [("asked", "is its own judge"), ("gradin", "did you mean 'grading'")]
)
def test_a_judge_that_cannot_be_is_told_at_once(upstream: CannedUpstream, route: str, said: str) -> None:
    """A route that judges itself, and a name that is none, are errors of the file."""
    text = config(upstream).replace("route: grading", f"route: {route}")
    with pytest.raises(ConfigError) as error:
        load_text(text, {})
    assert said in str(error.value)
