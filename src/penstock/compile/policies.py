"""The policy tree of a document, with its targets found."""

from __future__ import annotations

from itertools import accumulate

from penstock.compile.targets import CompileError
from penstock.config import document as doc
from penstock.core.plan import Provider
from penstock.core.policy import FallbackNode, HedgeNode, PolicyNode, StaticNode, TargetNode, WeightedNode
from penstock.core.price_book import PriceBook
from penstock.core.target import Target
from penstock.routing.resolve import target_of


class Policies:
    """Compiles policies; targets go by the name that a policy gives them."""

    def __init__(
        self, providers: dict[str, Provider], deployments: dict[str, Target], prices: PriceBook, now_ms: int
    ) -> None:
        self._providers = providers
        self._deployments = deployments
        self._prices = prices
        self._now_ms = now_ms

    def target(self, name: str) -> Target:
        """A deployment, or a model of a provider. Raises CompileError."""
        found = self._deployments.get(name)
        if found is not None:
            return found
        provider, _, model = name.partition("/")
        if provider not in self._providers or not model:
            raise CompileError(f"no deployment and no provider/model is called {name!r}")
        return target_of(self._providers[provider], model, self._prices, self._now_ms)

    def node(self, config: doc.PolicyNode) -> PolicyNode:
        """The node and what stands below it. Raises CompileError."""
        match config:
            case doc.TargetNode():
                return TargetNode(self.target(config.target))
            case doc.StaticNode():
                return StaticNode(config.text)
            case doc.FallbackNode():
                return FallbackNode(tuple(self.node(child) for child in config.children))
            case doc.HedgeNode():
                children = tuple(self.node(child) for child in config.of)
                after = config.after
                if after.startswith("p"):
                    return HedgeNode(children, None, float(after[1:]) / 100.0, config.max_percent)
                return HedgeNode(children, float(after), 0.0, config.max_percent)
            case doc.WeightedNode():
                return WeightedNode(
                    tuple(self.node(branch.use) for branch in config.branches),
                    tuple(accumulate(branch.weight for branch in config.branches)),
                )
            case _:
                raise CompileError(f"a policy node of type {type(config).__name__} has no engine yet")
