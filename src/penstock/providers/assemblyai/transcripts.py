"""AssemblyAI's transcripts: upload, submit, look until it is `completed`.

https://www.assemblyai.com/docs/api-reference/files/upload (the body is the recording; `upload_url`),
https://www.assemblyai.com/docs/api-reference/transcripts/submit (`audio_url`, `speech_models`,
`language_code`), https://www.assemblyai.com/docs/api-reference/transcripts/get (`queued`, `processing`,
`completed`, `error`; words in milliseconds). The key stands alone in `authorization`. What has been submitted
cannot be called off.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from penstock.core.media import TranscriptReply, TranscriptRequest, Word
from penstock.core.usage import Usage
from penstock.ports.media import Answered, Ask, Done, Failed
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import extras_of
from penstock.providers.media.json import (
    encode,
    loose_text,
    milliseconds,
    objects_at,
    read_object,
    seconds_of,
    text_at,
)


class AssemblyAiTranscripts:
    """Implements ports.media.TranscriptApi."""

    def flow(self, request: TranscriptRequest, to: Addressee) -> AssemblyAiFlow:
        """See TranscriptApi."""
        body: dict[str, Any] = {"speech_models": [to.model]}
        if request.language is not None:
            body["language_code"] = request.language
        else:
            body["language_detection"] = True
        for name in ("prompt", "temperature"):
            if getattr(request, name) is not None:
                to.losses.drop(name)
        body = {**extras_of(request.extras, to.losses), **body}
        return AssemblyAiFlow(request.audio, body)


class AssemblyAiFlow:
    """Implements ports.media.Flow."""

    stops = False

    def __init__(self, audio: bytes, body: dict[str, Any]) -> None:
        self._audio = audio
        self._body = body
        self._uploaded = False
        self._id = ""

    def first(self) -> Ask:
        """See Flow."""
        return Ask("/upload", body=self._audio, content_type="application/octet-stream")

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """See Flow."""
        value = read_object(answer.body)
        if not self._uploaded:
            self._uploaded = True
            self._audio = b""
            return Ask("/transcript", body=encode({**self._body, "audio_url": text_at(value, "upload_url")}))
        self._id = self._id or text_at(value, "id")
        status = text_at(value, "status")
        if status == "completed":
            return Done(encode(_reply(value)))
        if status == "error":
            return Failed(loose_text(value.get("error")) or "the transcription failed", "error")
        return Ask(f"/transcript/{quote(self._id, safe='')}", "GET", again=True)

    def cancel(self) -> Ask | None:
        """See Flow."""
        return None


def _reply(value: dict[str, Any]) -> TranscriptReply:
    words: list[Word] = []
    for each in objects_at(value, "words"):
        start, end = seconds_of(each.get("start")), seconds_of(each.get("end"))
        if start is not None and end is not None:
            words.append(Word(loose_text(each.get("text")), start / 1000, end / 1000))
    duration_s = seconds_of(value.get("audio_duration"))
    return TranscriptReply(
        loose_text(value.get("text")),
        loose_text(value.get("language_code")),
        duration_s,
        tuple(words),
        Usage(requests=1, audio_ms=milliseconds(duration_s)),
    )
