"""Issuers of tokens, compiled."""

from __future__ import annotations

from collections.abc import Callable

from penstock.compile.allowances import Rules
from penstock.compile.key_bounds import network
from penstock.config import document as doc
from penstock.core.exchange import Subject
from penstock.core.plan import KeyBounds, Scope, VirtualKey
from penstock.core.token_claims import Tenant, TokenIssuer

PREFIX = "jwt:"


def issuers_of(document: doc.Document, rules: Rules) -> dict[str, TokenIssuer]:
    """By what they call themselves. Adds the accounts of their tokens to the rules."""
    found: dict[str, TokenIssuer] = {}
    for name, config in document.auth.tokens.items():
        rules.add(f"key:{PREFIX}{name}", config)
        found[config.issuer] = _issuer(name, config, rules)
    return found


def tenants_of(
    document: doc.Document, rules: Rules, scope: Callable[[str, str], Scope | None]
) -> dict[tuple[str, str], Tenant]:
    """Every organisation and team that a token can be for; none where there are no tokens."""
    if not document.auth.tokens:
        return {}
    places = [(org, team) for org, config in document.orgs.items() for team in ("", *config.teams)]
    fixed = [(one.org, one.team or "") for one in document.auth.tokens.values() if one.org is not None]
    return {
        (org, team): Tenant(rules.accounts_of(Subject(org, team, "", "")), scope(org, team))
        for org, team in (*places, *fixed)
    }


def _issuer(name: str, config: doc.TokenIssuer, rules: Rules) -> TokenIssuer:
    account = f"key:{PREFIX}{name}"
    template = VirtualKey(
        id=f"{PREFIX}{name}",
        secret_hash=b"",
        subject=Subject(),
        routes=frozenset(config.routes) if config.routes is not None else None,
        direct=config.direct,
        tags=dict(config.tags),
        accounts=(account,) if account in rules.accounts else (),
    )
    bounds = KeyBounds(
        endpoints=frozenset(config.endpoints) if config.endpoints is not None else None,
        dialects=frozenset(config.dialects) if config.dialects is not None else None,
        networks=tuple(network(text) for text in config.networks or ()),
        max_tokens=config.max_tokens,
    )
    return TokenIssuer(
        name=name,
        audiences=frozenset(config.audience),
        algorithms=frozenset(config.algorithms),
        template=template,
        bounds=bounds,
        leeway_ms=config.leeway_s * 1000,
        require=dict(config.require),
        org=config.org or "",
        org_claim=config.org_claim or "",
        team=config.team or "",
        team_claim=config.team_claim or "",
        user_claim=config.user_claim,
        routes_claim=config.routes_claim or "",
    )
