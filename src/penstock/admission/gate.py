"""The gate: whose request it is."""

from __future__ import annotations

import hashlib
from typing import Final

from penstock.core.errors import Refusal
from penstock.core.plan import Plan, VirtualKey

_HINT: Final = "send a Penstock key as `Authorization: Bearer …` (or x-api-key, x-goog-api-key)"

# Only the hash of a key is known here, and a signature can be checked by who has the key itself alone.
_SIGNED: Final = (
    "an AWS signature (AWS4-HMAC-SHA256) cannot be checked here; set AWS_BEARER_TOKEN_BEDROCK to a Penstock key"
    " and call an https endpoint, because boto3 sends bearer tokens over TLS only"
)


_sha256: Final = hashlib.sha256


def key_of(plan: Plan, headers: dict[bytes, bytes], now_ms: int) -> VirtualKey:
    """The virtual key that a request carries, or that its token is. Raises Refusal.

    Secrets are compared by their SHA-256 alone: a dictionary probe on a hash tells a guesser nothing of the
    secret behind it.
    """
    given = headers.get(b"authorization")
    if given is not None:
        secret = given[7:] if given.startswith(b"Bearer ") else _secret_in(given)
    else:
        secret = headers.get(b"x-api-key") or headers.get(b"x-goog-api-key") or b""
    secret = secret.strip()
    if not secret:
        raise Refusal("missing_key", _HINT)
    digest = _sha256(secret).digest()
    key = plan.keys.get(digest)
    if key is None and plan.tokens is not None:
        key = plan.tokens.key_of(secret, digest, now_ms)
    if key is None:
        raise Refusal("invalid_key", f"this API key is not known here; {_HINT}")
    return key


def _secret_in(given: bytes) -> bytes:
    """The secret of an Authorization field, however its scheme is spelt. Raises Refusal for another scheme."""
    scheme, _, secret = given.partition(b" ")
    if scheme.lower() == b"aws4-hmac-sha256":
        raise Refusal("missing_key", _SIGNED)
    if scheme.lower() != b"bearer":
        raise Refusal("missing_key", _HINT)
    return secret
