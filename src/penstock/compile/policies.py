"""The policy tree of a document, with its targets found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import msgspec

from penstock.compile.conditions import condition_of, told
from penstock.compile.differences import variant_with
from penstock.compile.held_back import cascade_of, learned_of
from penstock.compile.targets import CompileError
from penstock.config import document as doc
from penstock.config.policy import arm_name
from penstock.core.choosing import (
    AbNode,
    CanaryNode,
    CheapestNode,
    EasyNode,
    FastestNode,
    Floor,
    StickyNode,
    WhenNode,
    stand_ins,
)
from penstock.core.difficulty import Rule, Rules, Scorer, shipped
from penstock.core.hook import Hook, WebhookNode
from penstock.core.plan import Provider
from penstock.core.policy import (
    CachedNode,
    FallbackNode,
    HedgeNode,
    PolicyNode,
    StaticNode,
    TargetNode,
    WeightedNode,
)
from penstock.core.price_book import PriceBook
from penstock.core.target import Target
from penstock.routing.resolve import target_of
from penstock.routing.trees import name_stages


class Policies:
    """Compiles policies; targets go by the name that a policy gives them."""

    def __init__(
        self,
        providers: dict[str, Provider],
        deployments: dict[str, Target],
        prices: PriceBook,
        now_ms: int,
        hook: Callable[[str, doc.WebhookNode], Hook],
    ) -> None:
        """`hook` makes a route's webhook ready."""
        self._providers = providers
        self._deployments = deployments
        self._prices = prices
        self._now_ms = now_ms
        self._hook = hook
        self._route = self._cohort = ""

    def target(self, name: str) -> Target:
        """A deployment, or a model of a provider. Raises CompileError."""
        found = self._deployments.get(name)
        if found is not None:
            return found
        provider, _, model = name.partition("/")
        if provider not in self._providers or not model:
            raise CompileError(f"no deployment and no provider/model is called {name!r}")
        return target_of(self._providers[provider], model, self._prices, self._now_ms)

    def policy(self, config: doc.PolicyNode, route: str, cohort: str = "") -> PolicyNode:
        """A route's tree; by the values of the tag `cohort` its scores are told apart. Raises CompileError."""
        self._route, self._cohort = route, cohort
        tree = self.node(config)
        name_stages(tree)
        return tree

    def node(self, config: doc.PolicyNode) -> PolicyNode:
        """The node and what stands below it. Raises CompileError."""
        match config:
            case doc.TargetNode():
                target = self.target(config.target)
                return TargetNode(variant_with(target, config.set) if config.set else target)
            case doc.StaticNode():
                return StaticNode(config.text)
            case doc.FallbackNode():
                return FallbackNode(self._all(config.children))
            case doc.HedgeNode():
                children, after = self._all(config.of), config.after
                if after.startswith("p"):
                    return HedgeNode(children, None, float(after[1:]) / 100.0, config.max_percent)
                return HedgeNode(children, float(after), 0.0, config.max_percent)
            case doc.WeightedNode():
                return WeightedNode(
                    self._all([branch.use for branch in config.branches]),
                    tuple(accumulate(branch.weight for branch in config.branches)),
                )
            case _:
                return self._choosing(config)

    def _choosing(self, config: doc.PolicyNode) -> PolicyNode:
        match config:
            case doc.WhenNode():
                return WhenNode(
                    tuple([condition_of(case.condition) for case in config.cases]),
                    tuple([told(case.condition) for case in config.cases]),
                    self._all([case.use for case in config.cases]),
                    self.node(config.otherwise),
                )
            case doc.CheapestNode():
                floor = config.floor
                kept = Floor(floor.score, floor.min, floor.explore) if floor is not None else None
                return CheapestNode(self._all(config.of), kept, self._route, self._cohort)
            case doc.FastestNode():
                quantile = float(config.quantile.removeprefix("p")) / 100
                return FastestNode(self._all(config.of), config.by, quantile, config.explore)
            case doc.StickyNode():
                children = self._all([branch.use for branch in config.of])
                return StickyNode(children, tuple([branch.weight for branch in config.of]), config.by)
            case doc.CanaryNode():
                candidate = self.node(config.to)
                names = ",".join([target.id for target in stand_ins(candidate)])
                salt = config.salt or f"canary {self._route} {names}"
                return CanaryNode(candidate, self.node(config.proven), config.percent / 100, config.by, salt)
            case doc.AbNode():
                names = tuple([arm_name(arm.name, arm.use, index) for index, arm in enumerate(config.arms)])
                return AbNode(
                    self._all([arm.use for arm in config.arms]),
                    names,
                    tuple(accumulate(arm.weight for arm in config.arms)),
                    config.by,
                    config.salt or f"ab {self._route} {','.join(names)}",
                )
            case doc.EasyNode():
                default = self.node(config.default)
                hard = self.node(config.hard) if config.hard is not None else default
                return EasyNode(self.node(config.simple), default, hard, scorer_of(config))
            case _:
                return self._asking(config)

    def _asking(self, config: doc.PolicyNode) -> PolicyNode:
        match config:
            case doc.WebhookNode():
                return WebhookNode(self._hook(self._route, config))
            case doc.CachedNode():
                return CachedNode(config.max_age_s)
            case doc.CascadeNode():
                return cascade_of(config, self.node, self._route)
            case doc.LearnedNode():
                return learned_of(config, self.node)
            case _:
                raise CompileError(f"a policy node of type {type(config).__name__} has no engine yet")

    def _all(self, children: Sequence[doc.PolicyNode]) -> tuple[PolicyNode, ...]:
        return tuple([self.node(child) for child in children])


def scorer_of(config: doc.EasyNode) -> Scorer:
    """The rules of an `easy` node: the shipped ones as far as it does not say others."""
    if config.rules is None and not config.add and config.simple_below is None and config.hard_from is None:
        return shipped()
    base = Rules()
    own = base.rules if config.rules is None else tuple([_rule(each) for each in config.rules])
    return Scorer(
        msgspec.structs.replace(
            base,
            rules=(*own, *[_rule(each) for each in config.add]),
            simple_below=base.simple_below if config.simple_below is None else config.simple_below,
            hard_from=base.hard_from if config.hard_from is None else config.hard_from,
        )
    )


def _rule(config: doc.DifficultyRule) -> Rule:
    return Rule(config.name, config.pattern, config.weight)
