"""Whether a token was signed by one of an issuer's keys (RFC 7515, RFC 7517, RFC 7518, RFC 8037, RFC 9864).

Which algorithm a key serves follows from the key, never from the token's header alone: no public key can be
taken for a shared secret, and there is no algorithm without a signature.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 8192
_RSA: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512(), "PS256": hashes.SHA256(),
}  # fmt: skip
# By curve: the algorithm, its hash, and the bytes of each half of a signature.
_CURVES: dict[str, tuple[str, ec.EllipticCurve, hashes.HashAlgorithm, int]] = {
    "P-256": ("ES256", ec.SECP256R1(), hashes.SHA256(), 32),
    "P-384": ("ES384", ec.SECP384R1(), hashes.SHA384(), 48),
}
_CURVE_OF = {row[0]: row for row in _CURVES.values()}
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey


class JoseError(ValueError):
    """What was given is no token, or no key that is taken; the message holds nothing of it."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key: its id, empty where it has none, and the algorithms that it serves."""

    kid: str
    algorithms: frozenset[str]
    key: PublicKey

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether it made the signature."""
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, signed)
            elif isinstance(self.key, ec.EllipticCurvePublicKey):
                _, _, digest, size = _CURVE_OF[algorithm]
                if len(signature) != 2 * size:
                    return False
                halves = (int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
                self.key.verify(encode_dss_signature(*halves), signed, ec.ECDSA(digest))
            elif algorithm == "PS256":
                pad = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
                self.key.verify(signature, signed, pad, hashes.SHA256())
            else:
                self.key.verify(signature, signed, padding.PKCS1v15(), _RSA[algorithm])
        except InvalidSignature:
            return False
        return True


def decoded(text: bytes) -> bytes:
    """Base64url without padding (RFC 7515, section 2). Raises JoseError."""
    if b"=" in text:
        raise JoseError("padded base64")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise JoseError("not base64url") from None


def read_object(text: bytes) -> dict[str, Any]:
    """A JSON object in base64url. Raises JoseError."""
    try:
        found = msgspec.json.decode(decoded(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise JoseError("not JSON") from None
    if not isinstance(found, dict):
        raise JoseError("not a JSON object")
    return cast("dict[str, Any]", found)


def verifying_keys(jwks: bytes) -> list[VerifyingKey]:
    """The keys of a set that can verify signatures; others (encryption, secrets, weak ones) are passed over."""
    try:
        said = msgspec.json.decode(jwks)
    except msgspec.DecodeError:
        return []
    rows = cast("dict[str, Any]", said).get("keys") if isinstance(said, dict) else None
    found: list[VerifyingKey] = []
    for row in cast("list[Any]", rows) if isinstance(rows, list) else []:
        try:
            key = _key(cast("dict[str, Any]", row)) if isinstance(row, dict) else None
        except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if key is not None:
            found.append(key)
    return found


def _key(row: dict[str, Any]) -> VerifyingKey | None:
    if row.get("use", "sig") != "sig" or "verify" not in row.get("key_ops", ["verify"]):
        return None
    found = _public(row)
    if found is None:
        return None
    key, algorithms = found
    said = row.get("alg")
    if said is not None:
        algorithms &= {str(said)}
    kid = row.get("kid", "")
    return VerifyingKey(kid, algorithms, key) if algorithms and isinstance(kid, str) else None


def _public(row: dict[str, Any]) -> tuple[PublicKey, frozenset[str]] | None:
    kind = row.get("kty")
    if kind == "RSA":
        key = rsa.RSAPublicNumbers(_number(row.get("e")), _number(row.get("n"))).public_key()
        sized = LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS
        return (key, frozenset(_RSA)) if sized else None
    curve = _CURVES.get(str(row.get("crv")))
    if kind == "EC" and curve is not None:
        point = ec.EllipticCurvePublicNumbers(_number(row.get("x")), _number(row.get("y")), curve[1])
        return point.public_key(), frozenset({curve[0]})
    if kind == "OKP" and row.get("crv") == "Ed25519":
        return Ed25519PublicKey.from_public_bytes(decoded(_text(row.get("x")))), frozenset({"EdDSA", "Ed25519"})
    return None


def _text(value: object) -> bytes:
    if not isinstance(value, str):
        raise JoseError("not a text")
    return value.encode("ascii", "replace")


def _number(value: object) -> int:
    return int.from_bytes(decoded(_text(value)))
