"""The nodes of a policy tree, compiled. How one walks through them: routing.policies.

Every node knows what stands below it and how it looks without some of that, so that whoever narrows a tree (by
what a tenant requires, to the deployment that issued an id) need not know the kinds of nodes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import accumulate, pairwise

from penstock.core.target import Target


class PolicyNode(ABC):
    """What is tried, and in which order. Immutable."""

    __slots__ = ()

    @abstractmethod
    def below(self) -> tuple[PolicyNode, ...]:
        """Its children, in the order of the document."""

    @abstractmethod
    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """The same node over other children, one for each of `below()`, None for one that is left out.

        None where nothing is left of it.
        """

    def whole(self) -> bool:
        """Whether it must see whole answers before one is passed on, so that nothing is streamed meanwhile."""
        return any(child.whole() for child in self.below())


class Leaf(PolicyNode):
    """A node with nothing below it."""

    __slots__ = ()

    def below(self) -> tuple[PolicyNode, ...]:
        """Nothing."""
        return ()

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Itself. Raises ValueError where something is put below it."""
        if below:
            raise ValueError("nothing stands below a leaf")
        return self


class TargetNode(Leaf):
    """Try one target, with retries. `stage`: where it stands in its tree; empty where it is all of it."""

    __slots__ = ("stage", "target")

    def __init__(self, target: Target, stage: str = "") -> None:
        self.target = target
        self.stage = stage


class StaticNode(Leaf):
    """Answer with a fixed text, marked degraded."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class CachedNode(Leaf):
    """Answer with what the same request was answered before, at most so many seconds ago, marked degraded."""

    __slots__ = ("max_age_s",)

    def __init__(self, max_age_s: float) -> None:
        self.max_age_s = max_age_s


class FallbackNode(PolicyNode):
    """Try each child in order until one does not give up."""

    __slots__ = ("children",)

    def __init__(self, children: tuple[PolicyNode, ...]) -> None:
        self.children = children

    def below(self) -> tuple[PolicyNode, ...]:
        """Its children."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Those that are left."""
        children = tuple([child for child in below if child is not None])
        return FallbackNode(children) if children else None


class HedgeNode(PolicyNode):
    """The first child; where it has not answered after a while, the next one beside it.

    `after_s`, or the `quantile` of the first target's own latencies. `max_percent` of the route's requests.
    """

    __slots__ = ("after_s", "children", "max_percent", "quantile")

    def __init__(
        self, children: tuple[PolicyNode, ...], after_s: float | None, quantile: float, max_percent: float
    ) -> None:
        self.children = children
        self.after_s = after_s
        self.quantile = quantile
        self.max_percent = max_percent

    def below(self) -> tuple[PolicyNode, ...]:
        """Its children."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Those that are left; a single one is not hedged."""
        children = tuple([child for child in below if child is not None])
        return HedgeNode(children, self.after_s, self.quantile, self.max_percent) if children else None


class WeightedNode(PolicyNode):
    """Choose one child with probability proportional to its weight; the others follow as fallbacks.

    `upto` are the cumulative weights, ending in their sum; `falling` has the children's indices by weight.
    """

    __slots__ = ("children", "falling", "upto")

    def __init__(self, children: tuple[PolicyNode, ...], upto: tuple[float, ...]) -> None:
        self.children = children
        self.upto = upto
        weights = [above - before for before, above in pairwise((0.0, *upto))]
        self.falling = sorted(
            [index for index, weight in enumerate(weights) if weight > 0], key=lambda index: -weights[index]
        )

    def below(self) -> tuple[PolicyNode, ...]:
        """Its children."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Those that are left, with their weights."""
        weights = [upto - before for before, upto in pairwise((0.0, *self.upto))]
        left = [(child, weight) for child, weight in zip(below, weights, strict=True) if child is not None]
        if not left:
            return None
        return WeightedNode(
            tuple([child for child, _ in left]), tuple(accumulate([weight for _, weight in left]))
        )
