"""Tokens as API credentials: verified once, then known by their hash (core.plan.TokenKeys)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock.adapters.jose.signatures import JoseError, VerifyingKey, decoded, read_object, verifying_keys
from penstock.core.errors import Refusal
from penstock.core.plan import Plan, VirtualKey
from penstock.core.token_claims import TokenIssuer, key_of_claims

LONGEST = 16_384
MOST_KNOWN = 50_000
# A refused token is not verified again at once: a client with a bad one asks again and again.
REFUSED_MS = 5_000
MOST_REFUSED = 1_000
# Keys that a token names and nobody knows are asked for so often.
ASK_EVERY_MS = 5_000


class Tokens:
    """The tokens of one Plan's issuers. `jwks` has their keys by name; `wanted` asks for newer ones."""

    def __init__(self, plan: Plan, jwks: Mapping[str, bytes], wanted: Callable[[], None]) -> None:
        self._plan = plan
        self._keys: dict[str, list[VerifyingKey]] = {
            issuer.name: verifying_keys(jwks.get(issuer.name, b"")) for issuer in plan.issuers.values()
        }
        self._wanted = wanted
        self._asked_ms = -ASK_EVERY_MS
        self._known: dict[bytes, VirtualKey] = {}
        self._refused: dict[bytes, tuple[int, str]] = {}

    def key_of(self, token: bytes, digest: bytes, now_ms: int) -> VirtualKey | None:
        """See core.plan.TokenKeys."""
        known = self._known.get(digest)
        if known is not None:
            return known
        if token.count(b".") != 2 or len(token) > LONGEST:
            return None
        refused = self._refused.get(digest)
        if refused is not None and now_ms < refused[0]:
            raise Refusal("token_rejected", refused[1])
        try:
            issuer, claims = self._verified(token, now_ms)
            key = key_of_claims(issuer, claims, digest, self._plan, now_ms)
        except JoseError:
            return None
        except Refusal as refusal:
            if refusal.code == "token_rejected":
                if len(self._refused) >= MOST_REFUSED:
                    self._refused.clear()
                self._refused[digest] = (now_ms + REFUSED_MS, str(refusal))
            raise
        self._keep(digest, key, now_ms)
        return key

    def _verified(self, token: bytes, now_ms: int) -> tuple[TokenIssuer, dict[str, Any]]:
        """Who signed it, and what it claims. Raises Refusal; JoseError where it is no token at all."""
        signed, _, signature = token.rpartition(b".")
        first, _, second = signed.partition(b".")
        header, claims = read_object(first), read_object(second)
        issuer = self._plan.issuers.get(str(claims.get("iss")))
        if issuer is None:
            raise Refusal("token_rejected", "this token's issuer (iss) is not one whose tokens are taken here")
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
            raise Refusal("token_rejected", "this token is not signed in a way that is taken from its issuer")
        if "crit" in header:
            raise Refusal("token_rejected", "this token asks for extensions (crit) that are not known here")
        keys = self._keys[issuer.name]
        fitting = [key for key in keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]
        if not fitting:
            self._ask(now_ms)
            if not keys:
                told = "the keys of this token's issuer could not be fetched yet; try again"
                raise Refusal("token_keys_missing", told, retry_after_s=5.0)
            raise Refusal("token_rejected", "this token is signed with a key that its issuer does not publish")
        # Without a key id each may be tried; an issuer with many keys has to name them.
        tried = fitting[:4] if kid is None else fitting[:1]
        made = decoded(signature)
        if not any(key.verifies(algorithm, signed, made) for key in tried):
            raise Refusal("token_rejected", "this token's signature is not its issuer's")
        return issuer, claims

    def _ask(self, now_ms: int) -> None:
        if now_ms - self._asked_ms >= ASK_EVERY_MS:
            self._asked_ms = now_ms
            self._wanted()

    def _keep(self, digest: bytes, key: VirtualKey, now_ms: int) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known = {
                each: one
                for each, one in self._known.items()
                if one.bounds is not None and (one.bounds.expires_ms or 0) > now_ms
            }
            while len(self._known) >= MOST_KNOWN:
                del self._known[next(iter(self._known))]
        self._known[digest] = key
