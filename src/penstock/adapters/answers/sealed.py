"""An entry as bytes that only this installation can read, bound to the key under which it stands."""

from __future__ import annotations

import zlib

import msgspec

from penstock.core.kept import Kept
from penstock.ports.secrets import SecretBox, UnsealError

PURPOSE = "answers"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


def seal_entry(box: SecretBox, kept: Kept) -> bytes:
    """The entry, compressed and sealed. Raises UnsealError."""
    return box.seal(zlib.compress(_encode(kept), 1))


def open_entry(box: SecretBox, key: bytes, sealed: bytes) -> Kept | None:
    """The entry again; None where it is not readable any more, or stands under another one's key."""
    try:
        kept = _decode(zlib.decompress(box.unseal(sealed)))
    except (UnsealError, zlib.error, msgspec.MsgspecError):
        return None
    return kept if kept.key == key else None
