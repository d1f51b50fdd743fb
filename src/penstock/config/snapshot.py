"""Snapshots: a complete configuration that a gateway keeps on disk and starts from when nothing else is up.

A file is one line of format, the SHA-256 of the rest, and MessagePack. Secret references stay references;
literal values are sealed; of virtual keys only the SHA-256 is stored.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.config.document import Document, Secret, SecretError, VirtualKey
from penstock.ports.secrets import SecretBox, UnsealError

FORMAT = 1
_HEADER = b"penstock snapshot 1\n"
_CHECKSUM_BYTES = 32


class SnapshotError(Exception):
    """A snapshot cannot be written or used; the message says why and names no secret."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One published configuration.

    `revision` is a hash of the content: the same document and prices have the same revision. `created_ms`
    is in milliseconds since the Unix epoch. `prices` is opaque here; who compiles rate tables fills it.
    """

    format: int = FORMAT
    revision: str
    created_ms: int
    document: Document
    prices: bytes = b""


def make_snapshot(document: Document, env: Mapping[str, str], created_ms: int, prices: bytes = b"") -> Snapshot:
    """A snapshot of a document, its virtual keys replaced by their hashes.

    Raises:
        SnapshotError: a virtual key's secret cannot be resolved with `env`, or two are the same.
    """
    keys: list[VirtualKey] = []
    seen: dict[str, str] = {}

    def hashed(name: str, secret: Secret) -> Secret:
        try:
            digest = secret.sha256(env)
        except SecretError as error:
            raise SnapshotError(f"key {name}: {error}") from None
        if digest in seen:
            raise SnapshotError(f"keys {seen[digest]} and {name} have the same secret; give each its own")
        seen[digest] = name
        return Secret.hashed(digest)

    for key in document.keys:
        current = hashed(key.name, key.secret)
        previous = tuple(
            msgspec.structs.replace(one, secret=hashed(key.name, one.secret)) for one in key.previous
        )
        keys.append(msgspec.structs.replace(key, secret=current, previous=previous))
    document = msgspec.structs.replace(document, keys=tuple(keys))
    return Snapshot(
        revision=revision_of(document, prices), created_ms=created_ms, document=document, prices=prices
    )


def revision_of(document: Document, prices: bytes = b"") -> str:
    """Sixteen hex digits that change with the content and with nothing else.

    It is cut so short that it cannot serve to confirm a guess of the secrets that went into it.
    """
    content = msgspec.msgpack.Encoder(enc_hook=_plain, order="deterministic").encode([document, prices])
    return hashlib.sha256(content).hexdigest()[:16]


def encode(snapshot: Snapshot, box: SecretBox) -> bytes:
    """The snapshot as bytes, literal secrets sealed.

    Raises:
        SnapshotError: a virtual key is not hashed (`make_snapshot` does that).
    """
    for key in snapshot.document.keys:
        if any(secret.kind != "sha256" for secret in (key.secret, *(one.secret for one in key.previous))):
            raise SnapshotError(f"key {key.name} is not hashed")

    def stored(value: object) -> dict[str, str | bytes]:
        plain = _plain(value)
        if "literal" in plain:
            return {"sealed": box.seal(str(plain["literal"]).encode())}
        return plain

    payload = msgspec.msgpack.Encoder(enc_hook=stored).encode(snapshot)
    return _HEADER + hashlib.sha256(payload).digest() + payload


def decode(data: bytes, box: SecretBox) -> Snapshot:
    """The snapshot again, sealed secrets opened.

    Raises:
        SnapshotError: foreign, torn or changed bytes, another format, or secrets sealed with another key.
    """
    if not data.startswith(_HEADER):
        raise SnapshotError("this is not a snapshot of this version of Penstock")
    payload = data[len(_HEADER) + _CHECKSUM_BYTES :]
    if hashlib.sha256(payload).digest() != data[len(_HEADER) : len(_HEADER) + _CHECKSUM_BYTES]:
        raise SnapshotError("the snapshot is torn or was changed: its checksum does not match")

    def opened(kind: type, value: object) -> Secret:
        if kind is not Secret:
            raise TypeError(kind.__name__)
        return _secret(value, box)

    try:
        return msgspec.msgpack.decode(payload, type=Snapshot, dec_hook=opened)
    except UnsealError as error:
        raise SnapshotError(f"the snapshot has {error}") from None
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"the snapshot does not fit this version of Penstock: {error}") from None


def write_snapshot(path: Path, snapshot: Snapshot, box: SecretBox) -> None:
    """Write atomically, readable only by the owner: after a crash there is the old file or the new one.

    Raises:
        SnapshotError: see `encode`.
        OSError: the disk is full or the directory cannot be written; the old file is intact.
    """
    data = encode(snapshot, box)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def read_snapshot(path: Path, box: SecretBox) -> Snapshot:
    """The snapshot in a file.

    Raises:
        SnapshotError: it is missing, unreadable or not usable (see `decode`); starts with the path.
    """
    try:
        return decode(path.read_bytes(), box)
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or type(error).__name__}") from None
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from None


def _plain(value: object) -> dict[str, str | bytes]:
    """A secret as a map with one key; the literal is for hashing or sealing, never for a file."""
    if not isinstance(value, Secret):
        raise NotImplementedError(f"{type(value).__name__} has no place in a snapshot")
    if value.kind == "template":
        return {"reference" if value.is_reference else "literal": value.stored()}
    return {value.kind: value.stored()}


def _secret(value: object, box: SecretBox) -> Secret:
    match value:
        case {"reference": str(text)}:
            return Secret.template(text)
        case {"sha256": str(digest)}:
            return Secret.hashed(digest)
        case {"sealed": bytes(sealed)}:
            return Secret.template(box.unseal(sealed).decode())
        case _:
            raise ValueError("an unknown form of secret")


def _sync_directory(path: Path) -> None:
    # Without this a power cut may undo the rename although the file itself is on disk.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
