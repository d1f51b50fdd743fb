"""ID tokens: signature, and claims (OpenID Connect Core 1.0, section 3.1.3.7), verified by joserfc."""

from __future__ import annotations

import base64
import hashlib
import warnings
from collections.abc import Callable
from typing import Any, cast

from joserfc import jws, jwt
from joserfc.errors import (
    ClaimError,
    ExpiredTokenError,
    JoseError,
    MissingClaimError,
    SecurityWarning,
)
from joserfc.jwk import RSAKey, import_key

from penstock.ports.identity_provider import Relying, UntrustedError

# Signatures by public keys alone: with a shared secret whoever knows ours could sign.
_HASHES = {"256": "sha256", "384": "sha384", "512": "sha512"}
ALGORITHMS: dict[str, tuple[str, str]] = {
    **{f"{family}{bits}": ("RSA", name) for family in ("RS", "PS") for bits, name in _HASHES.items()},
    **{f"ES{bits}": ("EC", name) for bits, name in _HASHES.items()},
    "EdDSA": ("OKP", "sha512"),
    "Ed25519": ("OKP", "sha512"),
}
LEAST_RSA_BITS = 2048
LONGEST = 65_536
LONGEST_HEADER = 16_384
LONGEST_SUBJECT = 255
# Without a key id each key may be tried; an issuer with many has to name them.
MOST_TRIED = 4

Keys = Callable[[str | None], list[dict[str, Any]]]


def verified(
    token: str, keys: Keys, relying: Relying, nonce: str, now_s: int, access_token: str = ""
) -> dict[str, Any]:
    """The claims of an ID token that its issuer made for this login.

    Raises UntrustedError, and what `keys` raises.
    """
    claims, header = signed_claims(token, keys, "its ID token")
    algorithm = str(header["alg"])
    _check(claims, relying, nonce, now_s)
    half = claims.get("at_hash")
    if half is not None and access_token and half != _half_hash(access_token, algorithm):
        raise UntrustedError("its access token is not the one that its ID token was issued with (at_hash)")
    return claims


def signed_claims(token: str, keys: Keys, what: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Claims and header of a token that its issuer signed; `what` names it in messages.

    Raises UntrustedError, and what `keys` raises.
    """
    if len(token) > LONGEST:
        raise UntrustedError(f"{what} is too long")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError):
        raise UntrustedError(f"{what} is no signed JWT") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise UntrustedError(f"{what} is signed with {str(algorithm)[:20]!r}, which is not taken here")
    if kid is not None and not isinstance(kid, str):
        raise UntrustedError(f"{what} names its key by something that is no text (kid)")
    fitting = [row for row in keys(kid) if _fits(row, algorithm)]
    if not fitting:
        raise UntrustedError(f"{what} is signed with a key that it does not publish (kid)")
    return _signed(token, algorithm, fitting[:MOST_TRIED], what), dict(header)


def _signed(token: str, algorithm: str, rows: list[dict[str, Any]], what: str) -> dict[str, Any]:
    rules = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    rules.max_header_length = LONGEST_HEADER
    for row in rows:
        try:
            with warnings.catch_warnings():
                # Short keys are refused here; `EdDSA` has a newer name (RFC 9864), and issuers use the old one.
                warnings.simplefilter("ignore", SecurityWarning)
                key = import_key(cast("dict[str, str | list[str]]", row))
                if isinstance(key, RSAKey) and key.public_key.key_size < LEAST_RSA_BITS:
                    continue
                return jwt.decode(token, key, registry=rules).claims
        except (JoseError, ValueError, TypeError):
            continue  # another key may have made it
    raise UntrustedError(f"the signature of {what} is not its own")


def _fits(row: dict[str, Any], algorithm: str) -> bool:
    """Which algorithm a key serves follows from the key."""
    return (
        row.get("kty") == ALGORITHMS[algorithm][0]
        and row.get("use", "sig") == "sig"
        and row.get("alg", algorithm) in {algorithm, *({"EdDSA", "Ed25519"} if row.get("kty") == "OKP" else ())}
    )


def _check(claims: dict[str, Any], relying: Relying, nonce: str, now_s: int) -> None:
    rules = jwt.JWTClaimsRegistry(
        now=now_s,
        leeway=relying.leeway_s,
        iss={"essential": True, "value": relying.issuer},
        aud={"essential": True, "value": relying.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    clocks = f"if it was issued just now, the clocks here and there differ by more than {relying.leeway_s} s"
    try:
        rules.validate(claims)
    except ExpiredTokenError:
        raise UntrustedError(f"its ID token has expired; {clocks} (leeway)") from None
    except MissingClaimError as error:
        raise UntrustedError(f"its ID token lacks {error.claim}") from None
    except ClaimError as error:
        told = {
            "iss": f"is another issuer's than {relying.issuer} (iss)",
            "aud": f"is for another client than {relying.client_id} (aud); look at client_id",
            "nonce": "belongs to another login (nonce)",
            "iat": f"is from the future (iat); {clocks} (leeway)",
            "nbf": f"is not valid yet (nbf); {clocks} (leeway)",
        }.get(error.claim, f"has a value of {error.claim} that cannot be read")
        raise UntrustedError(f"its ID token {told}") from None
    party, audience = claims.get("azp"), claims["aud"]
    if party != relying.client_id and (
        party is not None or (isinstance(audience, list) and len(cast("list[str]", audience)) > 1)
    ):
        raise UntrustedError("its ID token was issued for another client's use (azp)")
    subject = claims["sub"]
    if not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise UntrustedError("its ID token names a subject that is none (sub)")


def _half_hash(text: str, algorithm: str) -> str:
    digest = hashlib.new(ALGORITHMS[algorithm][1], text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
