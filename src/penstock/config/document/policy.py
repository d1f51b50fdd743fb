"""The policy of a route: a tree of nodes that says which targets are tried, and in which order.

In the file a bare string is a target and every other node is a mapping with one key that names it, so the
shape there differs from these types; `config.policy` reads one into the other.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.fields import Lateness, Percent, Target, Text, Weight


class TargetNode(msgspec.Struct, frozen=True, kw_only=True, tag="target", tag_field="node"):
    """Try this one target.

    Attributes:
        target: A deployment's name, or `provider/model`.
    """

    target: Target


class StaticNode(msgspec.Struct, frozen=True, kw_only=True, tag="static", tag_field="node"):
    """Answer with a fixed text, marked degraded.

    Attributes:
        text: The answer.
    """

    text: Text


class FallbackNode(msgspec.Struct, frozen=True, kw_only=True, tag="fallback", tag_field="node"):
    """Try the children in order until one answers.

    Attributes:
        children: At least one node.
    """

    children: tuple[PolicyNode, ...]


class WeightedBranch(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a weighted choice.

    Attributes:
        use: The node that is used.
        weight: Its share, relative to the sum of all weights; above zero.
    """

    use: PolicyNode
    weight: Weight = 1.0


class WeightedNode(msgspec.Struct, frozen=True, kw_only=True, tag="weighted", tag_field="node"):
    """Choose one branch at random, by weight.

    Attributes:
        branches: At least one branch.
    """

    branches: tuple[WeightedBranch, ...]


class CheapestNode(msgspec.Struct, frozen=True, kw_only=True, tag="cheapest", tag_field="node"):
    """Try the children from the cheapest for this request to the dearest.

    Attributes:
        children: At least one node.
    """

    children: tuple[PolicyNode, ...]


class FastestNode(msgspec.Struct, frozen=True, kw_only=True, tag="fastest", tag_field="node"):
    """Try the children from the fastest of late to the slowest.

    Attributes:
        children: At least one node.
    """

    children: tuple[PolicyNode, ...]


class HedgeNode(msgspec.Struct, frozen=True, kw_only=True, tag="hedge", tag_field="node"):
    """Start the next child beside the first one where that is late; the first answer wins, both are paid.

    Attributes:
        of: At least two nodes; like `fallback` where one fails.
        after: How long the first may take: a percentile of its own latencies such as `p95`, or seconds.
        max_percent: Share of the route's requests, in per cent, for which there may be a second attempt.
    """

    of: tuple[PolicyNode, ...]
    after: Lateness = "p95"
    max_percent: Percent = 5.0


class WhenCase(msgspec.Struct, frozen=True, kw_only=True):
    """One condition and what it leads to.

    Attributes:
        condition: Predicates over the request, such as `{input_tokens: {$gt: 100000}}`.
        use: The node that is used where they hold.
    """

    condition: dict[str, Any]
    use: PolicyNode


class WhenNode(msgspec.Struct, frozen=True, kw_only=True, tag="when", tag_field="node"):
    """Use the first case whose condition holds.

    Attributes:
        cases: At least one case.
        otherwise: The node that is used where none holds (`else` in the file).
    """

    cases: tuple[WhenCase, ...]
    otherwise: PolicyNode


LaterKind = Literal["sticky", "canary", "ab", "cascade", "easy", "learned", "cached", "webhook"]


class LaterNode(msgspec.Struct, frozen=True, kw_only=True, tag="later", tag_field="node"):
    """A node whose engine, and with it the shape of its options, comes later.

    `config.needs` refuses it until then.

    Attributes:
        kind: The node's name in the file.
        options: Its options as written.
    """

    kind: LaterKind
    options: Any = None


PolicyNode = (
    TargetNode
    | StaticNode
    | FallbackNode
    | WeightedNode
    | CheapestNode
    | FastestNode
    | HedgeNode
    | WhenNode
    | LaterNode
)
Policy = Annotated[PolicyNode, Meta(extra={"reads": "policy"})]
