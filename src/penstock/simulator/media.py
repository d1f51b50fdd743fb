"""Images, speech and transcriptions: the smallest valid media, sized by what was asked."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from penstock.simulator.asks import Images, Speech, created_at, digest_of
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.reply import SSE_TYPE, STREAM_ERROR, Reply, error_reply, event, json_reply, typed_event
from penstock.simulator.words import count_tokens, seeded_tokens

MOST_IMAGES = 10
MOST_PARTIAL_IMAGES = 3
_RATE = 8_000
_SAMPLES_PER_TOKEN = 400
_TOKENS_PER_IMAGE = 1_056
_BYTES_PER_SECOND = 16_000


def images(ask: Images, behaviour: Behaviour, seed: int) -> Reply:
    """`n` one-pixel PNGs, as base64, or as data URLs for `response_format: url`; streamed with partial ones."""
    return _pictures(ask, behaviour, seed, "image_generation")


def edits(ask: Images, behaviour: Behaviour, seed: int) -> Reply:
    """The same for edits and variations: what was sent to be edited is not looked at."""
    return _pictures(ask, behaviour, seed, "image_edit")


def _pictures(ask: Images, behaviour: Behaviour, seed: int, kind: str) -> Reply:
    count = 1 if ask.n is None else ask.n
    if not 1 <= count <= MOST_IMAGES:
        return error_reply(400, f"Invalid 'n': must be 1 to {MOST_IMAGES}.", "invalid_value", "n")
    partial = ask.partial_images or 0
    if not 0 <= partial <= MOST_PARTIAL_IMAGES:
        message = f"Invalid 'partial_images': must be 0 to {MOST_PARTIAL_IMAGES}."
        return error_reply(400, message, "invalid_value", "partial_images")
    digest = digest_of(seed, "image", ask.model, ask.prompt)
    colour = int(digest[:6], 16)
    pictures = [base64.b64encode(_pixel(colour + index)).decode() for index in range(count)]
    body: dict[str, Any] = {
        "background": "opaque",
        "output_format": "png",
        "quality": "medium",
        "size": ask.size or "1024x1024",
    }
    told = behaviour.usage != "never"
    if ask.stream:
        sketches = [base64.b64encode(_pixel(colour + 1_000 + index)).decode() for index in range(partial)]
        usage = {"usage": _image_usage(ask.prompt, 1)} if told else {}
        events = _image_events(kind, pictures, sketches, {"created_at": created_at(digest), **body}, usage)
        return Reply(content_type=SSE_TYPE, events=events, digest=digest, error_event=STREAM_ERROR)
    url = ask.response_format == "url"
    data = [{"url": f"data:image/png;base64,{each}"} if url else {"b64_json": each} for each in pictures]
    body |= {"created": created_at(digest), "data": data}
    return json_reply(body | ({"usage": _image_usage(ask.prompt, count)} if told else {}), digest)


def _image_usage(prompt: str, count: int) -> dict[str, Any]:
    words, made = count_tokens(prompt), _TOKENS_PER_IMAGE * count
    return {
        "input_tokens": words,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": words},
        "output_tokens": made,
        "output_tokens_details": {"image_tokens": made, "text_tokens": 0},
        "total_tokens": words + made,
    }


def _image_events(
    kind: str, pictures: list[str], sketches: list[str], about: dict[str, Any], usage: dict[str, Any]
) -> Iterator[bytes]:
    """Sketches of each picture, then the picture; as in OpenAI's streams no `[DONE]` follows."""
    for picture in pictures:
        for number, sketch in enumerate(sketches):
            name = f"{kind}.partial_image"
            value = {"type": name, "b64_json": sketch, "partial_image_index": number, **about}
            yield typed_event(name, value)
        name = f"{kind}.completed"
        yield typed_event(name, {"type": name, "b64_json": picture, **about, **usage})


def _pixel(colour: int) -> bytes:
    """A PNG of one pixel; `colour` is its red, green and blue, eight bits each."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + (colour & 0xFFFFFF).to_bytes(3, "big")
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    )


def speech(ask: Speech, behaviour: Behaviour, seed: int) -> Reply:
    """A tone of 50 ms a token, always as WAV (`pcm`: its bare samples), 8 kHz mono 16 bit; or as events."""
    tokens = max(1, count_tokens(ask.input))
    count = tokens * _SAMPLES_PER_TOKEN
    digest = digest_of(seed, "speech", ask.model, ask.input)
    period = 20 + int(digest[:2], 16) % 20
    wave = [round(6_000 * math.sin(2 * math.pi * n / period)) for n in range(period)]
    samples = struct.pack(f"<{period}h", *wave) * (count // period + 1)
    samples = samples[: count * 2]
    pcm = ask.response_format == "pcm"
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, _RATE, _RATE * 2, 2, 16),
        *(b"data", len(samples)),
    )
    sound = samples if pcm else header + samples
    if ask.stream_format == "sse":
        usage = {"input_tokens": tokens, "output_tokens": tokens, "total_tokens": 2 * tokens}
        events = _speech_events(sound, None if behaviour.usage == "never" else usage)
        return Reply(content_type=SSE_TYPE, events=events, digest=digest, error_event=STREAM_ERROR)
    return Reply(content_type="audio/pcm" if pcm else "audio/wav", body=sound, digest=digest)


def _speech_events(sound: bytes, usage: dict[str, int] | None) -> Iterator[bytes]:
    """The sound in pieces of a token's length, as base64."""
    size = _SAMPLES_PER_TOKEN * 2
    for start in range(0, len(sound), size):
        piece = base64.b64encode(sound[start : start + size]).decode()
        yield event({"type": "speech.audio.delta", "audio": piece})
    yield event({"type": "speech.audio.done"} | ({"usage": usage} if usage else {}))


def transcription(form: dict[str, bytes], behaviour: Behaviour, seed: int) -> Reply:
    """Twelve seeded words for a sound file, in the format asked for; its length is guessed from its size."""
    if "file" not in form:
        return error_reply(400, "Missing required parameter: 'file'.", "missing_required_parameter", "file")
    digest = digest_of(seed, "transcription", form["file"])
    tokens = seeded_tokens(12, int(digest[:12], 16))
    text, seconds = "".join(tokens), max(1, math.ceil(len(form["file"]) / _BYTES_PER_SECOND))
    wanted = form.get("response_format", b"json")
    usage = {"type": "duration", "seconds": seconds}
    if form.get("stream") == b"true":
        events = _transcript_events(tokens, None if behaviour.usage == "never" else usage)
        return Reply(content_type=SSE_TYPE, events=events, tokens=12, digest=digest, error_event=STREAM_ERROR)
    plain = {
        b"text": f"{text}\n",
        b"srt": f"1\n00:00:00,000 --> 00:00:{min(seconds, 59):02d},000\n{text}\n\n",
        b"vtt": f"WEBVTT\n\n00:00:00.000 --> 00:00:{min(seconds, 59):02d}.000\n{text}\n\n",
    }
    if wanted in plain:
        return Reply(content_type="text/plain; charset=utf-8", body=plain[wanted].encode(), digest=digest)
    body: dict[str, Any] = {"text": text}
    if wanted == b"verbose_json":
        body = {"task": "transcribe", "language": "english", "duration": float(seconds), "text": text}
        body["segments"] = [_segment(text, seconds)]
    if behaviour.usage != "never":
        body["usage"] = usage
    return json_reply(body, digest, 12)


def _segment(text: str, seconds: int) -> dict[str, Any]:
    return {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": float(seconds),
        "text": text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": -0.2,
        "compression_ratio": 1.1,
        "no_speech_prob": 0.01,
    }


def _transcript_events(tokens: list[str], usage: dict[str, Any] | None) -> Iterator[bytes]:
    for token in tokens:
        yield event({"type": "transcript.text.delta", "delta": token})
    done: dict[str, Any] = {"type": "transcript.text.done", "text": "".join(tokens)}
    yield event(done | ({"usage": usage} if usage else {}))


def form_of(body: bytes, content_type: str) -> dict[str, bytes] | None:
    """The fields of a multipart form (RFC 7578), the last of equal names; None when it is not one."""
    marker = content_type.partition("boundary=")[2].split(";")[0].strip().strip('"').encode()
    if not content_type.lower().startswith("multipart/form-data") or not marker:
        return None
    fields: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + marker)[1:]:
        if part.startswith(b"--"):
            return fields
        head, gap, value = part.partition(b"\r\n\r\n")
        _, found, rest = head.partition(b'name="')
        if gap and found:
            fields[rest.partition(b'"')[0].decode("utf-8", "replace")] = value
    return None
