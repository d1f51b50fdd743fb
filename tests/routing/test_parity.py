"""Parity of two hosts: what the same weights look like, and what speaks against them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from penstock.cli.route import route
from penstock.core.parity import Answer, Token, compare, parity
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread


def answer(text: str, **more: Any) -> Answer:
    """An answer of ten input tokens."""
    return msgspec.structs.replace(Answer(text, "stop", 10, 5, 0.5), **more)


def tokens(*logprobs: float) -> tuple[Token, ...]:
    """Tokens `a`, `b`, … with these log-probabilities."""
    return tuple(Token(chr(97 + at), each) for at, each in enumerate(logprobs))


def test_two_answers_are_compared_up_to_where_they_part() -> None:
    """The common beginning, and log-probabilities of the tokens before the first that differs."""
    left = answer("abcd", tokens=tokens(-0.1, -0.2))
    right = answer("abxx", tokens=(*tokens(-0.1), Token("z", -9.0)))
    found = compare(left, right)
    assert (found.identical, found.prefix, found.logprob_gap) == (False, 0.5, 0.0)


def test_the_same_weights_show_nothing() -> None:
    """A host that differs no more than the first one from itself is taken for the same."""
    rows = [
        (answer("x"), answer("x" if at % 4 else "y"), answer("x" if at % 4 else "z"), ()) for at in range(20)
    ]
    found = parity(rows)
    assert (found.identical, found.own_identical, found.findings) == (0.75, 0.75, ())


@pytest.mark.parametrize(
    ("other", "keys", "words"),
    [
        (answer("x", input_tokens=14), (), "another tokenizer"),
        (answer("y"), (), "more often than one host's own"),
        (answer("x", tokens=tokens(-0.9)), (), "another precision or other weights"),
        (answer("x", error="status 500"), (), "no prompt was answered by both"),
        (answer("no JSON"), ("city",), "from one host only"),
    ],
)
def test_what_speaks_against_it_is_named(other: Answer, keys: tuple[str, ...], words: str) -> None:
    """Each difference that the same weights do not make is a finding in words."""
    own = answer('{"city": "Paris"}' if keys else "x", tokens=tokens(-0.1))
    found = parity([(own, own, other, keys)] * 20)
    assert any(words in finding for finding in found.findings)


@pytest.fixture(scope="module")
def gateway() -> Iterator[GatewayThread]:
    """A gateway with two hosts: the same model twice, and one that talks differently."""
    config = """
version: 1
providers: {sim: {kind: simulator}}
deployments:
  here: {provider: sim, model: echo}
  there: {provider: sim, model: echo}
  other: {provider: sim, model: echo, set: {system_prompt: "Talk like a pirate, always and at length."}}
routes: {r: {policy: here}}
keys: [{name: dev, secret: sk-dev-0123456789, direct: true}]
"""
    with (
        SimulatorThread() as simulator,
        GatewayThread(config, urls={"simulator": f"{simulator.url}/v1"}) as running,
    ):
        yield running


def run(gateway: GatewayThread, *targets: str) -> tuple[int, dict[str, Any]]:
    """The command's exit code and what it prints."""
    words = ["parity", *targets, "--url", gateway.url, "--api-key", "sk-dev-0123456789", "--json"]
    done = CliRunner().invoke(route, words)
    return done.exit_code, json.loads(done.stdout)


def test_two_hosts_are_compared_through_the_gateway(gateway: GatewayThread) -> None:
    """The same model agrees; another prompt template counts other input tokens, and the exit says so."""
    code, told = run(gateway, "here", "there")
    assert (code, told["identical"], told["findings"]) == (0, 1.0, [])
    code, told = run(gateway, "here", "other")
    assert code == 1
    assert any("another chat template" in finding for finding in told["findings"])
