"""A route whose vendors are told what of a prompt to cache: rules on its targets, prefixes that stay put."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from penstock.config import document as doc
from penstock.core.choosing import StickyNode
from penstock.core.policy import PolicyNode, WeightedNode
from penstock.core.prompt_cache import LONG_S, SHORT_S
from penstock.core.target import Target
from penstock.providers.prompt_cache_rows import prompt_cache_rule
from penstock.routing.trees import map_targets


def with_prompt_cache(policy: PolicyNode, config: doc.Route) -> PolicyNode:
    """The policy as the route wants it.

    A draw by weight would send each turn of a conversation elsewhere, where nothing of it is cached: it becomes
    a draw by the prompt's prefix, in the same proportions.
    """
    if config.prompt_cache == "off":
        return policy
    ttl_s = LONG_S if config.prompt_cache_ttl == "1h" else SHORT_S
    always = config.prompt_cache == "always"

    def ruled(target: Target) -> Target:
        rule = prompt_cache_rule(target, ttl_s, always=always)
        return target if rule is None else replace(target, prompt_cache=rule)

    return map_targets(_sticky(policy), ruled) or policy


def _sticky(node: PolicyNode) -> PolicyNode:
    below = [_sticky(child) for child in node.below()]
    if below and any(new is not old for new, old in zip(below, node.below(), strict=True)):
        node = node.with_below(below) or node
    if isinstance(node, WeightedNode):
        weights = tuple([above - before for before, above in pairwise((0.0, *node.upto))])
        return StickyNode(node.children, weights, "prefix")
    return node
