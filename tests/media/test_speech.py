"""Speech by ElevenLabs, Cartesia, Resemble and Deepgram for a client of OpenAI's audio API."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.media.world import KEY, Answer, Doors

PATH = "/v1/audio/speech"
SOUND = b"ID3 sound" * 100


def query(path: str) -> tuple[str, dict[str, str]]:
    """A path and its query."""
    parts = urlsplit(path)
    return parts.path, dict(parse_qsl(parts.query))


def test_elevenlabs_speaks(doors: Doors) -> None:
    """The voice goes into the path, the format into the query, and the audio comes back as it is."""
    door = doors.open("elevenlabs", model="eleven_multilingual_v2", price="{request: 0.01}")
    door.vendor.script = [Answer(raw=SOUND, content_type="audio/mpeg")]
    reply = door.post(
        PATH, {"model": "priced", "input": "Hello", "voice": "JBFqnCBsd6RMkjVDRZzb", "speed": 1.1}
    )
    assert (reply.status, reply.raw) == (200, SOUND)
    assert reply.headers["content-type"] == "audio/mpeg"
    (asked,) = door.vendor.asked
    assert query(asked.path) == (
        "/base/text-to-speech/JBFqnCBsd6RMkjVDRZzb",
        {"output_format": "mp3_44100_128"},
    )
    assert asked.headers["xi-api-key"] == KEY
    assert asked.json() == {
        "text": "Hello",
        "model_id": "eleven_multilingual_v2",
        "voice_settings": {"speed": 1.1},
    }
    (attempt,) = door.gateway.exchanges(1)[0].attempts
    assert (attempt.usage.requests, attempt.usage_source, attempt.cost_nanousd) == (1, "reported", 10_000_000)


def test_cartesia_speaks(doors: Doors) -> None:
    """Raw samples at OpenAI's rate where `pcm` is asked for, and its version as a header."""
    door = doors.open("cartesia")
    door.vendor.script = [Answer(raw=SOUND, content_type="audio/x")]
    wish = {"model": "up/sonic-3", "input": "Hi", "voice": {"id": "v1"}, "response_format": "pcm", "speed": 3}
    reply = door.post(PATH, wish | {"language": "en", "model_id": "dearer"})
    assert (reply.raw, reply.headers["content-type"]) == (SOUND, "audio/pcm")
    assert reply.headers["x-penstock-warning"] == "dropped=model_id; mapped=speed"
    (asked,) = door.vendor.asked
    assert asked.path == "/base/tts/bytes"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["cartesia-version"] == "2026-03-01"
    assert asked.json() == {
        "model_id": "sonic-3",
        "transcript": "Hi",
        "voice": {"mode": "id", "id": "v1"},
        "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000},
        "generation_config": {"speed": 1.5},
        "language": "en",
    }


def test_resemble_speaks(doors: Doors) -> None:
    """Audio in JSON becomes audio, and its length is what a price per minute stands on."""
    door = doors.open("resemble", model="chatterbox-turbo", price="{per_minute: 0.06}")
    told: dict[str, Any] = {
        "success": True,
        "audio_content": base64.b64encode(SOUND).decode(),
        "duration": 1.5,
        "issues": [],
    }
    door.vendor.script = [Answer(told)]
    wish = {"model": "priced", "input": "Hi", "voice": "55592656", "response_format": "wav"}
    reply = door.post(PATH, wish)
    assert (reply.raw, reply.headers["content-type"]) == (SOUND, "audio/wav")
    (asked,) = door.vendor.asked
    assert asked.json() == {
        "voice_uuid": "55592656",
        "data": "Hi",
        "output_format": "wav",
        "model": "chatterbox-turbo",
        "precision": "PCM_16",
    }
    (attempt,) = door.gateway.exchanges(1)[0].attempts
    assert (attempt.usage.audio_ms, attempt.cost_nanousd) == (1500, 1_500_000)


def test_resemble_says_what_went_wrong(doors: Doors) -> None:
    """A 200 that is no success is an error with the vendor's reasons."""
    door = doors.open("resemble")
    door.vendor.script = [Answer({"success": False, "issues": ["voice is not ready"]})]
    reply = door.post(PATH, {"model": "up/default", "input": "Hi", "voice": "v"})
    assert reply.status == 502
    assert "voice is not ready" in reply.error["message"]


def test_deepgram_speaks(doors: Doors) -> None:
    """The model is the voice, and the format is a matter of encoding and container."""
    door = doors.open("deepgram")
    door.vendor.script = [Answer(raw=SOUND, content_type="audio/wav")]
    wish = {"model": "up/aura-2-thalia-en", "input": "Hi", "voice": "alloy", "response_format": "wav"}
    reply = door.post(PATH, wish)
    assert (reply.raw, reply.headers["content-type"]) == (SOUND, "audio/wav")
    (asked,) = door.vendor.asked
    assert query(asked.path) == (
        "/base/speak",
        {"model": "aura-2-thalia-en", "encoding": "linear16", "container": "wav", "sample_rate": "24000"},
    )
    assert asked.headers["authorization"] == f"Token {KEY}"
    assert asked.json() == {"text": "Hi"}


@pytest.mark.parametrize("kind", ["elevenlabs", "cartesia", "resemble", "deepgram"])
@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer({"detail": {"status": "invalid_api_key", "message": "no"}}, 401), 502, "upstream_auth"),
        (Answer({"err_code": "X", "err_msg": "text too long"}, 400), 400, "upstream_rejected"),
        (Answer({"message": "slow down"}, 429), 429, "upstream_rate_limited"),
        (Answer(raw=b"<html>", status=503, content_type="text/html"), 503, "upstream_overloaded"),
    ],
)
def test_a_vendors_error_is_told(doors: Doors, kind: str, answer: Answer, status: int, code: str) -> None:
    """Each vendor's refusal becomes the code that fits, with nothing of it taken for audio."""
    door = doors.open(kind)
    door.vendor.script = [answer]
    reply = door.post(PATH, {"model": "up/m", "input": "Hi", "voice": "v"})
    assert (reply.status, reply.error["code"]) == (status, code)
    assert door.gateway.exchanges(1)[0].outcome == "error"


def test_a_format_that_the_vendor_lacks_becomes_mp3(doors: Doors) -> None:
    """The answer says what it is, and that it is not what was asked for."""
    door = doors.open("cartesia")
    door.vendor.script = [Answer(raw=SOUND, content_type="audio/mpeg")]
    reply = door.post(PATH, {"model": "up/m", "input": "Hi", "voice": "v", "response_format": "flac"})
    assert reply.headers["content-type"] == "audio/mpeg"
    assert reply.headers["x-penstock-warning"] == "mapped=response_format"


@pytest.mark.parametrize(
    "wish", [{"stream_format": "sse"}, {"input": ""}, {"response_format": "midi"}, {"voice": 7}]
)
def test_what_cannot_be_asked_is_refused(doors: Doors, wish: dict[str, Any]) -> None:
    """Nothing is sent."""
    door = doors.open("elevenlabs")
    reply = door.post(PATH, {"model": "up/m", "input": "Hi", "voice": "v"} | wish)
    assert reply.status == 400
    assert door.vendor.asked == []


def test_a_deployments_settings_win(doors: Doors) -> None:
    """An operator can fix the voice, whatever a client names."""
    door = doors.open("elevenlabs")
    door.gateway.reload(
        f"""
version: 1
providers:
  up: {{kind: elevenlabs, base_url: "{door.vendor.url}/base", api_key: {KEY}}}
deployments:
  tts: {{provider: up, model: eleven_v3, set: {{voice: ours}}}}
keys:
  - {{name: dev, secret: sk-test, org: acme, direct: true}}
"""
    )
    door.vendor.script = [Answer(raw=SOUND, content_type="audio/mpeg")]
    assert door.post(PATH, {"model": "tts", "input": "Hi", "voice": "alloy"}).raw == SOUND
    assert urlsplit(door.vendor.asked[0].path).path == "/base/text-to-speech/ours"


def test_a_price_by_the_minute_where_the_vendor_reports_none(doors: Doors) -> None:
    """The usual pace, marked as an estimate: three hundred characters are twenty seconds."""
    door = doors.open("elevenlabs", model="eleven_multilingual_v2", price="{per_minute: 0.06}")
    door.vendor.script = [Answer(raw=SOUND, content_type="audio/mpeg")]
    assert door.post(PATH, {"model": "priced", "input": "x" * 298, "voice": "v"}).status == 200
    (attempt,) = door.gateway.exchanges(1)[0].attempts
    assert (attempt.usage_source, attempt.usage.audio_ms, attempt.cost_nanousd) == (
        "estimated",
        20_000,
        20_000_000,
    )
