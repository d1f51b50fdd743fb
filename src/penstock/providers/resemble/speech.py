"""Resemble's speech: https://docs.resemble.ai/api-reference/text-to-speech/synthesize.

The answer is JSON with the audio in base64 and its `duration`. `model` is optional: a model called `default`
leaves the choice to the voice.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.media import SpeechReply, SpeechRequest
from penstock.core.usage import Usage
from penstock.ports.media import Answered, Ask, Done, Failed
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import extras_of
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import encode, milliseconds, read_object, seconds_of, text_at


class ResembleSpeech:
    """Implements ports.media.SpeechApi."""

    formats = ("mp3", "wav")

    def flow(self, request: SpeechRequest, to: Addressee) -> OneCall:
        """See SpeechApi."""
        body: dict[str, Any] = {
            "voice_uuid": request.voice,
            "data": request.text,
            "output_format": request.file_format,
        }
        if to.model != "default":
            body["model"] = to.model
        if request.file_format == "wav":
            body["precision"] = "PCM_16"
        for name in ("speed", "instructions"):
            if getattr(request, name) is not None:
                to.losses.drop(name)
        body = {**extras_of(request.extras, to.losses), **body}
        return OneCall(Ask("/synthesize", body=encode(body)), _read)


def _read(answer: Answered) -> Done | Failed:
    value = read_object(answer.body)
    if value.get("success") is False:
        issues = value.get("issues")
        said = "; ".join([str(each) for each in cast("list[Any]", issues)]) if isinstance(issues, list) else ""
        return Failed(said or "the synthesis failed")
    usage = Usage(requests=1, audio_ms=milliseconds(seconds_of(value.get("duration"))))
    return Done(encode(SpeechReply(text_at(value, "audio_content"), usage)))
