"""The words of Cohere's embeddings: https://docs.cohere.com/v2/reference/embed ."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.embedding import EmbedInput, Number, Task, VectorForm
from penstock.core.parts import Image, Opaque, Part, Text
from penstock.shapes.cohere import EMBED
from penstock.shapes.embeddings.inputs import address_of, source_of
from penstock.shapes.taker import Taker, extras_of

FIELD = "~field"  # where the inputs stood: texts, images or inputs
TASKS: dict[str, Task] = {
    "search_query": "query",
    "search_document": "document",
    "classification": "classification",
    "clustering": "clustering",
}
TYPES: dict[str, VectorForm] = {
    "float": VectorForm(),
    "int8": VectorForm("int8"),
    "uint8": VectorForm("uint8"),
    "binary": VectorForm("binary"),
    "ubinary": VectorForm("ubinary"),
    "base64": VectorForm("float", packed=True),
}


def type_of(number: Number, *, packed: bool) -> str:
    """The word for a vector's form; packed integers have none, and come as lists."""
    return "base64" if packed and number == "float" else number


def read_input(body: Taker) -> EmbedInput:
    """A member of `inputs`: pieces of text and pictures that make one vector."""
    pieces = body.items("content") or []
    return EmbedInput(tuple([_piece(piece) for piece in pieces]), extras=body.extras(EMBED))


def _piece(value: Any) -> Part:
    if isinstance(value, dict):
        piece = Taker(value)
        kind, text, address = piece.text("type"), piece.text("text"), piece.object("image_url")
        if kind == "text" and text is not None and address is None:
            return Text(text, extras=piece.extras(EMBED))
        url = address.text("url") if address is not None else None
        if (
            kind == "image_url"
            and url is not None
            and text is None
            and address is not None
            and not address.rest
        ):
            return Image(source_of(url), extras=piece.extras(EMBED))
        return Opaque(EMBED, cast("dict[str, Any]", value))
    return Opaque(EMBED, {"~piece": value})


def write_input(each: EmbedInput) -> tuple[dict[str, Any], bool]:
    """A member of `inputs`, and whether all of it could be said."""
    pieces: list[Any] = []
    for part in each.parts:
        address = address_of(part.source) if isinstance(part, Image) else None
        if isinstance(part, Text):
            pieces.append({**extras_of(part.extras, EMBED), "type": "text", "text": part.text})
        elif address is not None:
            own = extras_of(cast("Image", part).extras, EMBED)
            pieces.append({**own, "type": "image_url", "image_url": {"url": address}})
        elif isinstance(part, Opaque) and part.shape == EMBED:
            pieces.append(part.value.get("~piece", part.value))
    return {**extras_of(each.extras, EMBED), "content": pieces}, len(pieces) == len(each.parts)
