"""How hedges are written, and what is said of those that cannot be read."""

from __future__ import annotations

import pytest

from penstock.compile.plan import compile_plan
from penstock.config.load import ConfigError, load_text
from penstock.core.policy import HedgeNode
from penstock.core.price_book import PriceBook

DOCUMENT = """
version: 1
providers: {{p: {{kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: k}}}}
routes: {{r: {{policy: {{hedge: {hedge}}}}}}}
"""


def node(hedge: str) -> HedgeNode:
    """The route's policy."""
    plan = compile_plan(
        load_text(DOCUMENT.format(hedge=hedge), {}),
        revision="",
        prices=PriceBook("none", {}),
        reveal=lambda secret: secret.resolve({}),
        urls={},
        now_ms=0,
    )
    policy = plan.routes["r"].policy
    assert isinstance(policy, HedgeNode)
    return policy


def test_what_may_be_left_out() -> None:
    """p95 of the first target's own latencies, five per cent of the requests."""
    made = node("[p/a, p/b]")
    assert len(node("{of: [p/a, p/b]}").children) == 2
    assert (made.after_s, made.quantile, made.max_percent) == (None, 0.95, 5.0)
    assert len(made.children) == 2


@pytest.mark.parametrize(
    ("after", "seconds", "quantile"),
    [("p50", None, 0.5), ("p99.9", None, 0.999), ("0.8", 0.8, 0.0), ("2", 2.0, 0.0)],
)
def test_when_the_second_starts(after: str, seconds: float | None, quantile: float) -> None:
    """A percentile, or seconds."""
    made = node(f"{{of: [p/a, p/b], after: {after}}}")
    assert made.after_s == seconds
    assert made.quantile == pytest.approx(quantile)


@pytest.mark.parametrize(
    ("hedge", "path", "said"),
    [
        ("{of: [p/a]}", "of", "a hedge needs two nodes or more"),
        ("7", "hedge", "got"),
        ("{of: [p/a, p/b], after: p0}", "after", "neither seconds nor a percentile"),
        ("{of: [p/a, p/b], after: soon}", "after", "write it like p95 or 0.8"),
        ("{of: [p/a, p/b], after: -1}", "after", "neither seconds nor a percentile"),
        ("{of: [p/a, p/b], max_percent: 200}", "max_percent", "100"),
        ("{of: [p/a, p/b], aftr: p95}", "aftr", "after"),
        ("{of: []}", "of", "an empty list"),
    ],
)
def test_mistakes_are_told(hedge: str, path: str, said: str) -> None:
    """Each with its place and how to write it."""
    with pytest.raises(ConfigError) as caught:
        load_text(DOCUMENT.format(hedge=hedge), {})
    assert said in str(caught.value)
    assert path in str(caught.value)
