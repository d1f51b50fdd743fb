"""Cartesia's speech: https://docs.cartesia.ai/api-reference/tts/bytes (version 2026-03-01).

The answer is the audio. `generation_config.speed` goes from 0.6 to 1.5
(https://docs.cartesia.ai/build-with-cartesia/sonic-3/volume-speed-emotion).
"""

from __future__ import annotations

from typing import Any

from penstock.core.media import SpeechRequest
from penstock.ports.media import Ask
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import extras_of
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import encode
from penstock.providers.media.speed import within

_FORMATS: dict[str, dict[str, Any]] = {
    "mp3": {"container": "mp3", "sample_rate": 44100, "bit_rate": 128000},
    "wav": {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 44100},
    "pcm": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000},
}


class CartesiaSpeech:
    """Implements ports.media.SpeechApi."""

    formats = tuple(_FORMATS)

    def flow(self, request: SpeechRequest, to: Addressee) -> OneCall:
        """See SpeechApi."""
        body: dict[str, Any] = {
            "model_id": to.model,
            "transcript": request.text,
            "voice": {"mode": "id", "id": request.voice},
            "output_format": _FORMATS[request.file_format],
        }
        speed = within(request.speed, 0.6, 1.5, to.losses)
        if speed is not None:
            body["generation_config"] = {"speed": speed}
        if request.instructions is not None:
            to.losses.drop("instructions")
        body = {**extras_of(request.extras, to.losses), **body}
        return OneCall(Ask("/tts/bytes", body=encode(body), passes=True))
