"""Nodes that choose among their children by what a request is, what it costs, and who asks.

What each chooses: routing.policies, one module per node.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from penstock.core.buckets import Places
from penstock.core.difficulty import Scorer
from penstock.core.expected_cost import ExpectedCost, prices_text
from penstock.core.policy import PolicyNode, TargetNode
from penstock.core.predicates import Condition
from penstock.core.target import Target


class DeniedNode(PolicyNode):
    """Nothing is left here: what the request would get may not be used."""

    __slots__ = ()

    def below(self) -> tuple[PolicyNode, ...]:
        """Nothing."""
        return ()

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Itself."""
        del below
        return self


class WhenNode(PolicyNode):
    """Use the first case whose condition holds, else `otherwise`. `told` has the conditions as text."""

    __slots__ = ("cases", "conditions", "otherwise", "told")

    def __init__(
        self,
        conditions: tuple[Condition, ...],
        told: tuple[str, ...],
        cases: tuple[PolicyNode, ...],
        otherwise: PolicyNode,
    ) -> None:
        self.conditions = conditions
        self.told = told
        self.cases = cases
        self.otherwise = otherwise

    def below(self) -> tuple[PolicyNode, ...]:
        """The cases, then what is used where none holds."""
        return (*self.cases, self.otherwise)

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """A case whose node is left out still holds, and is denied: what follows is not meant for it."""
        if all(child is None for child in below):
            return None
        kept = [child if child is not None else DeniedNode() for child in below]
        return WhenNode(self.conditions, self.told, tuple(kept[:-1]), kept[-1])


class Floor:
    """The least that a target's live score may be. `explore`: the share of requests that try one below it."""

    __slots__ = ("explore", "minimum", "score")

    def __init__(self, score: str, minimum: float, explore: float) -> None:
        self.score = score
        self.minimum = minimum
        self.explore = explore


class Priced:
    """A target and its expected cost; None without a price for tokens.

    What follows from it and from what the target has taught is remembered until `until` (monotonic seconds):
    nano-dollars for a character of input, for a token of output and for a call, output tokens on average, and
    up to how many characters that holds, since longer requests may be in a dearer tier.
    """

    __slots__ = (
        "cost",
        "id",
        "most_chars",
        "output",
        "per_call",
        "per_char",
        "per_output",
        "set_cap",
        "tier",
        "until",
    )

    def __init__(self, target: Target) -> None:
        self.id = target.id
        self.cost = ExpectedCost(target.card) if target.card is not None and prices_text(target.card) else None
        self.set_cap = target.set_cap
        self.tier = target.service_tier
        self.until = -1.0
        self.per_char = 0.0
        self.per_output = 0.0
        self.per_call = 0.0
        self.output = 0.0
        self.most_chars = 0.0


class CheapestNode(PolicyNode):
    """Try the children from the cheapest for this request to the dearest.

    `priced` has the targets by which each child is priced: it costs what the cheapest of them does. `cohort` is
    the tag by whose values scores are told apart. Which children are below the floor (`low`, by its value) is
    remembered until `low_until`, monotonic seconds.
    """

    __slots__ = ("children", "cohort", "floor", "low", "low_until", "priced", "route")

    def __init__(
        self,
        children: tuple[PolicyNode, ...],
        floor: Floor | None = None,
        route: str = "",
        cohort: str = "",
    ) -> None:
        self.children = children
        self.floor = floor
        self.route = route
        self.cohort = cohort
        self.low: dict[str, list[bool]] = {}
        self.low_until = -1.0
        self.priced = [[Priced(target) for target in stand_ins(child)] for child in children]

    def below(self) -> tuple[PolicyNode, ...]:
        """Its children."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Those that are left."""
        children = tuple([child for child in below if child is not None])
        return CheapestNode(children, self.floor, self.route, self.cohort) if children else None


class FastestNode(PolicyNode):
    """Try the children from the fastest of late to the slowest.

    `measure`: `ttft` or `total`; `quantile` of it, such as 0.95. `explore`: the share of requests that begin
    with a child that is not the fastest. `timed` has the id of the target by whose speed each child goes.
    """

    __slots__ = ("children", "explore", "measure", "quantile", "timed")

    def __init__(self, children: tuple[PolicyNode, ...], measure: str, quantile: float, explore: float) -> None:
        self.children = children
        self.measure = measure
        self.quantile = quantile
        self.explore = explore
        self.timed = [next((target.id for target in stand_ins(child)), "") for child in children]

    def below(self) -> tuple[PolicyNode, ...]:
        """Its children."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Those that are left."""
        children = tuple([child for child in below if child is not None])
        return FastestNode(children, self.measure, self.quantile, self.explore) if children else None


class StickyNode(PolicyNode):
    """Keep whoever asks at one child, in proportion to the weights; the next by hash where it is out."""

    __slots__ = ("by", "children", "places", "weights")

    def __init__(self, children: tuple[PolicyNode, ...], weights: tuple[float, ...], by: str) -> None:
        self.children = children
        self.weights = weights
        self.by = by
        self.places = Places(_labels(children), weights)

    def below(self) -> tuple[PolicyNode, ...]:
        """Its children."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Those that are left, with their weights."""
        pairs = zip(below, self.weights, strict=True)
        left = [(child, weight) for child, weight in pairs if child is not None]
        if not left:
            return None
        return StickyNode(tuple([child for child, _ in left]), tuple([weight for _, weight in left]), self.by)


class CanaryNode(PolicyNode):
    """Lead a `share` of those who ask to a candidate, the others to what is proven; `salt` draws them."""

    __slots__ = ("by", "candidate", "proven", "salt", "share")

    def __init__(self, candidate: PolicyNode, proven: PolicyNode, share: float, by: str, salt: str) -> None:
        self.candidate = candidate
        self.proven = proven
        self.share = share
        self.by = by
        self.salt = salt

    def below(self) -> tuple[PolicyNode, ...]:
        """The candidate, then what is proven."""
        return (self.candidate, self.proven)

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """One side alone where the other is left out."""
        candidate, proven = below
        if candidate is None or proven is None:
            return proven if candidate is None else candidate
        return CanaryNode(candidate, proven, self.share, self.by, self.salt)


class AbNode(PolicyNode):
    """Compare arms: each who asks has one, drawn in proportion to the weights (`upto` cumulates them)."""

    __slots__ = ("arms", "by", "children", "salt", "upto")

    def __init__(
        self,
        children: tuple[PolicyNode, ...],
        arms: tuple[str, ...],
        upto: tuple[float, ...],
        by: str,
        salt: str,
    ) -> None:
        self.children = children
        self.arms = arms
        self.upto = upto
        self.by = by
        self.salt = salt

    def below(self) -> tuple[PolicyNode, ...]:
        """The arms' nodes."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """The arms that are left, with their weights."""
        weights = [upto - before for before, upto in pairwise((0.0, *self.upto))]
        rows = zip(below, self.arms, weights, strict=True)
        left = [(child, arm, weight) for child, arm, weight in rows if child is not None]
        if not left:
            return None
        return AbNode(
            tuple([child for child, _, _ in left]),
            tuple([arm for _, arm, _ in left]),
            tuple(accumulate([weight for _, _, weight in left])),
            self.by,
            self.salt,
        )


class EasyNode(PolicyNode):
    """Choose by how hard the prompt looks (core.difficulty): simple, hard, or the default between them."""

    __slots__ = ("default", "hard", "scorer", "simple")

    def __init__(self, simple: PolicyNode, default: PolicyNode, hard: PolicyNode, scorer: Scorer) -> None:
        self.simple = simple
        self.default = default
        self.hard = hard
        self.scorer = scorer

    def below(self) -> tuple[PolicyNode, ...]:
        """The default, then hard and simple."""
        return (self.default, self.hard, self.simple)

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """A side that is left out is served by the next one: hard, then the default, then simple."""
        default, hard, simple = below
        first = hard or default or simple
        if first is None:
            return None
        return EasyNode(simple or default or first, default or first, first, self.scorer)


def stand_ins(node: PolicyNode) -> list[Target]:
    """By which targets a node is priced and timed: its first one, or any of a nested `cheapest`."""
    if isinstance(node, TargetNode):
        return [node.target]
    if isinstance(node, CheapestNode):
        return [target for child in node.children for target in stand_ins(child)]
    for child in node.below():
        found = stand_ins(child)
        if found:
            return found
    return []


def _labels(children: tuple[PolicyNode, ...]) -> list[str]:
    """A name for each child that stays the same when others come and go."""
    seen: dict[str, int] = {}
    labels: list[str] = []
    for child in children:
        name = next((target.id for target in stand_ins(child)), type(child).__name__)
        seen[name] = seen.get(name, 0) + 1
        labels.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return labels
