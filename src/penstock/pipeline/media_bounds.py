"""How much a request for images, speech or a transcript may make a vendor count: no field bounds it upstream.

Images: the tokens of OpenAI's picture models by quality and size
(https://developers.openai.com/api/docs/guides/image-generation#calculating-costs), the larger of what the
models up to gpt-image-1.5 count (a table) and what gpt-image-2 does (a formula of its calculator). `auto` is
taken for the dearest. Speech: OpenAI's price of $0.015 a minute at $12 per million audio tokens is 1,250
tokens a minute; how long a text takes to say is bounded by a voice a quarter as fast as usual. Transcripts: a
recording's length follows from its size, exactly for WAV.
"""

from __future__ import annotations

from math import ceil

import msgspec
from msgspec.structs import replace

from penstock.core.plan import Target
from penstock.core.usage import Usage
from penstock.shapes.openai_request import OpenAIRequest

# Picture tokens of the models up to gpt-image-1.5: of a square, and of the longer formats.
_TABLE = {"low": (272, 408), "medium": (1056, 1584), "high": (4160, 6240)}
# Of gpt-image-2: patches along the longer side.
_PATCHES = {"low": 16, "medium": 48, "high": 96}
_QUALITIES = {"low": "low", "medium": "medium", "standard": "medium"}
_USUAL_SIZES = ((1024, 1024), (1024, 1536), (1536, 1024))
_PARTIAL_TOKENS = 100
_MOST_PIXELS_A_SIDE = 8192
# An uploaded picture at high fidelity: 6,240 tokens, and those of its tiles.
_UPLOADED_TOKENS = 7500
# Bytes of text that are said in a second: as usual, and at the slowest.
_USUAL_BYTES_PER_S = 15.0
_LEAST_BYTES_PER_S = 4.0
_SILENCE_S = 5.0
_SPOKEN_TOKENS_PER_S = 21
_HEARD_TOKENS_PER_S = 17
_WRITTEN_TOKENS_PER_S = 10
# Bytes of a recording in a second: of the least MP3 (8 kbit/s), of other codecs for speech, as usual.
_LEAST_MP3_PER_S = 1000
_LEAST_CODEC_PER_S = 500
_USUAL_CODEC_PER_S = 4000
_text = msgspec.json.Decoder(str | float | None).decode


class MediaBound:
    """What the request's media count, beside the tokens of its text: at most, and likely."""

    __slots__ = ("likely", "most")

    def __init__(self, most: Usage, likely: Usage) -> None:
        self.most = most
        self.likely = likely


def media_bound(request: OpenAIRequest, target: Target) -> MediaBound | None:
    """The bound of a request that makes or hears media, None of any other."""
    put = target.set_fields
    endpoint = request.endpoint
    if endpoint.makes_images:
        made = _images(request, put)
        return MediaBound(made, made)
    if endpoint.task == "speech":
        return _speech(request, put)
    if endpoint.name.startswith("audio."):
        return _transcript(request)
    return None


def image_tokens(quality: str, size: str) -> int:
    """The most output tokens of one picture."""
    grade = _QUALITIES.get(quality, "high")
    sizes = [_size(size)] if _size(size) is not None else list(_USUAL_SIZES)
    most = 0
    for each in sizes:
        width, height = each or (0, 0)
        square, oblong = _TABLE[grade]
        most = max(most, square if width == height else oblong, _patched(_PATCHES[grade], width, height))
    return most


def _patched(patches: int, width: int, height: int) -> int:
    longer, shorter = max(width, height), min(width, height)
    across = (2 * patches * shorter + longer) // (2 * longer)
    return -(-patches * across * (2_000_000 + width * height) // 4_000_000)


def _size(text: str) -> tuple[int, int] | None:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()) or len(text) > 11:
        return None
    found = int(width), int(height)
    return found if min(found) > 0 and max(found) <= _MOST_PIXELS_A_SIDE else None


def _images(request: OpenAIRequest, put: dict[str, bytes]) -> Usage:
    count = max(1, int(_number(request, put, "n", 1.0)))
    each = image_tokens(_said(request, put, "quality"), _said(request, put, "size"))
    each += _PARTIAL_TOKENS * int(_number(request, put, "partial_images", 0.0))
    form = request.form
    uploaded = _UPLOADED_TOKENS * len(form.files) if form is not None else 0
    if form is not None and "image[]" in form.repeated:
        uploaded = _UPLOADED_TOKENS * form.body.count(b"filename")
    return Usage(
        input_tokens=uploaded,
        output_tokens=count * each,
        image_input_tokens=uploaded,
        image_output_tokens=count * each,
        requests=1,
        images=count,
    )


def _speech(request: OpenAIRequest, put: dict[str, bytes]) -> MediaBound:
    speed = min(4.0, max(0.25, _number(request, put, "speed", 1.0)))
    text = float(len(request.fields.raw.get("input", b""))) if request.fields is not None else 0.0
    most_s = text / (_LEAST_BYTES_PER_S * min(1.0, speed)) + _SILENCE_S
    characters = len(_said(request, put, "input"))
    most, likely = _spoken(most_s), _spoken(text / (_USUAL_BYTES_PER_S * speed))
    return MediaBound(replace(most, characters=characters), replace(likely, characters=characters))


def _spoken(seconds: float) -> Usage:
    tokens = ceil(seconds * _SPOKEN_TOKENS_PER_S)
    return Usage(output_tokens=tokens, audio_output_tokens=tokens, requests=1, audio_ms=ceil(seconds * 1000))


def _transcript(request: OpenAIRequest) -> MediaBound:
    recording = request.form.file("file") if request.form is not None else None
    if recording is None:
        return MediaBound(_heard(0.0), _heard(0.0))
    data, name = recording.data, recording.name.lower()
    rate = _wave_bytes_per_s(data)
    if rate:
        return MediaBound(_heard(len(data) / rate), _heard(len(data) / rate))
    least = _LEAST_MP3_PER_S if name.endswith((".mp3", ".mpga")) else _LEAST_CODEC_PER_S
    return MediaBound(_heard(len(data) / least), _heard(len(data) / _USUAL_CODEC_PER_S))


def _wave_bytes_per_s(data: bytes) -> int:
    """What a WAV file's head says (RIFF, a `fmt ` chunk first), 0 where it is none."""
    if data[:4] != b"RIFF" or data[8:16] != b"WAVEfmt ":
        return 0
    return int.from_bytes(data[28:32], "little")


def _heard(seconds: float) -> Usage:
    tokens = ceil(seconds * _HEARD_TOKENS_PER_S)
    return Usage(
        input_tokens=tokens,
        output_tokens=ceil(seconds * _WRITTEN_TOKENS_PER_S),
        audio_input_tokens=tokens,
        requests=1,
        audio_ms=ceil(seconds * 1000),
    )


def _said(request: OpenAIRequest, put: dict[str, bytes], name: str) -> str:
    """A field's text, as the deployment puts it, else in JSON or in a form; empty where it is not said."""
    raw = put.get(name)
    if raw is None and request.form is not None:
        return (request.form.text(name) or "").strip()
    if raw is None and request.fields is not None:
        raw = request.fields.raw.get(name)
    if raw is None:
        return ""
    try:
        value = _text(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return value if isinstance(value, str) else f"{value:g}" if value is not None else ""


def _number(request: OpenAIRequest, put: dict[str, bytes], name: str, default: float) -> float:
    try:
        value = float(_said(request, put, name))
    except ValueError:
        return default
    return value if 0 <= value < 1e6 else default
