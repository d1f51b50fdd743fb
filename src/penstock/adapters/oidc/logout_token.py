"""Logout tokens (OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6), verified by joserfc."""

from __future__ import annotations

from typing import Any, cast

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, MissingClaimError

from penstock.adapters.oidc.id_token import LONGEST_SUBJECT, Keys, signed_claims
from penstock.ports.identity_provider import LogoutClaims, Relying, UntrustedError

EVENT = "http://schemas.openid.net/event/backchannel-logout"
# A token is made for one moment: an old one is a recorded one.
OLDEST_S = 300
_TYPES = frozenset({"logout+jwt", "jwt", ""})


def verified_logout(token: str, keys: Keys, relying: Relying, now_s: int) -> LogoutClaims:
    """Whom its issuer logged out just now.

    Raises UntrustedError, and what `keys` raises.
    """
    claims, header = signed_claims(token, keys, "its logout token")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise UntrustedError(f"what it sent is no logout token (typ {str(kind)[:20]!r})")
    _check(claims, relying, now_s)
    return LogoutClaims(
        jti=_text(claims, "jti", needed=True),
        subject=_text(claims, "sub"),
        sid=_text(claims, "sid"),
        until_s=int(claims["iat"]) + OLDEST_S + relying.leeway_s,
    )


def _check(claims: dict[str, Any], relying: Relying, now_s: int) -> None:
    rules = jwt.JWTClaimsRegistry(
        now=now_s,
        leeway=relying.leeway_s,
        iss={"essential": True, "value": relying.issuer},
        aud={"essential": True, "value": relying.client_id},
        iat={"essential": True},
        exp={"essential": True},
        jti={"essential": True},
        events={"essential": True},
    )
    try:
        rules.validate(claims)
    except ExpiredTokenError:
        raise UntrustedError("its logout token has expired (exp)") from None
    except MissingClaimError as error:
        raise UntrustedError(f"its logout token lacks {error.claim}") from None
    except ClaimError as error:
        told = {
            "iss": f"is another issuer's than {relying.issuer} (iss)",
            "aud": f"is for another client than {relying.client_id} (aud)",
            "iat": "is from the future (iat)",
        }.get(error.claim, f"has a value of {error.claim} that cannot be read")
        raise UntrustedError(f"its logout token {told}") from None
    if now_s - int(claims["iat"]) > OLDEST_S + relying.leeway_s:
        raise UntrustedError(f"its logout token was made more than {OLDEST_S} s ago (iat)")
    events = claims["events"]
    event = cast("dict[str, Any]", events).get(EVENT) if isinstance(events, dict) else None
    if not isinstance(event, dict):
        raise UntrustedError("its logout token is about no logout (events)")
    if "nonce" in claims:
        raise UntrustedError("its logout token is an ID token (nonce)")
    if not _text(claims, "sub") and not _text(claims, "sid"):
        raise UntrustedError("its logout token names neither a subject nor a session (sub, sid)")


def _text(claims: dict[str, Any], name: str, *, needed: bool = False) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_SUBJECT or (needed and not value):
        raise UntrustedError(f"its logout token has a value of {name} that cannot be read")
    return value
