"""Carry a vendor's seals through a dialect that has no field for them, without keeping state.

Signed thinking must come back unchanged on the next turn, or the vendor refuses the conversation. A dialect
with a signature field of its own carries a foreign seal in it, wrapped; a dialect without one carries it in the
id of the tool call, which every client sends back. What a client drops is lost to the model's memory alone.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

from penstock.core.parts import Signature, Thinking

_MARK = b"penstock1"
_WRAPPED = base64.b64encode(_MARK).decode()
_IN_ID = "-ps1-"
# What stands in every body that carries a seal.
MARKS = (_IN_ID.encode(), _WRAPPED.encode(), b"_penstock")
MAX_CARRIED = 1 << 20


class Carried(msgspec.Struct, frozen=True):
    """What travels in a tool call's id: the thinking before the call, and the call's own signature."""

    thinking: tuple[Thinking, ...] = ()
    signature: Signature | None = None


_decode_carried = msgspec.json.Decoder(Carried).decode


def wrap(signature: Signature, shape: str) -> str:
    """The text for a signature field of `shape`: the seal itself where that shape made it."""
    if signature.signer == shape:
        return signature.value
    return base64.b64encode(b"%b:%b:%b" % (_MARK, signature.signer.encode(), signature.value.encode())).decode()


def unwrap(text: str, shape: str) -> Signature:
    """The seal in a signature field of `shape`, whoever made it."""
    if text.startswith(_WRAPPED):
        try:
            mark, signer, value = base64.b64decode(text, validate=True).split(b":", 2)
            if mark == _MARK:
                return Signature(signer.decode(), value.decode())
        except (ValueError, binascii.Error):
            pass  # somebody else's text that only begins like ours
    return Signature(shape, text)


def into_id(call_id: str, thinking: tuple[Thinking, ...], signature: Signature | None) -> str:
    """A tool call's id that carries the seals; the id itself where there are none."""
    sealed = tuple([each for each in thinking if each.signature is not None or each.sealed is not None])
    if not sealed and signature is None:
        return call_id
    text = msgspec.json.encode(Carried(sealed, signature))
    packed = zlib.compress(text)
    if len(text) > _most(packed):
        packed = zlib.compress(text, 0)
    return call_id + _IN_ID + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _most(packed: bytes) -> int:
    """How large a stranger's packed text may become: a request must not grow by being read."""
    return min(MAX_CARRIED, max(4096, 16 * len(packed)))


def from_id(call_id: str) -> tuple[str, Carried]:
    """The vendor's id of a tool call, and what travelled in it."""
    own, mark, carried = call_id.rpartition(_IN_ID)
    if not mark:
        return call_id, Carried()
    try:
        packed = base64.urlsafe_b64decode(carried + "=" * (-len(carried) % 4))
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, _most(packed))
        return own, _decode_carried(text)
    except (ValueError, zlib.error, msgspec.DecodeError):
        return call_id, Carried()
