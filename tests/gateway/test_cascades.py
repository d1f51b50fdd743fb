"""Cascades through a gateway: what the client gets, and what is charged."""

from __future__ import annotations

import json

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.clients.plain import Plain, send

KEY = "sk-test-gateway"
# Echo repeats the prompt, so that the test says what the cheap answer is; ten tokens are the dear one.
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  cheap: {{provider: up, model: echo, price: {{input: 0, request: 0.001}}}}
  dear: {{provider: up, model: tokens-10, price: {{input: 0, request: 0.1}}}}
routes:
  exact: {{policy: {{cascade: [{{use: cheap, accept: {{regex: "^yes"}}}}, dear]}}}}
  sampled: {{policy: {{cascade: [{{use: cheap, accept: {{agreement: {{samples: 3}}}}}}, dear]}}}}
  alone:
    policy:
      learned: {{model: none.model, cheap: cheap, strong: dear, default: strong, strong_percent: 50}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
"""
MILLI = 1_000_000


def ask(
    gateway: GatewayThread, route: str, prompt: str, path: str = "/v1/chat/completions", **more: object
) -> Plain:
    """One request."""
    body = {"model": route, "messages": [{"role": "user", "content": prompt}], **more}
    return send(gateway.url + path, body, KEY)


def charged(gateway: GatewayThread, count: int) -> list[tuple[str, int | None]]:
    """The targets of the last exchange's attempts, with what they cost."""
    attempts = gateway.exchanges(count)[-1].attempts
    return [(attempt.target, attempt.cost_nanousd) for attempt in attempts]


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_sees_one_answer_and_pays_for_all(simulator: SimulatorThread, *, stream: bool) -> None:
    """An answer that passes comes from the cheap target; one that does not costs both, streamed or not."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        passed = ask(gateway, "exact", "yes it is", stream=stream)
        assert passed.headers["x-penstock-target"] == "cheap"
        assert b"yes" in passed.body
        assert charged(gateway, 1) == [("cheap", MILLI)]
        failed = ask(gateway, "exact", "no idea", stream=stream)
        assert failed.headers["x-penstock-target"] == "dear"
        assert b"no idea" not in failed.body
        assert sorted(charged(gateway, 2)) == [("cheap", MILLI), ("dear", 100 * MILLI)]


def test_every_sample_is_charged(simulator: SimulatorThread) -> None:
    """Three that agree cost three; the client gets one of them."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        told = ask(gateway, "sampled", "four")
        assert json.loads(told.body)["choices"][0]["message"]["content"] == "four"
        assert charged(gateway, 1) == [("cheap", MILLI)] * 3


def test_answers_in_another_dialect_are_read_as_well(simulator: SimulatorThread) -> None:
    """A client of Anthropic's API gets the same decisions."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        for prompt, target in (("yes it is", "cheap"), ("no idea", "dear")):
            told = ask(gateway, "exact", prompt, "/v1/messages", max_tokens=50)
            assert told.headers["x-penstock-target"] == target


def test_without_an_inference_process_the_default_answers(simulator: SimulatorThread) -> None:
    """Nobody can be asked, so the stated default is used, at once."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        assert ask(gateway, "alone", "anything").headers["x-penstock-target"] == "dear"
