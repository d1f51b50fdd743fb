"""What control and the other machines derive from the secret that they share (docs/adr/0027)."""

from __future__ import annotations

import os
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from penstock.config.snapshot import Snapshot, decode, encode
from penstock.ports.secrets import UnsealError

LEAST_CHARACTERS = 24
_NONCE_BYTES = 12
_KEY_BYTES = 32
_BOUND_TO = b"penstock fleet 1"


class WeakTokenError(Exception):
    """The shared secret can be guessed; the message says what to do."""


class FleetToken:
    """The shared secret: as a credential, and as the key that snapshots are sealed with. Is a `SecretBox`.

    The credential is derived from it, so that whoever sees it on its way, such as a proxy that ends TLS, can
    neither read nor make a snapshot.
    """

    def __init__(self, token: str) -> None:
        """Raises WeakTokenError."""
        if len(token) < LEAST_CHARACTERS:
            raise WeakTokenError(
                f"server.control_token has less than {LEAST_CHARACTERS} characters; make one with"
                " `openssl rand -base64 32`"
            )
        self.bearer = _derived(token, b"bearer").hex()
        self._cipher = AESGCM(_derived(token, b"seal"))

    def seal(self, plain: bytes) -> bytes:
        """See ports.secrets."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, _BOUND_TO)

    def unseal(self, sealed: bytes) -> bytes:
        """See ports.secrets."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _BOUND_TO)
        except (InvalidTag, ValueError):
            raise UnsealError("sealed with another server.control_token, or changed on its way") from None

    def pack(self, snapshot: Snapshot) -> bytes:
        """A snapshot as it is sent: nobody else can read it, or make one. Raises SnapshotError."""
        return self.seal(zlib.compress(encode(snapshot, self), 1))

    def unpack(self, data: bytes) -> Snapshot:
        """The snapshot again. Raises UnsealError, SnapshotError."""
        return decode(zlib.decompress(self.unseal(data)), self)


def _derived(token: str, what: bytes) -> bytes:
    info = _BOUND_TO + b" " + what
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=info).derive(token.encode())
