"""ElevenLabs' transcripts: https://elevenlabs.io/docs/api-reference/speech-to-text/convert.

A form with `model_id` and `file`; the answer has `text`, `language_code`, `words` (also spaces and events) and
`audio_duration_secs`.
"""

from __future__ import annotations

from penstock.core.media import TranscriptReply, TranscriptRequest, Word
from penstock.core.usage import Usage
from penstock.ports.media import Answered, Ask, Done
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import texts_of
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import (
    encode,
    loose_text,
    milliseconds,
    objects_at,
    read_object,
    seconds_of,
)
from penstock.wire.multipart import FilePart, write_form


class ElevenLabsTranscripts:
    """Implements ports.media.TranscriptApi."""

    def flow(self, request: TranscriptRequest, to: Addressee) -> OneCall:
        """See TranscriptApi."""
        fields = {"model_id": to.model, "timestamps_granularity": "word", "tag_audio_events": "false"}
        if request.language is not None:
            fields["language_code"] = request.language
        if request.temperature is not None:
            fields["temperature"] = str(request.temperature)
        if request.prompt is not None:
            to.losses.drop("prompt")
        fields = {**texts_of(request.extras, to.losses), **fields}
        file = FilePart(request.file_name, request.audio_type or "application/octet-stream", request.audio)
        body, content_type = write_form(fields, "file", file)
        return OneCall(Ask("/speech-to-text", body=body, content_type=content_type), _read)


def _read(answer: Answered) -> Done:
    value = read_object(answer.body)
    words = [
        Word(loose_text(each.get("text")), start, end)
        for each in objects_at(value, "words")
        if each.get("type", "word") == "word"
        and (start := seconds_of(each.get("start"))) is not None
        and (end := seconds_of(each.get("end"))) is not None
    ]
    duration_s = seconds_of(value.get("audio_duration_secs"))
    usage = Usage(requests=1, audio_ms=milliseconds(duration_s))
    language = loose_text(value.get("language_code"))
    return Done(
        encode(TranscriptReply(loose_text(value.get("text")), language, duration_s, tuple(words), usage))
    )
