"""AES-256-GCM with a random nonce in front: what every sealed value and every wrapped key is made with."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from penstock.ports.secrets import UnsealError

KEY_BYTES = 32
NONCE_BYTES = 12
# The first byte names the format, so that another cipher can follow without guessing.
_VERSION = b"\x01"
# What a box without a purpose of its own binds its values to.
_PURPOSE = b"penstock secret 1"


class Cipher:
    """One key. It is in no repr, and nothing gives it back."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise UnsealError(f"a key must have {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)

    def encrypt(self, plain: bytes, bound_to: bytes) -> bytes:
        """Nonce, ciphertext and tag; opens only with the same `bound_to`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound_to)

    def decrypt(self, data: bytes, bound_to: bytes) -> bytes:
        """The value again. Raises UnsealError."""
        try:
            return self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError):
            raise UnsealError(
                "a secret that was sealed with another key or for another purpose, or is damaged"
            ) from None


class AesGcmBox:
    """A `ports.secrets.SecretBox` with one key: the form of values from before there were data keys."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(key)

    def seal(self, plain: bytes) -> bytes:
        """The value encrypted under a fresh random nonce."""
        return _VERSION + self._cipher.encrypt(plain, _PURPOSE)

    def unseal(self, sealed: bytes) -> bytes:
        """The value again. Raises UnsealError."""
        return unseal_first(self._cipher, sealed)


def unseal_first(cipher: Cipher, sealed: bytes) -> bytes:
    """A value in the form that `AesGcmBox` writes. Raises UnsealError."""
    if sealed[:1] != _VERSION:
        raise UnsealError("a sealed secret of an unknown format")
    return cipher.decrypt(sealed[1:], _PURPOSE)
