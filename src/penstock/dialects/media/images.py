"""`/v1/images/generations`: https://developers.openai.com/api/reference/resources/images/methods/generate."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.losses import Losses
from penstock.core.media import ImageReply, ImageRequest
from penstock.dialects.media.fields import needed, others, size_of, text_of

MAX_COUNT = 10
_LOST = ("moderation", "output_compression", "partial_images")
_KNOWN = frozenset(
    {"prompt", "n", "size", "quality", "style", "background", "output_format", "response_format", *_LOST}
)


def decode_request(body: dict[str, Any], model: str, losses: Losses) -> ImageRequest:
    """The request. Raises ShapeError."""
    count = body.get("n")
    if count is None:
        count = 1
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_COUNT:
        raise ShapeError("n", f"a whole number from 1 to {MAX_COUNT}")
    form = text_of(body, "response_format")
    if form not in (None, "url", "b64_json"):
        raise ShapeError("response_format", "url or b64_json")
    for name in _LOST:
        if body.get(name) is not None:
            losses.drop(name)
    return ImageRequest(
        model=model,
        prompt=needed(body, "prompt"),
        count=count,
        size=size_of(body),
        quality=text_of(body, "quality"),
        style=text_of(body, "style"),
        background=text_of(body, "background"),
        file_format=text_of(body, "output_format"),
        inline=form == "b64_json",
        extras=others(body, _KNOWN),
    )


def encode_reply(replies: list[ImageReply], created_s: int) -> bytes:
    """The pictures of all tasks, in order."""
    data = [
        {"b64_json": picture.base64} if picture.base64 else {"url": picture.url}
        for reply in replies
        for picture in reply.pictures
    ]
    return msgspec.json.encode({"created": created_s, "data": data})
