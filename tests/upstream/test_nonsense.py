"""Whatever an upstream does wrong becomes a clear error or the next target's answer, and is written down."""

from __future__ import annotations

import json

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.upstream.asking import FIRST, SECOND, ask, code_of

# What the upstream does before any content, and the status and code that the client gets.
BEFORE = [
    ("garbage", 502, "upstream_garbage"),
    ("html", 502, "upstream_garbage"),
    ("empty-204", 502, "upstream_garbage"),
    ("refuse", 502, "upstream_error"),
    ("cut-after-0", 502, "upstream_error"),
    ("error-first", 502, "upstream_error"),
    ("error-500", 502, "upstream_error"),
    ("error-529", 503, "upstream_overloaded"),
    ("error-401", 502, "upstream_auth"),
    ("error-403", 502, "upstream_auth"),
    ("error-429+retry-after-7s", 429, "upstream_rate_limited"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fault", "status", "code"), BEFORE)
def test_nonsense_before_the_content(
    gateway: GatewayThread, simulator: SimulatorThread, fault: str, status: int, code: str, *, stream: bool
) -> None:
    """The client learns what happened where, once; the exchange is an error that cost nothing unseen."""
    simulator.play(fault, model=FIRST)
    answer = ask(gateway, "one", stream=stream)
    assert (answer.status, code_of(answer)) == (status, code)
    assert answer.json["error"]["message"].startswith("a: ")
    assert answer.json["error"]["request_id"] == answer.headers["x-penstock-request-id"]
    assert len(simulator.requests()) == 1
    exchange = gateway.exchanges()[0]
    assert (exchange.outcome, exchange.status, exchange.code) == ("error", status, code)
    assert len(exchange.attempts) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [fault for fault, _, _ in BEFORE] + ["error-404", "cut-mid-event"])
def test_the_next_target_answers_instead(
    gateway: GatewayThread, simulator: SimulatorThread, fault: str, *, stream: bool
) -> None:
    """The client sees a whole answer of the second target, and nothing of the first."""
    if stream and fault == "cut-mid-event":
        fault = "cut-after-1"  # after the role, before the first word
    simulator.play(fault, model=FIRST)
    answer = ask(gateway, "two", stream=stream)
    assert answer.status == 200
    assert answer.headers["x-penstock-target"] == "b"
    assert answer.headers["x-penstock-attempts"] == "2"
    assert b'"first+tokens-40"' not in answer.body
    assert [each.model for each in simulator.requests()] == [FIRST, SECOND]
    exchange = gateway.exchanges()[0]
    assert [attempt.target for attempt in exchange.attempts] == ["a", "b"]
    assert [attempt.outcome for attempt in exchange.attempts] == ["error", "ok"]


@pytest.mark.parametrize("fault", ["malformed-sse", "cut-mid-event"])
def test_a_whole_answer_that_is_broken(gateway: GatewayThread, simulator: SimulatorThread, fault: str) -> None:
    """Half a body is no answer, whatever its status said."""
    simulator.play(fault, model=FIRST)
    answer = ask(gateway, "one")
    assert answer.status == 502
    assert code_of(answer) in {"upstream_garbage", "upstream_error"}


AFTER = [
    ("cut-after-9", "upstream_error"),
    ("error-after-9", "upstream_error"),
    ("itl-1ms+cut-mid-event", "upstream_error"),
    ("malformed-sse", "upstream_garbage"),
]


@pytest.mark.parametrize(("fault", "code"), AFTER)
def test_a_stream_that_breaks_off(
    gateway: GatewayThread, simulator: SimulatorThread, fault: str, code: str
) -> None:
    """What had come is delivered, then an error in the stream's own shape; no other target speaks on."""
    simulator.play(fault, model=FIRST)
    answer = ask(gateway, "two", stream=True)
    assert answer.status == 200
    events = [line.removeprefix("data: ") for line in answer.body.decode().splitlines() if line]
    assert json.loads(events[-1])["error"]["code"] == code
    assert all("choices" in json.loads(event) for event in events[:-1])
    assert [each.model for each in simulator.requests()] == [FIRST]
    exchange = gateway.exchanges()[0]
    assert (exchange.outcome, exchange.status, exchange.code) == ("error", 200, code)
    attempt = exchange.attempts[0]
    assert attempt.usage_source == "estimated"
    assert attempt.usage.output_tokens > 0
    assert attempt.cost_nanousd


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_says_nothing(
    gateway: GatewayThread, simulator: SimulatorThread, *, stream: bool
) -> None:
    """A hang ends in 504, and the upstream's connection with it."""
    simulator.play("hang", model=FIRST)
    answer = ask(gateway, "hasty", stream=stream)
    assert (answer.status, code_of(answer)) == (504, "upstream_timeout")
    assert gateway.exchanges()[0].attempts[0].cause in {"first_event_timeout", "total_timeout"}


def test_a_stream_that_falls_silent(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """After some content the client gets a time-out in the stream."""
    simulator.play("hang-after-9", model=FIRST)
    answer = ask(gateway, "hasty", stream=True)
    assert answer.status == 200
    assert b'"code":"upstream_timeout"' in answer.body
    assert gateway.exchanges()[0].attempts[0].cause == "idle_timeout"


def test_a_late_first_event_goes_to_the_next_target(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """Headers and a role alone do not hold a client to a target that says nothing more."""
    simulator.play("hang-after-1", model=FIRST)
    answer = ask(gateway, "hurried", stream=True)
    assert answer.status == 200
    assert answer.headers["x-penstock-target"] == "b"
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_drip_is_an_answer(gateway: GatewayThread, simulator: SimulatorThread, *, stream: bool) -> None:
    """One byte at a time is slow, not wrong."""
    simulator.play("drip-0.001ms" if not stream else "tiny+drip-0.001ms", model=FIRST)
    answer = ask(gateway, "one", stream=stream)
    assert answer.status == 200
    assert gateway.exchanges()[0].outcome == "ok"


def test_nobody_listens(gateway: GatewayThread) -> None:
    """A refused connection is told as such, or the next target answers."""
    answer = ask(gateway, "nobody")
    assert (answer.status, code_of(answer)) == (502, "upstream_unreachable")
    assert ask(gateway, "reached").headers["x-penstock-target"] == "a"
    first, second = gateway.exchanges(2)
    assert first.attempts[0].cost_nanousd == 0
    assert [attempt.cause for attempt in second.attempts] == ["connect_refused", ""]


def test_the_error_names_every_target_that_was_tried(
    gateway: GatewayThread, simulator: SimulatorThread
) -> None:
    """When all fail, the last one's words stand first and the others are named."""
    simulator.play("error-500", count=2)
    answer = ask(gateway, "two")
    assert answer.status == 502
    assert answer.json["error"]["message"].startswith("b: ")
    assert "a (status_500), b (status_500)" in answer.json["error"]["message"]


def test_a_fixed_text_ends_a_policy(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """The static terminal answers, whole and streamed, and says that it is degraded."""
    simulator.play("error-500", count=2)
    whole = ask(gateway, "sorry")
    assert whole.json["choices"][0]["message"]["content"] == "Please call again."
    assert whole.headers["x-penstock-degraded"] == "static"
    stream = ask(gateway, "sorry", stream=True)
    assert b"Please call again." in stream.body
    assert stream.body.endswith(b"data: [DONE]\n\n")
