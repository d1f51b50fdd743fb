"""Thinking: `reasoningContent`, either readable text with its seal or a sealed blob.

A blob's bytes are the text that Anthropic's own API gives for the same thinking. A seal that another vendor
made travels in the same two fields, wrapped (core/seals.py); where readable text, a seal and an id belong
together, the whole thinking is wrapped.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.core.parts import Signature, Thinking
from penstock.core.seals import unwrap, wrap
from penstock.shapes.converse import SHAPE, SIGNER
from penstock.shapes.converse.keep import block, keep, kept, kept_object
from penstock.shapes.taker import Taker

_WHOLE = "thinking"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Thinking).decode


def decode_thinking(beside: Taker) -> Thinking | None:
    """A `reasoningContent` block; None where it holds neither text nor a blob."""
    inside = beside.object("reasoningContent")
    if inside is None:
        return None
    readable = inside.object("reasoningText")
    if readable is not None:
        text, seal = readable.text("text"), readable.text("signature")
        part = opened(unwrap(seal, SIGNER)) if seal is not None else Thinking()
        form = "no text" if text is None else None
        extras = keep(text=readable.rest, inside=inside.rest, beside=beside.rest, form=form)
        return replace(part, text=text or "", extras=extras)
    blob = inside.text("redactedContent")
    if blob is None:
        return None
    part = opened(blob_seal(blob), sealed=True)
    return replace(part, extras=keep(inside=inside.rest, beside=beside.rest))


def blob_seal(blob: str) -> Signature:
    """The seal in a blob; one that is no text of Anthropic's is kept as it is."""
    try:
        text = base64.b64decode(blob, validate=True).decode()
    except (ValueError, binascii.Error):
        return Signature(SHAPE, blob)
    if base64.b64encode(text.encode()).decode() != blob:
        return Signature(SHAPE, blob)
    return unwrap(text, SIGNER)


def opened(seal: Signature, *, sealed: bool = False) -> Thinking:
    """The thinking that a seal belongs to, or that travelled in it whole."""
    if seal.signer == _WHOLE:
        try:
            return _decode(seal.value)
        except msgspec.DecodeError:
            pass  # somebody else's text that only begins like ours
    return Thinking(sealed=seal) if sealed else Thinking(signature=seal)


def blob_of(seal: Signature) -> str:
    """The blob for a seal, whoever made it."""
    return seal.value if seal.signer == SHAPE else base64.b64encode(wrap(seal, SIGNER).encode()).decode()


def whole_seal(part: Thinking) -> str:
    """The text for the signature field when it must carry more than one seal."""
    bare = replace(part, text="", cache=None, extras=None)
    return wrap(Signature(_WHOLE, _encode(bare).decode()), SIGNER)


def needs_whole(part: Thinking) -> bool:
    """Whether this thinking has more to carry than one field can."""
    return bool(part.id and (part.sealed or part.signature)) or (
        part.sealed is not None and bool(part.text or part.signature)
    )


def reply_thinking(part: Thinking) -> dict[str, Any]:
    """The block for a client, with whatever seals there are."""
    if part.sealed is not None and not needs_whole(part):
        return redacted_block(part, blob_of(part.sealed))
    if needs_whole(part):
        return readable_block(part, whole_seal(part))
    return readable_block(part, wrap(part.signature, SIGNER) if part.signature is not None else None)


def redacted_block(part: Thinking, blob: str) -> dict[str, Any]:
    """A block of sealed thinking."""
    inside = kept_object(part.extras, "inside")
    return block(part.extras, "reasoningContent", {**inside, "redactedContent": blob})


def readable_block(part: Thinking, seal: str | None) -> dict[str, Any]:
    """A block of readable thinking."""
    value = kept_object(part.extras, "text")
    if part.text or kept(part.extras, "form") is None:
        value["text"] = part.text
    if seal is not None:
        value["signature"] = seal
    inside = kept_object(part.extras, "inside")
    return block(part.extras, "reasoningContent", {**inside, "reasoningText": value})
