"""Reasoning items and the pivot's thinking.

An item has texts in two lists, the vendor's summary and the thoughts themselves; the pivot has one text, in
which they stand one after the other. The lengths of the pieces are remembered, so that they can be cut again.
The seal is `encrypted_content`; one that another vendor made travels in it wrapped.
"""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from penstock.core.parts import Signature, Thinking
from penstock.core.seals import unwrap, wrap
from penstock.shapes.openai_responses.names import SHAPE, is_own, mark, wire_fields
from penstock.shapes.taker import Taker

GAP = "\n\n"
_LISTS = (("summary", "summary_text"), ("content", "reasoning_text"))
# What a wrapped seal is of: thinking that is readable beside it has a bare signer.
_SEALED = "~sealed"
_OF_CALL = "~call"


def decode_reasoning(value: dict[str, Any], where: str, *, strict: bool) -> Thinking:
    """A `reasoning` item."""
    taker = Taker(value, where, strict=strict)
    texts: list[str] = []
    cuts: dict[str, list[int]] = {}
    for name, kind in _LISTS:
        pieces = _pieces(taker.rest.get(name), kind)
        if pieces is not None:
            del taker.rest[name]
            texts += pieces
            cuts[name] = [len(each) for each in pieces]
    taker.rest["~cuts"] = cuts
    identity = taker.text("id")
    if identity == "":
        taker.rest["id"] = ""
    seal = taker.text("encrypted_content")
    thinking = Thinking(GAP.join(texts), id=identity or "", extras=taker.extras(SHAPE))
    if seal is None:
        return thinking
    signature = unwrap(seal, SHAPE)
    if signature.signer == SHAPE:
        return replace(thinking, sealed=signature)
    signer = signature.signer
    if signer.endswith(_SEALED):
        return replace(thinking, sealed=Signature(signer.removesuffix(_SEALED), signature.value))
    return replace(thinking, signature=signature)


def _pieces(value: Any, kind: str) -> list[str] | None:
    """The texts of a list whose members are of this kind and say nothing else, else None."""
    if not isinstance(value, list):
        return None
    texts: list[str] = []
    for each in cast("list[Any]", value):
        if not isinstance(each, dict):
            return None
        piece = cast("dict[str, Any]", each)
        text = piece.get("text")
        if len(piece) != 2 or piece.get("type") != kind or not isinstance(text, str):
            return None
        texts.append(text)
    return texts


def encode_reasoning(thinking: Thinking) -> dict[str, Any]:
    """A `reasoning` item, without an id where the thinking has none."""
    if is_own(thinking.extras):
        out = wire_fields(thinking.extras)
        out.update(_cut(thinking.text, mark(thinking.extras, "~cuts") or {}))
    else:
        out = {"type": "reasoning", "summary": _list(_LISTS[0][1], [thinking.text] if thinking.text else [])}
    if thinking.id:
        out["id"] = thinking.id
    seal = _seal(thinking)
    if seal is not None:
        out["encrypted_content"] = seal
    return out


def _seal(thinking: Thinking) -> str | None:
    if thinking.sealed is not None:
        signer = thinking.sealed.signer
        return wrap(
            thinking.sealed if signer == SHAPE else Signature(signer + _SEALED, thinking.sealed.value), SHAPE
        )
    return wrap(thinking.signature, SHAPE) if thinking.signature is not None else None


def _cut(text: str, cuts: dict[str, list[int]]) -> dict[str, Any]:
    """The lists again. A text that was changed since stands as one piece in the first list that had any."""
    lengths = [length for name, _ in _LISTS for length in cuts.get(name, ())]
    out: dict[str, Any] = {}
    if sum(lengths) + len(GAP) * max(0, len(lengths) - 1) != len(text):
        first = next((name for name, _ in _LISTS if cuts.get(name)), "summary")
        for name, kind in _LISTS:
            if name in cuts or name == first:
                out[name] = _list(kind, [text] if name == first else [])
        return out
    at = 0
    for name, kind in _LISTS:
        if name not in cuts:
            continue
        pieces: list[str] = []
        for length in cuts[name]:
            pieces.append(text[at : at + length])
            at += length + len(GAP)
        out[name] = _list(kind, pieces)
    return out


def _list(kind: str, texts: list[str]) -> list[dict[str, Any]]:
    return [{"type": kind, "text": text} for text in texts]


def call_seal_item(identity: str, signature: Signature) -> dict[str, Any]:
    """A reasoning item for the seal of the call before it, which became known after the call's id was told."""
    return {
        "id": identity,
        "type": "reasoning",
        "summary": [],
        "encrypted_content": wrap(Signature(signature.signer + _OF_CALL, signature.value), SHAPE),
    }


def call_seal(thinking: Thinking) -> Signature | None:
    """The seal in an item that `call_seal_item` made."""
    signature = thinking.signature
    if signature is None or not signature.signer.endswith(_OF_CALL):
        return None
    return Signature(signature.signer.removesuffix(_OF_CALL), signature.value)
