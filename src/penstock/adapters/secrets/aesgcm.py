"""Sealing with AES-256-GCM, and the master key from the environment or a file."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from penstock.ports.secrets import UnsealError

KEY_BYTES = 32
NONCE_BYTES = 12
MASTER_KEY_VARIABLE = "PENSTOCK_MASTER_KEY"
MASTER_KEY_FILE = "master.key"

# The first byte names the format, so that another cipher can follow without guessing.
_VERSION = b"\x01"
# Binds a box to this use, so that bytes sealed for something else do not open here.
_PURPOSE = b"penstock secret 1"


class MasterKeyError(Exception):
    """The master key is missing, malformed or readable by others; says how to mend it, never the key."""


class AesGcmBox:
    """A `ports.secrets.SecretBox`: version byte, random nonce, ciphertext with its tag."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise MasterKeyError(f"the master key must have {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes) -> bytes:
        """The value encrypted under a fresh random nonce."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, _PURPOSE)

    def unseal(self, sealed: bytes) -> bytes:
        """The value again.

        Raises:
            UnsealError: sealed with another key, in another format, or changed since.
        """
        if sealed[:1] != _VERSION:
            raise UnsealError("a sealed secret of an unknown format")
        nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, _PURPOSE)
        except (InvalidTag, ValueError):
            raise UnsealError("a secret that was sealed with another master key, or is damaged") from None


def master_key(env: Mapping[str, str], state_dir: Path) -> bytes:
    """The 32 bytes of PENSTOCK_MASTER_KEY (base64 or hex), or of `master.key`, which is made when missing.

    Raises:
        MasterKeyError: the variable is malformed, or the file is damaged, unreadable or open to others.
    """
    text = env.get(MASTER_KEY_VARIABLE)
    if text:
        return _decode(text, MASTER_KEY_VARIABLE)
    path = state_dir / MASTER_KEY_FILE
    try:
        _create(path)
        return _read(path)
    except OSError as error:
        raise MasterKeyError(f"{path}: {error.strerror or type(error).__name__}") from None


def _create(path: Path) -> None:
    """Make the file with a new key unless there is one; two processes that start at once agree on one key."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where rename would replace: whoever comes second uses the first one's key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise MasterKeyError(f"{path} is open to other users (mode {mode:o}); run chmod 600 on it")
        text = file.read(4096)
    return _decode(text.decode("ascii", "replace"), str(path))


def _decode(text: str, source: str) -> bytes:
    text = text.strip()
    try:
        key = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise MasterKeyError(f"{source} is not a master key: write {KEY_BYTES} random bytes as base64 or hex")
    return key
