"""Which stage of a policy answered, and after how many attempts: in the answer's head and in the ledger."""

from __future__ import annotations

import threading

import pytest

from penstock.core.choosing import EasyNode
from penstock.core.difficulty import shipped
from penstock.core.policy import FallbackNode, PolicyNode, TargetNode
from penstock.routing.trees import map_targets, name_stages
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.clients.plain import Plain, send
from tests.routing.walking import node

KEY = "sk-test-gateway"
# Echo repeats the prompt, so that the test says what the cheap answer is.
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  narrow: {{provider: up, model: slow-100ms+echo, limits: {{concurrency: 1}}}}
routes:
  alone: {{policy: up/echo}}
  steps: {{policy: {{cascade: [{{use: up/echo, accept: {{regex: "^yes"}}}}, up/tokens-10]}}}}
  samples: {{policy: {{cascade: [{{use: up/echo, accept: {{agreement: {{samples: 3}}}}}}, up/tokens-10]}}}}
  next: {{policy: {{fallback: [up/error-503, {{weighted: [{{use: up/echo, weight: 1}}]}}]}}}}
  cases:
    policy:
      when: [{{if: {{stream: {{$eq: true}}}}, use: up/echo}}]
      else: {{canary: {{to: up/tiny, percent: 0, from: up/echo}}}}
  tight: {{policy: {{cascade: [{{use: narrow, accept: {{regex: "^yes"}}}}, up/tokens-10]}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
"""


def ask(gateway: GatewayThread, route: str, prompt: str = "yes it is", *, stream: bool = False) -> Plain:
    """One request."""
    body = {"model": route, "messages": [{"role": "user", "content": prompt}], "stream": stream}
    return send(gateway.url + "/v1/chat/completions", body, KEY)


CASES = [
    ("alone", "yes", None, "1"),
    ("steps", "yes", "cascade[0]", "1"),
    ("steps", "no", "cascade[1]", "2"),
    ("samples", "yes", "cascade[0]", "3"),
    ("next", "yes", "fallback[1].weighted[0]", "2"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("route", "prompt", "stage", "attempts"), CASES)
def test_the_head_says_which_stage_answered(
    simulator: SimulatorThread, route: str, prompt: str, stage: str | None, attempts: str, *, stream: bool
) -> None:
    """With the number of attempts that were made for it, streamed or not; the ledger says the same."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        told = ask(gateway, route, prompt, stream=stream)
        assert told.headers.get("x-penstock-stage") == stage
        assert told.headers["x-penstock-attempts"] == attempts
        (row,) = gateway.exchanges(1)
    assert row.notes.get("stage") == stage
    assert ("fallback_from" in row.notes) == (route == "next"), "going further in a cascade is no fallback"
    assert len(row.attempts) == int(attempts)


def test_children_go_by_their_names(simulator: SimulatorThread) -> None:
    """Where the document names a node's children, so do stages."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        assert ask(gateway, "cases", stream=True).headers["x-penstock-stage"] == "when[0]"
        assert ask(gateway, "cases").headers["x-penstock-stage"] == "when.else.canary.from"


def stages(tree: PolicyNode | None) -> list[str]:
    """Of all targets, in order."""
    if tree is None:
        return []
    if isinstance(tree, TargetNode):
        return [tree.stage]
    return [stage for child in tree.below() for stage in stages(child)]


def test_what_is_left_of_a_tree_keeps_its_names() -> None:
    """A stage means the same place for everybody, whatever their keys may use."""
    tree = FallbackNode((node("a"), EasyNode(node("b"), node("c"), node("d"), shipped()), node("e")))
    name_stages(tree)
    assert stages(tree) == [
        "fallback[0]",
        "fallback[1].easy.default",
        "fallback[1].easy.hard",
        "fallback[1].easy.simple",
        "fallback[2]",
    ]
    held = map_targets(tree, lambda target: None if target.id in "ac" else target)
    assert set(stages(held)) == {"fallback[1].easy.hard", "fallback[1].easy.simple", "fallback[2]"}


def test_a_step_that_is_full_is_waited_for(simulator: SimulatorThread) -> None:
    """A cascade's only cheap slot is taken: the second request queues for it, and is judged like the first."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        told: list[str] = []
        asking = [
            threading.Thread(target=lambda: told.append(ask(gateway, "tight").headers["x-penstock-stage"]))
            for _ in range(3)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join(20)
    assert told == ["cascade[0]"] * 3
