"""From an identity provider's claims to a person here: the name, the teams, the roles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from penstock.config.document import OidcProvider
from penstock.config.values import BadValueError, name
from penstock.control.problems import Denied
from penstock.core.token_claims import claim_at, texts_of
from penstock.ports.identity_store import Granted

LONGEST_EMAIL = 254
MOST_TEAMS = 200
MOST_TOLD = 5


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who logs in. `teams` is None where no claim speaks of them; `unknown` are values that name no team."""

    user: str
    email: str
    teams: tuple[str, ...] | None
    grants: tuple[Granted, ...]
    unknown: tuple[str, ...]


def wanted_claims(provider: OidcProvider) -> frozenset[str]:
    """The claims that decide who somebody is."""
    found = {provider.user_claim, *(role.claim for role in provider.roles)}
    found |= {provider.team_claim} if provider.team_claim is not None else set()
    # A verified address is of use even where it names nobody.
    return frozenset(found | ({"email"} if "email" in provider.scopes else set()))


def person_of(provider: OidcProvider, claims: dict[str, Any], teams: Collection[str]) -> Person:
    """The person that the claims describe; `teams` are those of the provider's organisation. Raises Denied."""
    org = provider.org or ""
    mapped, unknown = _teams(provider, claims, teams)
    if unknown and provider.unknown_teams == "refuse":
        named = ", ".join(repr(one[:80]) for one in unknown[:MOST_TOLD])
        raise Denied(
            "login_refused",
            f"the claim {provider.team_claim!r} names what is no team of {org!r} here: {named}; an "
            "administrator adds the team, or maps the value in auth.oidc.*.teams",
        )
    grants = [
        Granted(role.role, role.org or org, role.team or "")
        for role in provider.roles
        if role.value in texts_of(claim_at(claims, role.claim))
    ]
    grants += [Granted(provider.team_role, org, team) for team in mapped]
    return Person(
        user=_user(provider, claims),
        email=_email(claims),
        teams=mapped if provider.team_claim is not None else None,
        grants=tuple(dict.fromkeys(grants)),
        unknown=unknown,
    )


def _teams(
    provider: OidcProvider, claims: dict[str, Any], teams: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if provider.team_claim is None:
        return (), ()
    mapped: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for value in texts_of(claim_at(claims, provider.team_claim))[:MOST_TEAMS]:
        # Where there is a mapping it alone counts: a group must not become a team by its name.
        team = provider.teams.get(value) if provider.teams else value
        if team is not None and team in teams:
            mapped[team] = None
        else:
            unknown[value] = None
    return tuple(sorted(mapped)), tuple(unknown)


def _user(provider: OidcProvider, claims: dict[str, Any]) -> str:
    claim = provider.user_claim
    found = claim_at(claims, claim)
    if not isinstance(found, str) or not found:
        raise Denied(
            "login_refused",
            f"the provider gives no claim {claim!r}, which is the user's name here; ask for the scope that has "
            "it (auth.oidc.*.scopes), or choose another one (user_claim)",
        )
    if claim == "email" and not _is_verified(claims):
        raise Denied(
            "login_refused",
            "the provider has not verified your e-mail address (email_verified), the user's name",
        )
    try:
        return name(found)
    except BadValueError as error:
        raise Denied(
            "login_refused",
            f"the claim {claim!r} is {found[:80]!r}, which cannot be a user's name here ({error.message}); "
            "choose another claim (auth.oidc.*.user_claim)",
        ) from None


def _email(claims: dict[str, Any]) -> str:
    """The person's address if the provider vouches for it; else empty."""
    found = claims.get("email")
    usable = isinstance(found, str) and 0 < len(found) <= LONGEST_EMAIL and found.isprintable()
    return str(found) if usable and _is_verified(claims) else ""


def _is_verified(claims: dict[str, Any]) -> bool:
    # Some providers write their booleans as text.
    return claims.get("email_verified") in (True, "true")
