"""Snapshots: a complete configuration that a gateway keeps on disk and starts from when nothing else is up.

A file is one line of format, the SHA-256 of the rest, and MessagePack. Secret references stay references;
literal values are sealed; of virtual keys only the SHA-256 is stored.
"""

from __future__ import annotations

import hashlib
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

import msgspec

from penstock.config.document import Document, Secret, SecretError, VirtualKey
from penstock.config.document.secret import VAULT
from penstock.config.private_file import write_private
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
    `jwks` has the public keys of issuers of tokens, by their names in the document.
    """

    format: int = FORMAT
    revision: str
    created_ms: int
    document: Document
    prices: bytes = b""
    fetched: dict[str, Secret] = {}
    jwks: dict[str, bytes] = {}

    def environment(self, env: Mapping[str, str]) -> Mapping[str, str]:
        """What the document's secrets are resolved with: `env`, and what was fetched."""
        return with_fetched(
            env, {place: value.resolve({}, lines=True) for place, value in self.fetched.items()}
        )


def with_fetched(env: Mapping[str, str], fetched: Mapping[str, str]) -> Mapping[str, str]:
    """An environment that also has values from Vault, by their places."""
    return ChainMap({VAULT + place: value for place, value in fetched.items()}, dict(env)) if fetched else env


def make_snapshot(
    document: Document,
    env: Mapping[str, str],
    created_ms: int,
    prices: bytes = b"",
    fetched: Mapping[str, str] = MappingProxyType({}),
    jwks: Mapping[str, bytes] = MappingProxyType({}),
) -> Snapshot:
    """A snapshot of a document, its virtual keys replaced by their hashes.

    `fetched` are values from Vault by their places; they are stored sealed.

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
    held = {place: Secret.literal(value) for place, value in sorted(fetched.items())}
    revision = revision_of(document, prices, held, jwks)
    return Snapshot(
        revision=revision,
        created_ms=created_ms,
        document=document,
        prices=prices,
        fetched=held,
        jwks=dict(jwks),
    )


def revision_of(
    document: Document,
    prices: bytes = b"",
    fetched: Mapping[str, Secret] = MappingProxyType({}),
    jwks: Mapping[str, bytes] = MappingProxyType({}),
) -> str:
    """Sixteen hex digits that change with the content and with nothing else.

    It is cut so short that it cannot serve to confirm a guess of the secrets that went into it.
    """
    content = msgspec.msgpack.Encoder(enc_hook=_plain, order="deterministic").encode(
        # What is empty is left out, so that it is the same revision as before there was such a thing.
        [document, prices, *([dict(fetched)] if fetched or jwks else []), *([dict(jwks)] if jwks else [])]
    )
    return hashlib.sha256(content).hexdigest()[:16]


def encode(snapshot: Snapshot, box: SecretBox) -> bytes:
    """The snapshot as bytes, literal secrets sealed.

    Raises:
        SnapshotError: a virtual key is not hashed (`make_snapshot` does that), or there is no key to seal with.
    """
    for key in snapshot.document.keys:
        if any(secret.kind != "sha256" for secret in (key.secret, *(one.secret for one in key.previous))):
            raise SnapshotError(f"key {key.name} is not hashed")

    def stored(value: object) -> dict[str, str | bytes]:
        plain = _plain(value)
        if "literal" in plain:
            return {"sealed": box.seal(str(plain["literal"]).encode())}
        return plain

    try:
        payload = msgspec.msgpack.Encoder(enc_hook=stored).encode(snapshot)
    except UnsealError as error:
        raise SnapshotError(f"its secrets cannot be sealed: {error}") from None
    return _HEADER + hashlib.sha256(payload).digest() + payload


def decode(data: bytes, box: SecretBox) -> Snapshot:
    """The snapshot again, sealed secrets opened.

    Raises:
        SnapshotError: foreign, torn or changed bytes, another format, or secrets sealed with another key.
    """
    payload = _payload(data)

    def opened(kind: type, value: object) -> Secret:
        if kind is not Secret:
            raise TypeError(kind.__name__)
        return _secret(value, box)

    try:
        return msgspec.msgpack.decode(payload, type=Snapshot, dec_hook=opened)
    except UnsealError as error:
        raise SnapshotError(f"its sealed values cannot be opened: {error}") from None
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"the snapshot does not fit this version of Penstock: {error}") from None


def sealed_in(data: bytes) -> list[bytes]:
    """The sealed values of an encoded snapshot, unopened. Raises SnapshotError."""
    found: list[bytes] = []

    def look(value: object) -> None:
        if isinstance(value, dict):
            held = cast("dict[object, object]", value)
            sealed = held.get("sealed")
            if len(held) == 1 and isinstance(sealed, bytes):
                found.append(sealed)
            for each in held.values():
                look(each)
        elif isinstance(value, list):
            for each in cast("list[object]", value):
                look(each)

    look(msgspec.msgpack.decode(_payload(data)))
    return found


def write_snapshot(path: Path, snapshot: Snapshot, box: SecretBox) -> None:
    """Write atomically, readable only by the owner: after a crash there is the old file or the new one.

    Raises:
        SnapshotError: see `encode`.
        OSError: the disk is full or the directory cannot be written; the old file is intact.
    """
    write_private(path, encode(snapshot, box))


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


def _payload(data: bytes) -> bytes:
    """What the checksum stands for. Raises SnapshotError."""
    if not data.startswith(_HEADER):
        raise SnapshotError("this is not a snapshot of this version of Penstock")
    payload = data[len(_HEADER) + _CHECKSUM_BYTES :]
    if hashlib.sha256(payload).digest() != data[len(_HEADER) : len(_HEADER) + _CHECKSUM_BYTES]:
        raise SnapshotError("the snapshot is torn or was changed: its checksum does not match")
    return payload


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
