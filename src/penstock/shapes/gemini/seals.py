"""Carry seals through `thoughtSignature`, the field that Google's clients send back with any part.

Google hides thoughts from whoever did not ask for them, and clients drop thought parts from their history. So a
foreign vendor's sealed thinking travels whole in the signature of the part that follows it, and stands before
that part again when it comes back.
"""

from __future__ import annotations

import binascii

import msgspec

from penstock.core.parts import Part, Signature, Thinking
from penstock.core.seals import Carried, unwrap, wrap
from penstock.shapes.gemini import SHAPE

# What Google accepts in place of a signature on calls that another model made; the first call of each step is
# checked. https://ai.google.dev/gemini-api/docs/thought-signatures#faqs,
# https://cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures
FOREIGN_CALL = "skip_thought_signature_validator"
_CARRIER = "penstock"
_decode_carried = msgspec.json.Decoder(Carried).decode
_URL_SAFE = str.maketrans("-_", "+/")


def sealed_text(thinking: tuple[Thinking, ...], signature: Signature | None) -> str | None:
    """The text for `thoughtSignature` of the part that follows `thinking`; None where nothing is sealed."""
    carried = tuple([each for each in thinking if each.signature is not None or each.sealed is not None])
    if carried:
        bare = tuple(
            [Thinking(each.text, each.signature, each.sealed, each.id) for each in carried]
        )  # extras stay behind
        text = msgspec.json.encode(Carried(bare, signature)).decode()
        return wrap(Signature(_CARRIER, text), SHAPE)
    return wrap(signature, SHAPE) if signature is not None else None


def unsealed(text: str) -> tuple[tuple[Thinking, ...], Signature | None]:
    """What a `thoughtSignature` says: thinking that travelled in it, and the part's own signature.

    Google's Python SDK reads the field as bytes and writes it in the URL-safe alphabet.
    """
    found = unwrap(text, SHAPE)
    if found.signer == SHAPE and ("-" in text or "_" in text):
        found = unwrap(text.translate(_URL_SAFE), SHAPE)
        if found.signer == SHAPE:
            return (), Signature(SHAPE, text)
    if found.signer != _CARRIER:
        return (), found
    try:
        carried = _decode_carried(found.value)
    except (msgspec.DecodeError, binascii.Error, RecursionError):
        return (), None
    return carried.thinking, carried.signature


def with_carried(parts: list[Part], carried: tuple[Thinking, ...]) -> None:
    """Append thinking that came back; it replaces what was shown of it, other thoughts stay before it."""
    shown = len(parts)
    while shown and _is_bare(parts[shown - 1]):
        shown -= 1
    told = "".join([part.text for part in parts[shown:] if isinstance(part, Thinking)])
    rest, whole = told, True
    for each in carried:
        whole = whole and each.text in rest
        rest = rest.replace(each.text, "", 1)
    if rest != told or not whole:
        parts[shown:] = [Thinking(rest)] if whole and rest.strip() else []
    parts.extend(carried)


def _is_bare(part: Part) -> bool:
    return isinstance(part, Thinking) and part.signature is None and part.sealed is None
