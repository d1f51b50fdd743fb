"""`/v1/audio/transcriptions`, with all formats that can be made of a text and its words' times.

https://developers.openai.com/api/reference/resources/audio/subresources/transcriptions/methods/create. Segments
are runs of words up to a sentence's end or seven seconds; what Whisper alone knows of a segment is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.losses import Losses
from penstock.core.media import TranscriptReply, TranscriptRequest, Word
from penstock.wire.multipart import Form

Format = Literal["json", "text", "srt", "verbose_json", "vtt"]
_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_LOST = frozenset(
    {"include[]", "include", "chunking_strategy", "known_speaker_names[]", "keywords[]", "languages[]"}
)
_KNOWN = frozenset(
    {
        "file", "model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]",
        "timestamp_granularities", "stream", "user",
    }
)  # fmt: skip
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "\uff01", "\uff1f")
_SEGMENT_S = 7.0
JSON, PLAIN = b"application/json", b"text/plain; charset=utf-8"


class TranscriptForm(msgspec.Struct, frozen=True):
    """How the client wants it written."""

    format: Format = "json"
    words: bool = False
    segments: bool = True

    @property
    def content_type(self) -> bytes:
        """Of the answer."""
        return JSON if self.format in ("json", "verbose_json") else PLAIN


def decode_request(
    form: Form, settings: dict[str, Any], model: str, losses: Losses
) -> tuple[TranscriptRequest, TranscriptForm]:
    """The request; `settings` are the target's own parameters. Raises ShapeError."""
    file = form.file("file")
    if file is None:
        raise ShapeError("file", "a file in the form")
    fields: dict[str, Any] = {name: form.text(name) for name in form.spans} | settings
    wanted: Any = fields.get("response_format") or "json"
    if wanted not in _FORMATS:
        raise ShapeError("response_format", "one of " + ", ".join(_FORMATS))
    for name in sorted(_LOST & fields.keys()):
        losses.drop(name)
    kept = [*form.texts("timestamp_granularities[]"), *form.texts("timestamp_granularities")]
    request = TranscriptRequest(
        model=model,
        audio=file.data,
        file_name=file.name or "audio",
        audio_type=file.content_type,
        language=_text(fields.get("language")),
        prompt=_text(fields.get("prompt")),
        temperature=_number(fields.get("temperature")),
        extras={name: value for name, value in fields.items() if name not in _KNOWN and name not in _LOST},
    )
    return request, TranscriptForm(wanted, "word" in kept, not kept or "segment" in kept)


def _text(value: object) -> str | None:
    return str(value) if value else None


def _number(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(str(value))
    except ValueError:
        raise ShapeError("temperature", "a number") from None


def encode_reply(reply: TranscriptReply, form: TranscriptForm) -> bytes:
    """The transcript, as the client wants it."""
    if form.format == "text":
        return f"{reply.text}\n".encode()
    if form.format in ("srt", "vtt"):
        return _subtitles(reply, form.format).encode()
    body: dict[str, Any] = {"text": reply.text}
    if form.format == "verbose_json":
        body = {"task": "transcribe", "language": reply.language, "duration": reply.duration_s or 0.0} | body
        if form.words:
            body["words"] = [{"word": w.text, "start": w.start_s, "end": w.end_s} for w in reply.words]
        if form.segments:
            body["segments"] = [
                {"id": index, "start": run[0].start_s, "end": run[-1].end_s, "text": _joined(run)}
                for index, run in enumerate(_segments(reply.words))
            ]
    if reply.duration_s is not None:
        body["usage"] = {"type": "duration", "seconds": reply.duration_s}
    return msgspec.json.encode(body)


def _segments(words: tuple[Word, ...]) -> Iterator[list[Word]]:
    run: list[Word] = []
    for word in words:
        run.append(word)
        if word.text.endswith(_SENTENCE_ENDS) or word.end_s - run[0].start_s >= _SEGMENT_S:
            yield run
            run = []
    if run:
        yield run


def _joined(run: list[Word]) -> str:
    return " ".join([word.text for word in run])


def _subtitles(reply: TranscriptReply, form: str) -> str:
    mark = "," if form == "srt" else "."
    blocks: list[str] = [] if form == "srt" else ["WEBVTT\n"]
    for index, run in enumerate(_segments(reply.words), 1):
        times = f"{_clock(run[0].start_s, mark)} --> {_clock(run[-1].end_s, mark)}"
        number = f"{index}\n" if form == "srt" else ""
        blocks.append(f"{number}{times}\n{_joined(run)}\n")
    return "\n".join(blocks)


def _clock(seconds: float, mark: str) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{mark}{ms:03}"
