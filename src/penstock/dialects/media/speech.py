"""`/v1/audio/speech`: https://developers.openai.com/api/reference/resources/audio/subresources/speech/methods/create."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.losses import Losses
from penstock.core.media import SpeechRequest
from penstock.dialects.media.fields import needed, number_of, others, text_of

# The media types of OpenAI's formats; `pcm` is 16 bit, little end first, at 24 kHz.
TYPES = {
    "mp3": b"audio/mpeg",
    "opus": b"audio/ogg",
    "aac": b"audio/aac",
    "flac": b"audio/flac",
    "wav": b"audio/wav",
    "pcm": b"audio/pcm",
}
_KNOWN = frozenset({"input", "voice", "instructions", "response_format", "speed", "stream_format"})


def decode_request(body: dict[str, Any], model: str, formats: tuple[str, ...], losses: Losses) -> SpeechRequest:
    """The request, in one of the `formats` that the vendor has. Raises ShapeError."""
    wanted = text_of(body, "response_format") or "mp3"
    if wanted not in TYPES:
        raise ShapeError("response_format", "one of " + ", ".join(TYPES))
    if wanted not in formats:
        losses.map("response_format")
        wanted = "mp3"
    return SpeechRequest(
        model=model,
        text=needed(body, "input"),
        voice=_voice(body.get("voice")),
        file_format=wanted,
        speed=number_of(body, "speed"),
        instructions=text_of(body, "instructions"),
        extras=others(body, _KNOWN),
    )


def _voice(value: object) -> str:
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).get("id")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ShapeError("voice", "a voice's name or {id}")
    return value
