"""Transcripts by Deepgram, AssemblyAI and ElevenLabs for a client of OpenAI's audio API."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from penstock.wire.multipart import parse_form
from tests.media.world import KEY, Answer, Doors

PATH = "/v1/audio/transcriptions"
AUDIO = b"RIFF\r\n--not-a-boundary\x00\xff"
DEEPGRAM = {
    "metadata": {"duration": 2.5},
    "results": {
        "channels": [
            {
                "detected_language": "en",
                "alternatives": [
                    {
                        "transcript": "Hello there. Bye.",
                        "words": [
                            {"word": "hello", "punctuated_word": "Hello", "start": 0.1, "end": 0.5},
                            {"word": "there", "punctuated_word": "there.", "start": 0.5, "end": 1},
                            {"word": "bye", "punctuated_word": "Bye.", "start": 1.5, "end": 2},
                        ],
                    }
                ],
            }
        ]
    },
}


def test_deepgram_listens(doors: Doors) -> None:
    """The recording is the body, its length the usage, and a price per minute stands on it."""
    door = doors.open("deepgram", model="nova-3", price="{per_minute: 0.006}")
    door.vendor.script = [Answer(DEEPGRAM)]
    reply = door.upload(PATH, [("model", "priced"), ("diarize", "true"), ("callback", "https://x")], AUDIO)
    assert reply.status == 200, reply.raw
    assert reply.json() == {"text": "Hello there. Bye.", "usage": {"type": "duration", "seconds": 2.5}}
    (asked,) = door.vendor.asked
    parts = urlsplit(asked.path)
    assert parts.path == "/base/listen"
    assert dict(parse_qsl(parts.query)) == {
        "model": "nova-3",
        "smart_format": "true",
        "detect_language": "true",
        "diarize": "true",
    }
    assert (asked.headers["authorization"], asked.headers["content-type"]) == (f"Token {KEY}", "audio/wav")
    assert asked.raw == AUDIO
    (attempt,) = door.gateway.exchanges(1)[0].attempts
    assert (attempt.usage.audio_ms, attempt.cost_nanousd) == (2500, 250_000)


def test_all_of_openais_formats(doors: Doors) -> None:
    """Text, subtitles and the verbose form are made of the words and their times."""
    door = doors.open("deepgram")
    door.vendor.script = [Answer(DEEPGRAM)]

    def told(form: str, *more: tuple[str, str]) -> str:
        reply = door.upload(PATH, [("model", "up/nova-3"), ("response_format", form), *more], AUDIO)
        assert reply.status == 200, reply.raw
        kind = "application/json" if form == "verbose_json" else "text/plain"
        assert reply.headers["content-type"].startswith(kind)
        return reply.raw.decode()

    assert told("text") == "Hello there. Bye.\n"
    assert told("srt") == (
        "1\n00:00:00,100 --> 00:00:01,000\nHello there.\n\n2\n00:00:01,500 --> 00:00:02,000\nBye.\n"
    )
    assert told("vtt") == (
        "WEBVTT\n\n00:00:00.100 --> 00:00:01.000\nHello there.\n\n00:00:01.500 --> 00:00:02.000\nBye.\n"
    )
    verbose = told(
        "verbose_json", ("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")
    )
    assert '"language":"en","duration":2.5,"text":"Hello there. Bye."' in verbose
    assert '"words":[{"word":"Hello","start":0.1,"end":0.5}' in verbose
    assert '"segments":[{"id":0,"start":0.1,"end":1.0,"text":"Hello there."}' in verbose


def test_assemblyai_is_uploaded_to_and_looked_at(doors: Doors) -> None:
    """Upload, submit, look until it is complete: one row with the recording's length."""
    door = doors.open("assemblyai")
    words = [{"text": "Hi.", "start": 250, "end": 500, "confidence": 1}]
    done = {
        "id": "t1",
        "status": "completed",
        "text": "Hi.",
        "audio_duration": 3,
        "language_code": "en_us",
        "words": words,
    }
    door.vendor.script = [
        Answer({"upload_url": "https://cdn.assemblyai.com/upload/1"}),
        Answer({"id": "t1", "status": "queued"}),
        Answer({"id": "t1", "status": "processing"}),
        Answer(done),
    ]
    fields = [
        ("model", "up/universal-2"),
        ("language", "en"),
        ("response_format", "srt"),
        ("speech_model", "dearer"),
    ]
    reply = door.upload(PATH, fields, AUDIO)
    assert reply.raw == b"1\n00:00:00,250 --> 00:00:00,500\nHi.\n"
    upload, submit, *looks = door.vendor.asked
    assert (upload.path, upload.raw, upload.headers["authorization"]) == ("/base/upload", AUDIO, KEY)
    assert submit.json() == {
        "speech_models": ["universal-2"],
        "language_code": "en",
        "audio_url": "https://cdn.assemblyai.com/upload/1",
    }
    assert [(each.method, each.path) for each in looks] == [("GET", "/base/transcript/t1")] * 2
    (settled,) = door.gateway.exchanges(1)
    assert [each.usage.audio_ms for each in settled.attempts] == [3000]


def test_assemblyai_says_why_it_failed(doors: Doors) -> None:
    """A transcript that ends as an error carries the vendor's reason."""
    door = doors.open("assemblyai")
    failed = {"id": "t1", "status": "error", "error": "File does not appear to contain audio"}
    door.vendor.script = [Answer({"upload_url": "https://cdn.assemblyai.com/1"}), Answer(failed)]
    reply = door.upload(PATH, [("model", "up/universal-2")], AUDIO)
    assert reply.status == 502
    assert "does not appear to contain audio" in reply.error["message"]


def test_elevenlabs_listens(doors: Doors) -> None:
    """A form of the vendor's own, with the recording byte for byte."""
    door = doors.open("elevenlabs")
    words = [
        {"text": "Hi", "start": 0.1, "end": 0.3, "type": "word", "logprob": 0},
        {"text": " ", "start": 0.3, "end": 0.4, "type": "spacing", "logprob": 0},
    ]
    door.vendor.script = [
        Answer({"text": "Hi", "language_code": "eng", "words": words, "audio_duration_secs": 0.75})
    ]
    fields = [("model", "up/scribe_v2"), ("language", 'e"n\r\nx'), ("response_format", "verbose_json")]
    reply = door.upload(PATH, [*fields, ("timestamp_granularities[]", "word"), ("diarize", "true")], AUDIO)
    assert reply.json()["words"] == [{"word": "Hi", "start": 0.1, "end": 0.3}]
    assert "segments" not in reply.json()
    (asked,) = door.vendor.asked
    assert (asked.path, asked.headers["xi-api-key"]) == ("/base/speech-to-text", KEY)
    form = parse_form(asked.raw, asked.headers["content-type"].encode())
    assert form.text("model_id") == "scribe_v2"
    assert (form.text("language_code"), form.text("diarize")) == ('e"n\r\nx', "true")
    file = form.file("file")
    assert file is not None
    assert (file.name, file.content_type, file.data) == ("a.wav", "audio/wav", AUDIO)
    assert door.gateway.exchanges(1)[0].attempts[0].usage.audio_ms == 750


@pytest.mark.parametrize("kind", ["deepgram", "assemblyai", "elevenlabs"])
def test_a_wrong_key_is_the_gateways_trouble(doors: Doors, kind: str) -> None:
    """A vendor that refuses our credential gives a 502 that does not show it."""
    door = doors.open(kind)
    door.vendor.script = [Answer({"error": f"Invalid key {KEY}"}, 401)]
    reply = door.upload(PATH, [("model", "up/m")], AUDIO)
    assert (reply.status, reply.error["code"]) == (502, "upstream_auth")
    assert KEY.encode() not in reply.raw


def test_nonsense_is_a_502(doors: Doors) -> None:
    """An answer that is not what the vendor's page says is not guessed at."""
    door = doors.open("deepgram")
    door.vendor.script = [Answer({"results": {"channels": []}, "metadata": {}})]
    reply = door.upload(PATH, [("model", "up/nova-3")], AUDIO)
    assert (reply.status, reply.error["code"]) == (502, "upstream_garbage")


@pytest.mark.parametrize("field", [("response_format", "docx"), ("stream", "true"), ("temperature", "warm")])
def test_what_cannot_be_asked_is_refused(doors: Doors, field: tuple[str, str]) -> None:
    """Nothing is sent."""
    door = doors.open("deepgram")
    assert door.upload(PATH, [("model", "up/nova-3"), field], AUDIO).status == 400
    assert door.upload(PATH, [("model", "up/nova-3")], AUDIO, "sound").status == 400
    assert door.vendor.asked == []


def test_groqs_transcriptions_pass(doors: Doors) -> None:
    """A vendor that speaks OpenAI's audio API gets the client's form."""
    door = doors.open("groq")
    door.vendor.script = [Answer({"text": "Hi"})]
    assert door.upload(PATH, [("model", "up/whisper-large-v3")], AUDIO).json() == {"text": "Hi"}
    (asked,) = door.vendor.asked
    assert asked.path == "/base/audio/transcriptions"
    assert b"whisper-large-v3" in asked.raw
    assert AUDIO in asked.raw
