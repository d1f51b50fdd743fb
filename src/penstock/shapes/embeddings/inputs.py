"""The inputs of an embeddings request: text, tokens, or Jina's objects with a text or an image."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.embedding import EmbedInput
from penstock.core.errors import ShapeError
from penstock.core.parts import Image, Inline, Link, Opaque, Source, Text
from penstock.shapes.embeddings import SHAPE
from penstock.shapes.taker import Taker

FORM = "~input"
OBJECT = "~object"


def read_inputs(value: Any) -> tuple[tuple[EmbedInput, ...], str]:
    """The inputs, and the form of the field: one `string`, one list of `tokens`, one `object`, or a `list`."""
    if isinstance(value, str):
        return (EmbedInput((Text(value),)),), "string"
    if isinstance(value, dict):
        return (_object(cast("dict[str, Any]", value), "input"),), "object"
    if not isinstance(value, list):
        raise ShapeError("input", "a string or a list")
    members = cast("list[Any]", value)
    if members and all(type(member) is int for member in members):
        return (EmbedInput(tokens=tuple(members)),), "tokens"
    return tuple([_input(member, at) for at, member in enumerate(members)]), "list"


def _input(value: Any, at: int) -> EmbedInput:
    if isinstance(value, str):
        return EmbedInput((Text(value),))
    where = f"input[{at}]"
    if isinstance(value, list):
        tokens = cast("list[Any]", value)
        if all(type(token) is int for token in tokens):
            return EmbedInput(tokens=tuple(tokens))
        raise ShapeError(where, "a list of tokens")
    if isinstance(value, dict):
        return _object(cast("dict[str, Any]", value), where)
    raise ShapeError(where, "a string, a list of tokens or an object")


def _object(value: dict[str, Any], where: str) -> EmbedInput:
    body = Taker(value, where)
    text, image = body.text("text"), body.text("image")
    if (text is None) == (image is None):
        return EmbedInput((Opaque(SHAPE, value),))
    part = Text(text) if text is not None else Image(source_of(image or ""))
    body.rest[OBJECT] = True
    return EmbedInput((part,), extras=body.extras(SHAPE))


def source_of(text: str) -> Source:
    """A picture at an address, in a data URL, or as bare base64."""
    if text.startswith("data:"):
        head, _, data = text[5:].partition(",")
        if head.endswith(";base64"):
            return Inline(head[:-7], data)
    return Link(text) if "://" in text[:12] else Inline("", text)


def address_of(source: Source) -> str | None:
    """The picture as one string, None where it has neither an address nor data."""
    if isinstance(source, Inline):
        return f"data:{source.media_type};base64,{source.data}" if source.media_type else source.data
    return source.url if isinstance(source, Link) else None
