"""An issuer of tokens: keys and signatures by joserfc, which shares no code with what verifies them."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from penstock.adapters.jose.tokens import Tokens
from penstock.compile.plan import compile_plan
from penstock.config.load import load_text
from penstock.core.plan import Plan, VirtualKey
from penstock.core.price_book import PriceBook

ISSUER = "https://id.example/realm"
NOW_S = 1_900_000_000
NOW_MS = NOW_S * 1000
KEYS: dict[str, Any] = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed", "alg": "EdDSA"}),
}
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})
ALL_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "HS256"]
CONFIG = """\
providers: {{sim: {{kind: simulator}}}}
routes: {{echo: {{policy: sim/echo}}, other: {{policy: sim/echo}}}}
orgs:
  acme:
    limits: {{rpm: 100}}
    users: {{"*": {{limits: {{rpm: 10}}}}}}
    teams: {{red: {{limits: {{rpm: 50}}}}}}
  beta: {{}}
auth: {{tokens: {{staff: {{issuer: "{issuer}", audience: [penstock], {more}}}}}}}
"""


def plan(more: str = "org: acme", issuer: str = ISSUER) -> Plan:
    """A Plan whose issuer has these settings."""
    return compile_plan(
        load_text(CONFIG.format(issuer=issuer, more=more), {}),
        revision="",
        prices=PriceBook("none", {}),
        reveal=lambda secret: secret.resolve({}),
        urls={"simulator": "http://127.0.0.1:1/v1"},
        now_ms=0,
    )


def published(*keys: Any) -> bytes:
    """The set of public keys, those of all algorithms unless some are named."""
    return json.dumps(KeySet(list(keys) or list(KEYS.values())).as_dict(private=False)).encode()


def claims(**more: Any) -> dict[str, Any]:
    """What a good token claims; None leaves a claim out."""
    said = {"iss": ISSUER, "aud": "penstock", "sub": "alice", "iat": NOW_S, "exp": NOW_S + 600, **more}
    return {name: value for name, value in said.items() if value is not None}


def token(
    said: dict[str, Any] | None = None, algorithm: str = "RS256", key: Any = None, **header: Any
) -> bytes:
    """A signed token."""
    signer = key or KEYS[algorithm]
    head = {"alg": algorithm, "kid": signer.kid, **header}
    head = {name: value for name, value in head.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # EdDSA has a newer name, and issuers use the old one
        return jwt.encode(head, said or claims(), signer, algorithms=ALL_ALGORITHMS).encode()


def unsigned(header: dict[str, Any], said: dict[str, Any], signature: bytes = b"") -> bytes:
    """A token put together by hand."""

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    return b".".join((part(json.dumps(header).encode()), part(json.dumps(said).encode()), part(signature)))


class Gate:
    """Asks for keys of tokens."""

    def __init__(self, more: str = "org: acme", jwks: bytes | None = None) -> None:
        self.asked = 0
        self.tokens = Tokens(plan(more), {"staff": published() if jwks is None else jwks}, self._ask)

    def _ask(self) -> None:
        self.asked += 1

    def key(self, given: bytes, now_ms: int = NOW_MS) -> VirtualKey | None:
        """The key that a token is. Raises Refusal."""
        return self.tokens.key_of(given, hashlib.sha256(given).digest(), now_ms)
