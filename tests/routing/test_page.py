"""The page about routing: each of its examples is a configuration that loads and compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.compile.dry import dry_plan
from penstock.config.load import load_text
from penstock.core.policy import PolicyNode
from penstock.routing.explain import name_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "routing.md"
HEAD = """
version: 1
providers:
  sim: {kind: simulator}
  openai: {kind: openai, api_key: k}
  openrouter: {kind: openrouter, api_key: k}
"""
DEPLOYMENTS = """
deployments:
  cheap: {provider: sim, model: echo, price: {input: 0.1, output: 0.4}}
  strong: {provider: sim, model: echo, price: {input: 3, output: 15}}
"""
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
ENV = {"HOOK_SECRET": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}


def whole(example: str) -> str:
    """The example in a configuration."""
    if example.startswith("policy:"):
        indented = "".join(f"    {line}\n" for line in example.splitlines())
        return f"{HEAD}{DEPLOYMENTS}routes:\n  r:\n{indented}"
    return HEAD + example.replace("deployments:\n", DEPLOYMENTS.replace("  cheap:", "  first:"), 1)


def kinds(node: PolicyNode) -> set[str]:
    """The kinds of nodes in a tree."""
    return {name_of(node)}.union(*(kinds(below) for below in node.below()))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: str) -> None:
    """Loads without a problem and compiles."""
    plan = dry_plan(load_text(whole(example), ENV), 0)
    assert plan.routes["r"].name == "r"


def test_every_node_that_chooses_has_an_example() -> None:
    """A reader finds each node on the page, in an example that runs."""
    found = set[str]().union(
        *(kinds(dry_plan(load_text(whole(each), ENV), 0).routes["r"].policy) for each in EXAMPLES)
    )
    wanted = {
        "when",
        "cheapest",
        "fastest",
        "sticky",
        "canary",
        "ab",
        "easy",
        "weighted",
        "fallback",
        "webhook",
    }
    assert wanted <= found
