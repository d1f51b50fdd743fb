"""The master key from the environment, from a file, or from a key store on the network."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from penstock.adapters.secrets.aesgcm import KEY_BYTES, Cipher
from penstock.ports.kms import Kms, KmsError
from penstock.ports.secrets import UnsealError

MASTER_KEY_FILE = "master.key"
NOW = "PENSTOCK_"
NEXT = "PENSTOCK_NEW_"
_WRAPPED_AS = b"penstock data key 1 "
_KMS_VAULT = "vault:"


class LocalMaster:
    """A `ports.kms.Kms` whose key this process holds."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KmsError(f"the master key must have {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = Cipher(key)
        self._key = key
        # The key is random, so that its digest gives nothing away.
        self.id = f"local:{hashlib.sha256(b'penstock master key id ' + key).hexdigest()[:16]}"

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """See ports.kms."""
        return self._cipher.encrypt(data_key, _WRAPPED_AS + name.encode())

    def wrap_itself(self, name: str) -> bytes:
        """This key as a data key: values from before there were data keys were sealed with it."""
        return self.wrap(self._key, name)

    def first(self) -> tuple[str, bytes]:
        """Id and wrapped form of the data key that everybody begins with who has this master key.

        What machines share (control's database) is sealed with it, so that each of them can read it.
        """
        name = hmac.digest(self._key, b"penstock first data key id", "sha256")[:8].hex()
        return name, self.wrap(hmac.digest(self._key, b"penstock first data key", "sha256"), name)

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """See ports.kms."""
        try:
            return self._cipher.decrypt(wrapped, _WRAPPED_AS + name.encode())
        except UnsealError:
            raise KmsError(f"data key {name} is damaged in the keyring; restore keyring.json") from None


def master_from(env: Mapping[str, str], prefix: str = NOW) -> Kms | None:
    """The master key that the variables with this prefix name, None where they name none.

    They are MASTER_KEY (base64 or hex), MASTER_KEY_FILE (a path) and KMS (`vault:MOUNT/KEY`).

    Raises:
        KmsError: more than one is set, or the one that is set cannot be used.
    """
    names = [name for name in ("MASTER_KEY", "MASTER_KEY_FILE", "KMS") if env.get(prefix + name)]
    if len(names) > 1:
        raise KmsError(f"{' and '.join(prefix + name for name in names)} are both set; keep one")
    if not names:
        return None
    value, variable = env[prefix + names[0]], prefix + names[0]
    if names[0] == "MASTER_KEY":
        return LocalMaster(_decoded(value, variable))
    if names[0] == "MASTER_KEY_FILE":
        # Who mounts a secret for a group, as Kubernetes does, means that group.
        return LocalMaster(_read(Path(value), stat.S_IRWXO | stat.S_IWGRP))
    if not value.startswith(_KMS_VAULT) or "/" not in value:
        raise KmsError(f"{variable} is not a key store; write vault:MOUNT/KEY, such as vault:transit/penstock")
    from penstock.adapters.secrets.transit import transit_from  # noqa: PLC0415 - only where it is used

    return transit_from(value.removeprefix(_KMS_VAULT), env)


def file_master(state_dir: Path) -> LocalMaster:
    """The master key in `master.key`, which is made when missing. Raises KmsError."""
    path = state_dir / MASTER_KEY_FILE
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path, secrets.token_bytes(KEY_BYTES))
    except OSError as error:
        raise KmsError(f"{path}: {error.strerror or type(error).__name__}") from None
    return LocalMaster(_read(path))


def master_of(env: Mapping[str, str], state_dir: Path) -> Kms:
    """The master key in force: what the environment names, else `master.key`. Raises KmsError."""
    return master_from(env) or file_master(state_dir)


def key_text(key: bytes) -> bytes:
    """A key as its file holds it."""
    return base64.b64encode(key) + b"\n"


def _create(path: Path, key: bytes) -> None:
    """Make the file unless there is one; two processes that start at once agree on one key."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key_text(key))
            file.flush()
            os.fsync(file.fileno())
        # A link fails where rename would replace: whoever comes second uses the first one's key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read(path: Path, forbidden: int = stat.S_IRWXG | stat.S_IRWXO) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & forbidden:
                raise KmsError(f"{path} is open to other users (mode {mode:o}); run chmod 600 on it")
            text = file.read(4096)
    except OSError as error:
        raise KmsError(f"{path}: {error.strerror or type(error).__name__}") from None
    return _decoded(text.decode("ascii", "replace"), str(path))


def _decoded(text: str, source: str) -> bytes:
    text = text.strip()
    try:
        key = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise KmsError(f"{source} is not a master key: write {KEY_BYTES} random bytes as base64 or hex")
    return key
