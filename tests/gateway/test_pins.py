"""Targets that are held to one model, and vendors that answer with another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.compile.dry import dry_plan
from penstock.compile.targets import CompileError
from penstock.config.load import load_text
from penstock.core.pins import UNPINNED, Pin
from penstock.core.routing_alerts import RoutingWatch
from penstock.testing.gateway import GatewayThread
from tests.gateway.asking import ask
from tests.gateway.test_mirror import streamed
from tests.translation.upstream import Answer, Asked, CannedUpstream, sse

CONFIG = """
version: 1
providers: {{up: {{kind: openai, base_url: "{url}/v1"}}}}
deployments:
  held: {{provider: up, model: sonnet, pin: {{model: "{model}", on_change: {on_change}}}}}
  spare: {{provider: up, model: spare}}
routes: {{pay: {{policy: {{fallback: [held, spare]}}}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
"""


def answered(asked: Asked) -> Answer:
    """What is asked for sonnet is answered by a newer one."""
    model = {"sonnet": "sonnet-2026-11"}.get(asked.body["model"], asked.body["model"])
    head: dict[str, Any] = {"id": "c", "created": 1, "model": model}
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    if asked.body.get("stream"):
        delta = {"index": 0, "delta": {"role": "assistant", "content": model}, "finish_reason": None}
        last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
        kind = {**head, "object": "chat.completion.chunk"}
        return sse({**kind, "choices": [delta]}, {**kind, "choices": [last], "usage": usage}, done=True)
    message = {"index": 0, "message": {"role": "assistant", "content": model}, "finish_reason": "stop"}
    return Answer({**head, "object": "chat.completion", "choices": [message], "usage": usage})


@pytest.fixture
def upstream() -> Iterator[CannedUpstream]:
    """A vendor that has changed its model."""
    with CannedUpstream(answered) as running:
        yield running


def gateway(upstream: CannedUpstream, model: str, on_change: str) -> GatewayThread:
    """A gateway whose first target is held to a model."""
    return GatewayThread(CONFIG.format(url=upstream.url, model=model, on_change=on_change))


@pytest.mark.parametrize("stream", [False, True])
def test_another_model_than_the_pinned_one_makes_the_next_target_answer(
    upstream: CannedUpstream, *, stream: bool
) -> None:
    """Before the client sees a byte of it; the first attempt is on record, and so is why."""
    with gateway(upstream, "sonnet-2026-05", "fallback") as running:
        if stream:
            assert b"spare" in streamed(running.url)
        else:
            assert ask(running.url, "pay").body["choices"][0]["message"]["content"] == "spare"
        (row,) = running.exchanges(1)
    assert [(each.target, each.cause) for each in row.attempts] == [("held", "unpinned"), ("spare", "")]
    assert row.notes[UNPINNED] == "held: sonnet-2026-11"


@pytest.mark.parametrize("stream", [False, True])
def test_where_only_an_alert_is_wanted_the_answer_passes(upstream: CannedUpstream, *, stream: bool) -> None:
    """The alert that a model has changed is raised with the pin in it."""
    with gateway(upstream, "sonnet-2026-05", "alert") as running:
        if stream:
            assert b"sonnet-2026-11" in streamed(running.url)
        else:
            assert ask(running.url, "pay").body["choices"][0]["message"]["content"] == "sonnet-2026-11"
        (row,) = running.exchanges(1)
    watch = RoutingWatch()
    watch.take(row)
    (told,) = [one for one in watch.readings(row.ended_ms + 1, 0) if one.rule.kind == "model.changed"]
    assert told.value >= told.rule.threshold
    assert "held is pinned to another model than 'sonnet-2026-11'" in told.message


def test_a_pattern_holds_a_family(upstream: CannedUpstream) -> None:
    """Nothing is noted where the answer is of it."""
    with gateway(upstream, "sonnet-2026-*", "fallback") as running:
        assert ask(running.url, "pay").status == 200
        (row,) = running.exchanges(1)
    assert (row.attempts[-1].target, row.notes.get(UNPINNED)) == ("held", None)
    assert not Pin("x", falls_over=True).broken("")


AGGREGATED = """
version: 1
providers: {router: {kind: KIND, api_key: k, base_url: "http://127.0.0.1:9/v1"}}
deployments:
  held:
    provider: router
    model: meta/llama
    set: {provider: {zdr: true}}
    pin: {hosts: [together], quantizations: [bf16]}
"""


def test_an_aggregator_is_told_hosts_and_quantisations() -> None:
    """OpenRouter's own words, beside what the deployment sets; whoever has one host says that he cannot."""
    plan = dry_plan(load_text(AGGREGATED.replace("KIND", "openrouter"), {}), 0)
    assert json.loads(plan.deployments["held"].set_fields["provider"]) == {
        "zdr": True,
        "only": ["together"],
        "allow_fallbacks": False,
        "quantizations": ["bf16"],
    }
    with pytest.raises(CompileError, match="groq has one host"):
        dry_plan(load_text(AGGREGATED.replace("KIND", "groq"), {}), 0)
