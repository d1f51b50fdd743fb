"""ElevenLabs' speech: https://elevenlabs.io/docs/api-reference/text-to-speech/convert (also its formats).

The answer is the audio. The voice is the last part of the path; `voice_settings.speed` goes from 0.7 to 1.2.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from penstock.core.media import SpeechRequest
from penstock.ports.media import Ask
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import extras_of, with_query
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import encode
from penstock.providers.media.speed import within

_FORMATS = {"mp3": "mp3_44100_128", "opus": "opus_48000_128", "wav": "wav_24000", "pcm": "pcm_24000"}


class ElevenLabsSpeech:
    """Implements ports.media.SpeechApi."""

    formats = tuple(_FORMATS)

    def flow(self, request: SpeechRequest, to: Addressee) -> OneCall:
        """See SpeechApi."""
        body: dict[str, Any] = {"text": request.text, "model_id": to.model}
        speed = within(request.speed, 0.7, 1.2, to.losses)
        if speed is not None:
            body["voice_settings"] = {"speed": speed}
        if request.instructions is not None:
            to.losses.drop("instructions")
        body = {**extras_of(request.extras, to.losses), **body}
        query = {"output_format": _FORMATS[request.file_format]}
        path = with_query(f"/text-to-speech/{quote(request.voice, safe='')}", query)
        return OneCall(Ask(path, body=encode(body), passes=True))
