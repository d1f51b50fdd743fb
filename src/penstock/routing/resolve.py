"""What `model` means, in order: a route; a deployment; `provider/rest`; a bare vendor name."""

from __future__ import annotations

import difflib
from dataclasses import replace
from urllib.parse import quote

import msgspec

from penstock.core.errors import Refusal
from penstock.core.ids import OWN_MARK
from penstock.core.plan import Plan, Provider, Route, Scope, VirtualKey
from penstock.core.policy import TargetNode
from penstock.core.price import Ceiling
from penstock.core.price_book import PriceBook, VendorPrices
from penstock.core.profile import profile_for
from penstock.core.target import Target
from penstock.routing.held import HeldRoutes, own_target, serves
from penstock.routing.misspelt import near

MAX_DIRECT = 4096
MAX_LISTED = 65_536


class Resolver:
    """Model names to routes, for one Plan. Direct targets are made on first use and remembered, boundedly."""

    def __init__(self, plan: Plan, now_ms: int) -> None:
        self._plan = plan
        self._now_ms = now_ms
        self.held = HeldRoutes()
        self._listed: dict[tuple[str, str], bool] = {}
        self._direct: dict[str, Route] = {
            name: self._direct_route(name, target) for name, target in plan.deployments.items()
        }
        # Of the guesses among them: the names of ours that may have been meant instead.
        self._near: dict[str, list[str]] = {}

    def resolve(self, model: str, key: VirtualKey) -> Route:
        """The route that serves this name for this key. Raises Refusal."""
        route = self._plan.routes.get(model)
        if route is not None:
            if key.routes is not None and model not in key.routes:
                raise Refusal("route_not_allowed", f"this key may not use the route {model!r}", param="model")
            return route
        if not (self._plan.direct_open or key.direct):
            if model in self._plan.deployments or model.partition("/")[0] in self._plan.providers:
                names = ", ".join(self._names(key)[:5]) or "none"
                raise Refusal(
                    "direct_not_allowed",
                    f"this key may not name models directly; its routes are: {names}",
                    param="model",
                )
            raise Refusal("unknown_model", self._unknown(model, key), param="model")
        route = self._direct.get(model) or self._make_direct(model)
        if route is None or (model in self._near and self._meant(model, key)):
            raise Refusal("unknown_model", self._unknown(model, key), param="model")
        return route

    def _meant(self, model: str, key: VirtualKey) -> bool:
        """Whether this key may use what the name is a slip of: others' names are none of its business."""
        own = self._names(key)
        return any(name in own or name in self._plan.deployments for name in self._near[model])

    def _names(self, key: VirtualKey) -> list[str]:
        """The routes that this key may use; others are none of its business."""
        return [name for name in self._plan.routes if key.routes is None or name in key.routes]

    def _make_direct(self, model: str) -> Route | None:
        head, slash, rest = model.partition("/")
        provider = self._plan.providers.get(head) if slash and rest else None
        if provider is not None:
            target = target_of(provider, rest, self._plan.prices, self._now_ms)
        elif (owner := self._owner(model)) is not None:
            target = target_of(owner, model, self._plan.prices, self._now_ms)
            listed = owner.price_id is not None and target.card is not None
            meant = [] if listed else near(model, (*self._plan.routes, *self._plan.deployments))
            if meant:
                if len(self._near) >= MAX_DIRECT:
                    self._near.clear()
                    self._direct = {name: self._direct[name] for name in self._plan.deployments}
                self._near[model] = meant
        else:
            return None
        route = self._direct_route(target.id, target)
        if len(self._direct) < MAX_DIRECT:
            self._direct[model] = route
        return route

    def _direct_route(self, name: str, target: Target) -> Route:
        plan = self._plan
        return Route(
            name,
            TargetNode(target),
            plan.direct_retry,
            plan.direct_timeouts,
            keeps_responses=plan.keeps_responses,
        )

    def _owner(self, model: str) -> Provider | None:
        """Who serves a bare vendor name: the only provider, the one that lists it, the first in order."""
        plan = self._plan
        known = list(plan.providers.values())
        real = [p for p in known if p.kind != "simulator"]
        # A vendor that only makes media is meant by name, not by chance.
        providers = [p for p in real if not p.template.media_api] or real or known
        if len(providers) == 1:
            return providers[0]
        listed = [p for p in providers if p.price_id and plan.prices.find(p.price_id, model, self._now_ms)]
        if len(listed) == 1:
            return listed[0]
        for name in plan.provider_order:
            if any(p.name == name for p in listed):
                return plan.providers[name]
        return None

    def target(self, target_id: str, scope: Scope | None) -> Target | None:
        """A target by its id, for what was begun there; None where it is no longer configured.

        One with a tenant's own credential is found by that tenant alone.
        """
        head, slash, model = target_id.partition("/")
        name, mark, owner = head.partition(OWN_MARK)
        target = self._plan.deployments.get(name) if not slash else None
        if target is None:
            provider = self._plan.providers.get(name)
            if provider is None:
                return None
            target = target_of(provider, model, self._plan.prices, self._now_ms)
        if not mark:
            return target
        own = scope.own.get(target.provider) if scope is not None else None
        if own is None or own.name != f"{target.provider}{OWN_MARK}{owner}":
            return None
        return own_target(target, own)

    def keeper(self, target_id: str, provider: str, scope: Scope | None) -> Target | None:
        """Who keeps what a provider issued: the target that it came from, else the provider itself."""
        target = self.target(target_id, scope)
        if target is not None and target.provider == provider:
            return target
        owned = scope.own.values() if scope is not None else ()
        found = self._plan.providers.get(provider) or next((own for own in owned if own.name == provider), None)
        return found.template if found is not None else None

    def lists(self, name: str, scope: Scope | None) -> bool:
        """Whether a route, deployment or `provider/model` serves a scope anything."""
        route = self._plan.routes.get(name) or self._direct.get(name)
        if scope is None and (route is None or route.requires is None):
            return True
        at = (name, scope.id if scope is not None else "")
        known = self._listed.get(at)
        if known is None:
            target = self.target(name, scope) if route is None else None
            if target is not None:
                route = self._direct_route(name, target)
            known = route is not None and serves(route, scope)
            if len(self._listed) < MAX_LISTED:
                self._listed[at] = known
        return known

    def _unknown(self, model: str, key: VirtualKey) -> str:
        known = self._names(key)
        served = "no route"
        if self._plan.direct_open or key.direct:
            known += self._plan.deployments
            served = "no route, deployment or provider"
        near = difflib.get_close_matches(model, known, n=3, cutoff=0.0) if known else []
        nearest = f"; the nearest names are: {', '.join(near)}" if near else ""
        providers = ", ".join(sorted(self._plan.providers)) or "none"
        hint = f"; provider/model works with: {providers}" if len(served) > len("no route") else ""
        return f"{served} serves {model!r}{nearest}{hint}"


def target_of(provider: Provider, model: str, prices: PriceBook, now_ms: int) -> Target:
    """The target for a model that is named directly at a provider, at the catalogue's price."""
    card, others = provider.template.card, None
    if provider.price_id is not None:
        others = VendorPrices(prices, provider.price_id, now_ms)
        card = others.find(model)
    template = provider.template
    profile = profile_for(model, provider.profiles, template.profile)
    return replace(
        template,
        id=f"{provider.name}/{model}",
        api=profile.api or template.api,
        base_path=template.base_path.replace(b"{model}", quote(model, safe="").encode()),
        profile=profile,
        model=model,
        model_json=msgspec.json.encode(model),
        card=card,
        ceiling=Ceiling(card) if card is not None else None,
        vendor_prices=others,
    )
