"""The data keys of an installation, wrapped by the master key, and the boxes that seal with them.

A sealed value is a version byte, the id of its data key, and the output of AES-256-GCM. The id and the value's
purpose are authenticated with it: a value opens under its own key and for its own purpose alone.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Generator
from pathlib import Path

import msgspec

from penstock.adapters.secrets.aesgcm import KEY_BYTES, Cipher, unseal_first
from penstock.adapters.secrets.master import LocalMaster
from penstock.config.private_file import write_private
from penstock.ports.kms import Kms, KmsError
from penstock.ports.secrets import UnsealError

KEYRING_FILE = "keyring.json"
LOCK_FILE = "keyring.lock"
ID_BYTES = 8
# Under this name stands the master key that sealed by itself before there were data keys.
FIRST = "00" * ID_BYTES
_VERSION = b"\x02"
_BOUND_TO = b"penstock secret 2 "
# A rotation under way replaces two files; who reads between them reads again.
_TRIES = 3


class DataKey(msgspec.Struct, frozen=True):
    """One data key; `wrapped` holds it encrypted, in base64, by the name of each master key that opens it."""

    id: str
    created_ms: int
    wrapped: dict[str, str]


class Ring(msgspec.Struct, frozen=True):
    """What `keyring.json` says; `active` is the key that seals."""

    active: str
    keys: tuple[DataKey, ...]
    format: int = 1

    def find(self, name: str) -> DataKey | None:
        """The key with an id."""
        return next((key for key in self.keys if key.id == name), None)


class Keyring:
    """Data keys, opened when they are needed and held in memory; follows the file when it changes.

    `master` gives the master key in force; it is asked anew each time, because a rotation may have changed it.
    Not thread-safe.
    """

    def __init__(self, state_dir: Path, master: Callable[[], Kms], now_ms: Callable[[], int]) -> None:
        self._state_dir = state_dir
        self._path = state_dir / KEYRING_FILE
        self._master = master
        self._now_ms = now_ms
        self._ciphers: dict[str, Cipher] = {}
        self._ring: Ring | None = None
        self._seen: tuple[int, int] | None = None
        self._all_open: tuple[int, int] | None = None

    def ring(self) -> Ring | None:
        """The file as it stands, None where there is none yet. Raises KmsError."""
        try:
            stamp = self._stamp()
            if stamp is None or stamp != self._seen:
                self._ring, self._seen = read_ring(self._path), stamp
        except FileNotFoundError:
            self._ring, self._seen = None, None
        except OSError as error:
            raise KmsError(f"{self._path}: {error.strerror or type(error).__name__}") from None
        return self._ring

    @property
    def changed(self) -> bool:
        """Whether the file is another one than the one that `open_all` has opened."""
        return self._stamp() != self._all_open

    def open_all(self) -> None:
        """Open every key, so that nothing is asked of a key store afterwards. Raises UnsealError."""
        self._all_open = self._stamp()
        ring = self.ring()
        for key in ring.keys if ring is not None else ():
            self.cipher(key.id)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def active(self) -> str:
        """The id of the key that seals; the first one is made here. Raises KmsError."""
        ring = self.ring()
        if ring is None:
            with locked(self._state_dir):
                ring = self.ring() or self._begin()
        return ring.active

    def first(self) -> str:
        """The id of the key that the ring began with. Raises KmsError."""
        active, ring = self.active(), self.ring()
        kept = [key.id for key in ring.keys if key.id != FIRST] if ring is not None else []
        return kept[-1] if kept else active  # a new one goes in front

    def cipher(self, name: str) -> Cipher:
        """A data key, opened. Raises UnsealError, KmsError."""
        found = self._ciphers.get(name)
        if found is None:
            found = self._ciphers[name] = Cipher(self._opened(name))
        return found

    def _opened(self, name: str) -> bytes:
        said = ""
        for _ in range(_TRIES):
            self._seen = None
            ring, master = self.ring(), self._master()
            key = ring.find(name) if ring is not None else None
            if key is None and name == FIRST and ring is None and isinstance(master, LocalMaster):
                return master.unwrap(master.wrap_itself(name), name)
            if key is None and isinstance(master, LocalMaster) and name == master.first()[0]:
                return master.unwrap(master.first()[1], name)  # another machine's ring began with it
            if key is None:
                raise UnsealError(
                    f"a secret of data key {name}, which is not in {self._path}: restore that file"
                )
            wrapped = key.wrapped.get(master.id)
            if wrapped is not None:
                return master.unwrap(base64.b64decode(wrapped), name)
            said = f"data key {name} needs master key {' or '.join(sorted(key.wrapped))}, not {master.id}"
        raise KmsError(f"{said}: set the master key that is in force, as docs/secrets.md says")

    def _begin(self) -> Ring:
        """The first ring; where there are values without data keys already, they stay readable."""
        master = self._master()
        keys = [_first_of(master, self._now_ms())]
        earlier = any((self._state_dir / name).exists() for name in ("snapshot", "owned.db"))
        if earlier and isinstance(master, LocalMaster):
            wrapped = base64.b64encode(master.wrap_itself(FIRST)).decode()
            keys.append(DataKey(FIRST, 0, {master.id: wrapped}))
        ring = Ring(keys[0].id, tuple(keys))
        write_ring(self._path, ring)
        return ring


class PurposeBox:
    """A `ports.secrets.SecretBox`: seals with the key in force, opens what any key of the ring has sealed."""

    def __init__(self, keyring: Keyring, purpose: str) -> None:
        self._keyring = keyring
        self._purpose = purpose.encode()

    def seal(self, plain: bytes) -> bytes:
        """See ports.secrets."""
        return self._seal(self._keyring.active(), plain)

    def _seal(self, name: str, plain: bytes) -> bytes:
        head = _VERSION + bytes.fromhex(name)
        return head + self._keyring.cipher(name).encrypt(plain, _BOUND_TO + head + self._purpose)

    def unseal(self, sealed: bytes) -> bytes:
        """See ports.secrets."""
        name = sealed_by(sealed)
        if sealed[:1] != _VERSION:
            return unseal_first(self._keyring.cipher(name), sealed)
        head, rest = sealed[: 1 + ID_BYTES], sealed[1 + ID_BYTES :]
        return self._keyring.cipher(name).decrypt(rest, _BOUND_TO + head + self._purpose)


def sealed_by(sealed: bytes) -> str:
    """The id of the data key that a value was sealed with. Raises UnsealError."""
    if sealed[:1] == b"\x01":
        return FIRST
    if sealed[:1] != _VERSION or len(sealed) < 1 + ID_BYTES:
        raise UnsealError("a sealed secret of an unknown format")
    return sealed[1 : 1 + ID_BYTES].hex()


class SharedBox(PurposeBox):
    """Seals with the first data key, which all machines with the same master key have."""

    def seal(self, plain: bytes) -> bytes:
        """See ports.secrets."""
        return self._seal(self._keyring.first(), plain)


def _first_of(master: Kms, now_ms: int) -> DataKey:
    """The key that a ring begins with: the same for everybody who has the master key, where it is a key."""
    if not isinstance(master, LocalMaster):
        return new_data_key(master, now_ms)
    name, wrapped = master.first()
    return DataKey(name, now_ms, {master.id: base64.b64encode(wrapped).decode()})


def new_data_key(master: Kms, now_ms: int) -> DataKey:
    """A fresh key. Raises KmsError."""
    name = secrets.token_hex(ID_BYTES)
    wrapped = master.wrap(secrets.token_bytes(KEY_BYTES), name)
    return DataKey(name, now_ms, {master.id: base64.b64encode(wrapped).decode()})


def read_ring(path: Path) -> Ring:
    """The ring in a file. Raises KmsError, OSError."""
    try:
        ring = msgspec.json.decode(path.read_bytes(), type=Ring)
        for key in ring.keys:
            for wrapped in key.wrapped.values():
                base64.b64decode(wrapped, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        raise KmsError(f"{path} is damaged ({type(error).__name__}); restore it from a backup") from None
    if ring.format != 1 or ring.find(ring.active) is None:
        raise KmsError(f"{path} is not a keyring of this version of Penstock")
    return ring


def write_ring(path: Path, ring: Ring) -> None:
    """Replace the file whole. Raises KmsError."""
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(ring), indent=2) + b"\n")
    except OSError as error:
        raise KmsError(f"{path}: {error.strerror or type(error).__name__}") from None


@contextlib.contextmanager
def locked(state_dir: Path) -> Generator[None]:
    """Only one process changes the ring at a time; readers need no lock. Raises KmsError."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise KmsError(f"{state_dir}: {error.strerror or type(error).__name__}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
