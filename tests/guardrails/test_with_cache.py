"""Guards before the cache: what was put back into one caller's answer is nobody else's."""

from __future__ import annotations

from penstock.testing.simulator import SimulatorThread
from tests.guardrails.house import chat, content, gateway

CONFIG = """
guards:
  mail: {kind: regex, patterns: ['[\\w.]+@[\\w.]+\\w'], action: redact, reversible: true}
routes:
  r: {policy: up/echo, cache: {exact: {ttl_s: 60}}, guards: {input: [mail]}}
"""


def test_the_same_placeholder_is_not_the_same_question(simulator: SimulatorThread) -> None:
    """Two addresses look alike to the vendor, and their answers are kept apart."""
    with gateway(simulator, CONFIG) as running:
        told = [chat(running.url, f"to {who}@example.com") for who in ("ann", "joe", "ann")]
    assert [content(each) for each in told] == [f"to {who}@example.com" for who in ("ann", "joe", "ann")]
    assert [each.headers["x-penstock-cache"] for each in told[:2]] == ["miss", "miss"]
