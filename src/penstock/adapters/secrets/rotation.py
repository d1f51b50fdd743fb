"""New data keys and new master keys, in steps after each of which every sealed value can be read."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from penstock.adapters.secrets.aesgcm import KEY_BYTES
from penstock.adapters.secrets.keyring import (
    KEYRING_FILE,
    DataKey,
    Ring,
    locked,
    new_data_key,
    read_ring,
    write_ring,
)
from penstock.adapters.secrets.master import MASTER_KEY_FILE, LocalMaster, file_master, key_text
from penstock.config.private_file import sync_directory, write_private
from penstock.ports.kms import Kms, KmsError

Write = Callable[[Path, Ring], None]


class Rotation:
    """Changes the keyring of one installation. All methods raise KmsError; `write` replaces its file."""

    def __init__(self, state_dir: Path, write: Write = write_ring) -> None:
        self._state_dir = state_dir
        self._path = state_dir / KEYRING_FILE
        self._write = write

    def ring(self) -> Ring:
        """The keyring as it stands."""
        try:
            return read_ring(self._path)
        except FileNotFoundError:
            raise KmsError(f"{self._path} does not exist: nothing has been sealed yet") from None
        except OSError as error:
            raise KmsError(f"{self._path}: {error.strerror or type(error).__name__}") from None

    def add_data_key(self, master: Kms, now_ms: int) -> str:
        """A new key that seals from now on; the earlier ones still open. Returns its id."""
        with locked(self._state_dir):
            ring = self.ring()
            key = new_data_key(master, now_ms)
            self._write(self._path, Ring(key.id, (key, *ring.keys)))
            return key.id

    def change_master(self, old: Kms, new: Kms) -> None:
        """Wrap every data key by the new master key as well: until `retire`, either one opens them."""
        with locked(self._state_dir):
            self._change(old, new)

    def change_file_master(self) -> LocalMaster:
        """Replace `master.key`. A crash at any point leaves a master key that opens the ring."""
        with locked(self._state_dir):
            old, key = file_master(self._state_dir), secrets.token_bytes(KEY_BYTES)
            new, place = LocalMaster(key), self._state_dir / MASTER_KEY_FILE
            following = place.with_name(f"{MASTER_KEY_FILE}.next")
            try:
                write_private(following, key_text(key))
                self._change(old, new)
                following.replace(place)
                sync_directory(self._state_dir)
            except OSError as error:
                raise KmsError(f"{following}: {error.strerror or type(error).__name__}") from None
            self._retire(new)
        return new

    def retire(self, master: Kms) -> list[str]:
        """Take from all other master keys what they could open; the names of these."""
        with locked(self._state_dir):
            return self._retire(master)

    def forget(self, names: Collection[str]) -> None:
        """Drop data keys: what they have sealed can never be read again. The active one stays."""
        with locked(self._state_dir):
            ring = self.ring()
            kept = tuple(key for key in ring.keys if key.id not in names or key.id == ring.active)
            self._write(self._path, Ring(ring.active, kept))

    def _change(self, old: Kms, new: Kms) -> None:
        ring = self.ring()
        keys = tuple(_wrapped_by(key, old, new) for key in ring.keys)
        self._write(self._path, Ring(ring.active, keys))

    def _retire(self, master: Kms) -> list[str]:
        ring = self.ring()
        others = sorted({name for key in ring.keys for name in key.wrapped} - {master.id})
        for key in ring.keys:
            if master.id not in key.wrapped:
                raise KmsError(
                    f"data key {key.id} is not wrapped by {master.id}, the master key in force; "
                    "run `penstock secrets rotate --master` first"
                )
        keys = tuple(
            msgspec.structs.replace(key, wrapped={master.id: key.wrapped[master.id]}) for key in ring.keys
        )
        self._write(self._path, Ring(ring.active, keys))
        return others


def _wrapped_by(key: DataKey, old: Kms, new: Kms) -> DataKey:
    """The key with one more wrapping. Where both are one key store, it wraps with its newest version."""
    wrapped = key.wrapped.get(old.id)
    if wrapped is None:
        raise KmsError(
            f"data key {key.id} needs master key {' or '.join(sorted(key.wrapped))}, not {old.id}: "
            "set the master key that is in force, as docs/secrets.md says"
        )
    plain = old.unwrap(base64.b64decode(wrapped), key.id)
    again = base64.b64encode(new.wrap(plain, key.id)).decode()
    return msgspec.structs.replace(key, wrapped={**key.wrapped, new.id: again})
