"""From a verified token's claims to a subject, as a virtual key would have it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from penstock.core.errors import Refusal
from penstock.core.exchange import Subject

if TYPE_CHECKING:
    from penstock.core.plan import KeyBounds, Plan, Scope, VirtualKey

LONGEST_NAME = 128


@dataclass(frozen=True, slots=True, eq=False)
class TokenIssuer:
    """Whose tokens are taken, and what they are good for. `template`: a token's key without its subject."""

    name: str
    audiences: frozenset[str]
    algorithms: frozenset[str]
    template: VirtualKey
    bounds: KeyBounds
    leeway_ms: int = 30_000
    require: dict[str, str] = field(default_factory=dict[str, str])
    org: str = ""
    org_claim: str = ""
    team: str = ""
    team_claim: str = ""
    user_claim: str = "sub"
    routes_claim: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tenant:
    """What holds for a team, or for an organisation's people without one."""

    accounts: tuple[str, ...] = ()
    scope: Scope | None = None


def key_of_claims(
    issuer: TokenIssuer, claims: dict[str, Any], digest: bytes, plan: Plan, now_ms: int
) -> VirtualKey:
    """The key that a token is. Raises Refusal."""
    expires_ms = _check(issuer, claims, now_ms)
    org = issuer.org or _named(claims, issuer.org_claim)
    team = issuer.team or (_named(claims, issuer.team_claim) if issuer.team_claim else "")
    tenant = plan.tenants.get((org, team))
    if tenant is None:
        what = f"the team {team!r} of the organisation {org!r}" if team else f"the organisation {org!r}"
        raise Refusal("token_rejected", f"this token is for {what}, which is not known here")
    user = _named(claims, issuer.user_claim)
    template = issuer.template
    routes = template.routes
    if issuer.routes_claim:
        said = frozenset(texts_of(claim_at(claims, issuer.routes_claim)))
        routes = said if routes is None else said & routes
    return replace(
        template,
        # What is counted is kept by this id: it must differ where accounts do.
        id=f"{template.id}/{org}/{team}",
        secret_hash=digest,
        subject=Subject(org, team, "", template.id),
        routes=routes,
        # A locked tag, so that whatever is done for users by name is done for this one.
        tags={**template.tags, "user": user},
        accounts=(*template.accounts, *tenant.accounts),
        scope=tenant.scope,
        bounds=replace(issuer.bounds, expires_ms=expires_ms),
    )


def _check(issuer: TokenIssuer, claims: dict[str, Any], now_ms: int) -> int:
    """RFC 7519, section 4.1, and what the issuer's tokens must claim; the moment until which it is good."""
    leeway = issuer.leeway_ms
    expires, begins = _moment(claims.get("exp")), _moment(claims.get("nbf", 0))
    if expires is None or begins is None:
        raise Refusal("token_rejected", "this token has no expiry (exp), or a time in it cannot be read")
    until = int(expires * 1000) + leeway
    if now_ms >= until:
        raise Refusal("key_expired", "this token has expired; get a new one from its issuer")
    if begins * 1000 > now_ms + leeway:
        raise Refusal("token_rejected", "this token is not valid yet (nbf)")
    if not issuer.audiences & frozenset(texts_of(claims.get("aud"))):
        raise Refusal("token_rejected", "this token is for another audience (aud)")
    for name, wanted in issuer.require.items():
        if wanted not in texts_of(claim_at(claims, name)):
            raise Refusal("token_rejected", f"this token does not have the value of {name!r} that is required")
    return until


def claim_at(claims: dict[str, Any], path: str) -> object:
    """A claim by its name, or by the way to it; a name with dots in it, such as a URL, goes first."""
    if path in claims:
        return claims[path]
    found: object = claims
    for step in path.split("."):
        if not isinstance(found, dict):
            return None
        found = cast("dict[str, object]", found).get(step)
    return found


def _named(claims: dict[str, Any], claim: str) -> str:
    value = claim_at(claims, claim)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise Refusal("token_rejected", f"this token's claim {claim!r} is missing, or is no name")
    return value


def texts_of(value: object) -> list[str]:
    """A claim as texts: itself, or what a list holds; a truth value as JSON writes it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return (
        [one for one in cast("list[object]", value) if isinstance(one, str)] if isinstance(value, list) else []
    )


def _moment(value: object) -> float | None:
    """Seconds since the epoch."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e11:
        return None
    return value
