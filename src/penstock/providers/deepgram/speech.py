"""Deepgram's speech: https://developers.deepgram.com/reference/text-to-speech/speak-request.

The answer is the audio. A model is a voice (`aura-2-thalia-en`); formats: https://developers.deepgram.com/docs/tts-media-output-settings;
`speed` goes from 0.7 to 1.5 (https://developers.deepgram.com/docs/tts-voice-controls).
"""

from __future__ import annotations

from penstock.core.media import SpeechRequest
from penstock.ports.media import Ask
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import texts_of, with_query
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import encode
from penstock.providers.media.speed import within

_FORMATS = {
    "mp3": {"encoding": "mp3"},
    "wav": {"encoding": "linear16", "container": "wav", "sample_rate": "24000"},
    "pcm": {"encoding": "linear16", "container": "none", "sample_rate": "24000"},
    "opus": {"encoding": "opus", "container": "ogg"},
    "flac": {"encoding": "flac"},
    "aac": {"encoding": "aac"},
}


class DeepgramSpeech:
    """Implements ports.media.SpeechApi."""

    formats = tuple(_FORMATS)

    def flow(self, request: SpeechRequest, to: Addressee) -> OneCall:
        """See SpeechApi."""
        model = to.model
        if request.voice.startswith("aura"):
            model = request.voice
        elif request.voice:
            to.losses.map("voice")  # the model is the voice, and OpenAI's clients must name one
        query = {"model": model, **_FORMATS[request.file_format]}
        speed = within(request.speed, 0.7, 1.5, to.losses)
        if speed is not None:
            query["speed"] = str(speed)
        if request.instructions is not None:
            to.losses.drop("instructions")
        query = {**texts_of(request.extras, to.losses), **query}
        return OneCall(Ask(with_query("/speak", query), body=encode({"text": request.text}), passes=True))
