"""Deepgram's transcripts: https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded.

The body is the recording; `smart_format` punctuates as OpenAI's clients expect it, and without a language the
vendor is asked to find out (https://developers.deepgram.com/docs/language-detection).
"""

from __future__ import annotations

from typing import Any

from penstock.core.errors import ShapeError
from penstock.core.media import TranscriptReply, TranscriptRequest, Word
from penstock.core.usage import Usage
from penstock.ports.media import Answered, Ask, Done
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import texts_of, with_query
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import (
    encode,
    loose_text,
    milliseconds,
    object_at,
    objects_at,
    read_object,
    seconds_of,
)


class DeepgramTranscripts:
    """Implements ports.media.TranscriptApi."""

    def flow(self, request: TranscriptRequest, to: Addressee) -> OneCall:
        """See TranscriptApi."""
        query = {"model": to.model, "smart_format": "true"}
        if request.language is not None:
            query["language"] = request.language
        else:
            query["detect_language"] = "true"
        for name in ("prompt", "temperature"):
            if getattr(request, name) is not None:
                to.losses.drop(name)
        query = {**texts_of(request.extras, to.losses), **query}
        content_type = request.audio_type or "application/octet-stream"
        ask = Ask(with_query("/listen", query), body=request.audio, content_type=content_type)
        return OneCall(ask, lambda answer: _read(answer, request.language or ""))


def _read(answer: Answered, language: str) -> Done:
    value = read_object(answer.body)
    channels = objects_at(object_at(value, "results"), "channels")
    alternatives = objects_at(channels[0], "alternatives") if channels else []
    if not alternatives:
        raise ShapeError("results.channels[0].alternatives", "a list with a transcript")
    best = alternatives[0]
    duration_s = seconds_of(object_at(value, "metadata").get("duration"))
    return Done(
        encode(
            TranscriptReply(
                loose_text(best.get("transcript")),
                loose_text(channels[0].get("detected_language")) or language,
                duration_s,
                tuple(_words(best)),
                Usage(requests=1, audio_ms=milliseconds(duration_s)),
            )
        )
    )


def _words(alternative: dict[str, Any]) -> list[Word]:
    found: list[Word] = []
    for each in objects_at(alternative, "words"):
        start, end = seconds_of(each.get("start")), seconds_of(each.get("end"))
        if start is not None and end is not None:
            found.append(Word(loose_text(each.get("punctuated_word") or each.get("word")), start, end))
    return found
