"""What comes of how a document lets people in."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.config.document import Document, OidcProvider
from penstock.control.login.claims import person_of
from penstock.control.login.oidc import relying_of
from penstock.control.problems import Denied

PROVIDER: dict[str, Any] = {
    "issuer": "https://id.example",
    "client_id": "c",
    "client_secret": "s",
    "org": "o",
    "user_claim": "n",
    "roles": [{"claim": "r", "value": "v", "role": "viewer"}],
    "team_claim": "g",
    "teams": {"a": "t"},
}
OTHERS: dict[str, Any] = {
    "auth.oidc.*.create": False,
    "auth.oidc.*.issuer": "https://other.example",
    "auth.oidc.*.org": "o2",
    "auth.oidc.*.roles.*.org": "o2",
    "auth.oidc.*.roles.*.team": "t",
    "auth.oidc.*.teams.*": "t",
}
CLAIMS = {"sub": "s", "n": "ann", "r": ["v"], "g": ["a", "t", "z"]}


def logins_of(document: Document) -> list[Any]:
    """What control reads for logins and for the keys of issuers.

    Of each provider: what it is asked, and who a person with some claims is there.
    """
    auth = document.auth
    known = [(_asked(one), _person(one), one.title, one.create) for one in auth.oidc.values()]
    issuers = [one.jwks_url for one in auth.tokens.values()]
    return [auth.passwords, auth.session, auth.public_url, known, issuers]


def _asked(provider: OidcProvider) -> Any:
    return msgspec.structs.astuple(relying_of(provider, lambda secret: secret.resolve({})))


def _person(provider: OidcProvider) -> Any:
    try:
        return person_of(provider, CLAIMS, ["t"])
    except Denied as denied:
        return denied.detail
