"""Signatures of what a simulated model thought: any simulator can tell whether a block came back unchanged."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

# Not a secret: it only has to be the same in every simulator.
_KEY = b"penstock simulator"
_NONCE = 16


def sign(kind: str, content: object, digest: str) -> str:
    """A signature of the content (JSON) for this kind of block; `digest` makes answers' signatures differ."""
    nonce = bytes.fromhex(digest)[:_NONCE].ljust(_NONCE, b"\0")
    return base64.b64encode(nonce + _mac(kind, content, nonce)).decode()


def is_signed(signature: object, kind: str, content: object) -> bool:
    """Whether a simulator made this signature for this kind and content."""
    if not isinstance(signature, str):
        return False
    try:
        # Google's clients write base64 with the letters for URLs.
        raw = base64.b64decode(signature.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(raw[_NONCE:], _mac(kind, content, raw[:_NONCE]))


def _mac(kind: str, content: object, nonce: bytes) -> bytes:
    encoded = msgspec.json.encode((kind, _plain(content)), order="deterministic")
    return hashlib.blake2b(nonce + encoded, key=_KEY, digest_size=32).digest()


def _plain(content: Any) -> Any:
    """The same for numbers that JSON libraries write in several ways: 5 and 5.0."""
    if isinstance(content, float) and content.is_integer():
        return int(content)
    if isinstance(content, dict):
        return {str(name): _plain(value) for name, value in content.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(content, list):
        return [_plain(value) for value in content]  # pyright: ignore[reportUnknownVariableType]
    return content
