"""A client that hangs up stops the spend upstream; what had been made is charged, as an estimate."""

from __future__ import annotations

import json
import socket
import time

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.upstream.asking import KEY, ask


def open_request(gateway: GatewayThread, model: str, *, stream: bool) -> socket.socket:
    """A request that has been sent, on a socket of its own."""
    messages = [{"role": "user", "content": "Hello there, how are you?"}]
    body = json.dumps({"model": model, "messages": messages, "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    client = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    client.sendall(head.encode() + body)
    return client


def wait_for(simulator: SimulatorThread, fate: str) -> None:
    """Until the simulator's only request has met this fate."""
    deadline = time.monotonic() + 20
    while not [each for each in simulator.requests() if each.fate == fate]:
        assert time.monotonic() < deadline, simulator.requests()
        time.sleep(0.005)


def read_until(client: socket.socket, text: bytes) -> bytes:
    """What arrives, up to and including this text."""
    got = b""
    while text not in got:
        piece = client.recv(65536)
        assert piece, got
        got += piece
    return got


def test_in_the_middle_of_a_stream(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """The upstream sees the hang-up; the pieces that came are charged."""
    with open_request(gateway, "sim/tokens-5000+itl-5ms", stream=True) as client:
        read_until(client, b'"content":"')
    wait_for(simulator, "hung_up")
    exchange = gateway.exchanges()[0]
    assert (exchange.outcome, exchange.status, exchange.code) == ("cancelled", 499, "client_closed")
    attempt = exchange.attempts[0]
    assert (attempt.outcome, attempt.usage_source) == ("cancelled", "estimated")
    assert attempt.usage.input_tokens > 0
    assert 0 < attempt.usage.output_tokens < 5000
    assert attempt.cost_nanousd == attempt.usage.input_tokens * 1000 + attempt.usage.output_tokens * 2000


@pytest.mark.parametrize("stream", [False, True])
def test_before_the_first_byte(gateway: GatewayThread, simulator: SimulatorThread, *, stream: bool) -> None:
    """What the upstream works on is charged: the input, and a whole answer as one of usual length."""
    with open_request(gateway, "sim/tokens-100+slow-60s", stream=stream):
        wait_for(simulator, "open")
    wait_for(simulator, "hung_up")
    attempt = gateway.exchanges()[0].attempts[0]
    assert (attempt.outcome, attempt.usage_source) == ("cancelled", "estimated")
    assert attempt.usage.input_tokens > 0
    assert attempt.cost_nanousd


def test_the_estimate_follows_what_was_reported_before(
    gateway: GatewayThread, simulator: SimulatorThread
) -> None:
    """After answers with reported usage the estimate of a cut stream is near what it held."""
    for _ in range(5):
        ask(gateway, "sim/tokens-400+itl-0ms", stream=True)
    simulator.play("cut-after-101", count=1)
    answer = ask(gateway, "sim/tokens-400+itl-0ms", stream=True)
    assert answer.body.count(b'"content":"') >= 90
    attempt = gateway.exchanges(6)[-1].attempts[-1]
    assert attempt.usage_source == "estimated"
    assert attempt.usage.output_tokens == pytest.approx(100, rel=0.2)
    assert attempt.usage.input_tokens == gateway.exchanges(6)[0].attempts[0].usage.input_tokens
