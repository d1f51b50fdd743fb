"""A route held to what its caller and it itself require: the same tree with the targets that may be used.

It is worked out at the first request of its kind and remembered with the Plan, so that later ones pay for one
look-up, and those whom no rule concerns for none.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from penstock.core.errors import Refusal
from penstock.core.ids import OWN_MARK
from penstock.core.plan import Provider, Route, Scope
from penstock.core.price import Ceiling, rate_card
from penstock.core.rates import UNITS, RateCard
from penstock.core.requirements import Handling, Lever, Need, Unmet, facts_kind, judge, kind_of
from penstock.core.target import Target
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.routing.trees import map_targets, targets_of
from penstock.shapes.openai_request import Endpoint

MAX_HELD = 16_384
MAX_TOLD = 3
# What Penstock keeps of responses, it keeps for so many days.
KEPT_DAYS = 30
OWN_CARD = rate_card("own-credential", dict.fromkeys(UNITS, 0))
_UNSAID = Handling()
# Where a model may serve somebody, one endpoint of each kind: what is allowed at none of them is not listed.
_LISTED = tuple(
    [
        ENDPOINTS[f"/v1/{path}"]
        for path in (
            "chat/completions", "responses", "completions", "embeddings", "rerank", "moderations",
            "images/generations", "audio/speech", "videos",
        )
    ]
)  # fmt: skip
RESPONSES = ENDPOINTS["/v1/responses"]
_COUNTS = frozenset({"anthropic.count", "gemini.count", "converse.count"})
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class Denied:
    """No target of a route may be used; `message` names the rules."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message


class HeldRoutes:
    """Routes as they are for a scope and an endpoint, remembered boundedly."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Route | Denied] = {}

    def of(self, route: Route, scope: Scope | None, endpoint: Endpoint) -> Route:
        """The route with the targets that may be used. Raises Refusal where there is none."""
        at = (route.name, scope.id if scope is not None else "", endpoint.name)
        found = self._known.get(at)
        if found is None:
            found = held(route, scope, endpoint)
            if len(self._known) < MAX_HELD:
                self._known[at] = found
        if isinstance(found, Denied):
            raise Refusal("policy_denied", found.message, param="model")
        return found


def held(route: Route, scope: Scope | None, endpoint: Endpoint) -> Route | Denied:
    """Work a route out: own credentials put in, targets left out that do not meet every need."""
    needs = needs_of(route, scope)
    filtered = _Filter(needs, scope, endpoint)
    policy = map_targets(route.policy, filtered.target)
    if filtered.denied and not filtered.kept:
        return Denied(_why(route.name, filtered.denied))
    if policy is None:
        return route
    days = [need.requirement.retention_days for need in needs]
    told = [each for each in days if each is not None]
    brief = any(each < KEPT_DAYS for each in told)
    cache = route.cache
    if cache is not None:
        ids = tuple([target.place for target in targets_of(policy)])
        cache = cache.held(ids, min(told, default=None))
    return replace(route, policy=policy, keeps_responses=route.keeps_responses and not brief, cache=cache)


def serves(route: Route, scope: Scope | None) -> bool:
    """Whether the route serves a scope anything at all."""
    return any(isinstance(held(route, scope, endpoint), Route) for endpoint in _LISTED)


def needs_of(route: Route, scope: Scope | None) -> tuple[Need, ...]:
    """Everything that is required of targets: by organisation, team and key, then by the route."""
    above = scope.needs if scope is not None else ()
    if route.requires is None:
        return above
    return (*above, Need(f"route {route.name!r}", route.requires))


def held_target(
    target: Target, needs: tuple[Need, ...], scope: Scope | None, endpoint: Endpoint
) -> Target | Unmet:
    """A target as a scope uses it, or why it may not."""
    own = scope.own.get(target.provider) if scope is not None else None
    if own is not None:
        target = own_target(target, own)
    if not needs:
        return target
    kind = kind_of(endpoint.name, native=endpoint.shape in target.speaks)
    handling = target.handling or _UNSAID
    at = facts_kind(kind)
    # A question about tokens carries no parameters: what only a parameter would bring is answered here instead.
    verdict = judge(needs, handling, names_of(target), at)
    if verdict.unmet is not None:
        return verdict.unmet
    if not verdict.levers:
        return target
    if kind == "count":
        return replace(target, speaks=target.speaks - _COUNTS - {endpoint.shape})
    if kind != at:
        # An endpoint beside the one that has the parameter: without it only what holds anyway counts.
        verdict = judge(needs, replace(handling, levers=()), names_of(target), at)
        return target if verdict.unmet is None else verdict.unmet
    return with_levers(target, verdict.levers)


def names_of(target: Target) -> tuple[str, ...]:
    """The names by which model lists may call a target: deployment, provider/model, the model alone."""
    provider = target.provider.partition(OWN_MARK)[0]
    whole = f"{provider}/{target.model}"
    name = target.id.partition("/")[0].partition(OWN_MARK)[0]
    return (whole, target.model) if name == provider else (name, whole, target.model)


def own_target(target: Target, own: Provider) -> Target:
    """A target opened by a tenant's own credential: its own id, so that nothing learnt or kept is shared."""
    template = own.template
    plain = target.id.removeprefix(f"{target.provider}/")
    owner = own.name.removeprefix(target.provider)
    card: RateCard | None = OWN_CARD if own.free else target.card
    return replace(
        target,
        id=f"{own.name}/{plain}" if plain != target.id else f"{target.id}{owner}",
        provider=own.name,
        origin=template.origin,
        auth=template.auth,
        secrets=template.secrets,
        signing=template.signing,
        handling=template.handling,
        card=card,
        ceiling=Ceiling(card) if card is not None else None,
    )


def with_levers(target: Target, levers: tuple[Lever, ...]) -> Target:
    """A target whose requests carry the parameters that bring what is required, whatever the client sent."""
    fields, card = dict(target.set_fields), target.card
    for lever in levers:
        for name, text in lever.settings.items():
            fields[name] = _joined(fields.get(name), text)
        if card is not None and lever.factor != 1_000_000 and card is not OWN_CARD:
            factor = card.region_factor * lever.factor // 1_000_000
            card = msgspec.structs.replace(card, region_factor=factor)
    if card is target.card:
        return replace(target, set_fields=fields)
    return replace(target, set_fields=fields, card=card, ceiling=Ceiling(card) if card is not None else None)


def _joined(given: bytes | None, text: bytes) -> bytes:
    """Two values of one member: objects are joined, of which the second wins; else the second."""
    if given is None or not (given.startswith(b"{") and text.startswith(b"{")):
        return text
    return _encode(_decode_object(given) | _decode_object(text))


class _Filter:
    """One pass over one tree."""

    def __init__(self, needs: tuple[Need, ...], scope: Scope | None, endpoint: Endpoint) -> None:
        self._needs = needs
        self._scope = scope
        self._endpoint = endpoint
        self.denied: list[tuple[Target, Unmet]] = []
        self.kept = 0

    def target(self, target: Target) -> Target | None:
        """The target as it may be used; None where it may not."""
        found = held_target(target, self._needs, self._scope, self._endpoint)
        if isinstance(found, Unmet):
            self.denied.append((target, found))
            return None
        self.kept += 1
        return found


def _why(name: str, denied: list[tuple[Target, Unmet]]) -> str:
    told = [f"{target.id}: {unmet}" for target, unmet in denied[:MAX_TOLD]]
    if len(denied) > MAX_TOLD:
        told.append(f"and {len(denied) - MAX_TOLD} more")
    return (
        f"no target of {name!r} may serve this request. {'; '.join(told)}. Ask for another model, or let the "
        "administrator add a target that meets this, or the fact with its source if it is so"
    )
