"""Counting tokens at Google: https://ai.google.dev/api/tokens."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest, ReplyUsage
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.core.usage import Usage
from penstock.ports.translation import Addressee
from penstock.providers.gemini.request import encode_request
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.reader import Reader, closed, opened, own, own_fields

# What Vertex AI counts; the Gemini API wants a whole request for anything but contents.
_VERTEX = ("contents", "systemInstruction", "tools", "generationConfig")


def encode_count(request: ChatRequest, to: Addressee, *, vertex: bool = False) -> dict[str, Any]:
    """The body that asks how many tokens a request has. Raises UnsupportedError."""
    body = encode_request(request, to)
    if own(request.extras):
        outer = own_fields(request.extras).get("~count")
        if outer is None:
            return body
        out, notes = opened(outer)
        return closed({**out, "generateContentRequest": body}, notes)
    if vertex:
        return {name: body[name] for name in _VERTEX if name in body}
    if len(body) == 1:
        return body
    body.pop("serviceTier", None)
    return {"generateContentRequest": {"model": "models/" + to.model.removeprefix("models/"), **body}}


def decode_count(body: dict[str, Any]) -> ReplyUsage:
    """The number, as the tokens of an input. Raises ShapeError."""
    reader = Reader(body)
    total = reader.count("totalTokens")
    if total is None:
        if body.get("totalTokens") is not None:
            raise ShapeError("totalTokens", "a whole number of zero or more")
        total = 0  # Google leaves out what is zero
    cached = reader.count("cachedContentTokenCount") or 0
    return ReplyUsage(Usage(input_tokens=total, cache_read_tokens=cached), extras=Extras(SHAPE, reader.left()))
