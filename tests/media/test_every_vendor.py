"""Every row of the registry that makes or hears media: an answer, its usage, errors, a wrong key."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.providers.vendors import VENDORS
from tests.media.world import KEY, Answer, Asked, Door, Doors, Told

_PATHS = {
    "images": "/v1/images/generations",
    "speech": "/v1/audio/speech",
    "transcriptions": "/v1/audio/transcriptions",
    "videos": "/v1/videos",
}
_HEADERS = {
    "bearer": ("authorization", f"Bearer {KEY}"),
    "key": ("authorization", f"Key {KEY}"),
    "token": ("authorization", f"Token {KEY}"),
    "authorization": ("authorization", KEY),
    "x-key": ("x-key", KEY),
    "xi-api-key": ("xi-api-key", KEY),
}
_SOUND = b"ID3 sound" * 20
_DONE: dict[str, Any] = {"id": "t1", "status": "completed", "text": "Hi.", "audio_duration": 3, "words": []}
_HEARD: dict[str, Any] = {
    "metadata": {"duration": 3.0},
    "results": {"channels": [{"alternatives": [{"transcript": "Hi.", "words": []}]}]},
}


@dataclass(frozen=True)
class Case:
    """One endpoint of one vendor.

    Attributes:
        model: A model's name as the vendor writes it.
        answer: The vendor, by what it is asked; the address is its own.
        usage: What the ledger holds of an answer.
        error: An error body in the vendor's form, with a sentence.
    """

    model: str
    answer: Callable[[Asked, str], Answer]
    usage: dict[str, int]
    error: Callable[[str], Any]


def _bfl(asked: Asked, url: str) -> Answer:
    if asked.method == "POST":
        return Answer({"id": "t1", "polling_url": f"{url}/v1/get_result?id=t1"})
    return Answer({"id": "t1", "status": "Ready", "result": {"sample": f"{url}/picture.png"}})


def _fal(result: dict[str, Any]) -> Callable[[Asked, str], Answer]:
    def answer(asked: Asked, url: str) -> Answer:
        at = f"{url}/base/fal-ai/some/requests/r1"
        if asked.method == "POST":
            urls = {"status_url": f"{at}/status", "response_url": at, "cancel_url": f"{at}/cancel"}
            return Answer({"request_id": "r1", **urls})
        return Answer({"status": "COMPLETED"} if asked.path.endswith("/status") else result)

    return answer


def _assembly(asked: Asked, url: str) -> Answer:
    if asked.path.endswith("/upload"):
        return Answer({"upload_url": f"{url}/upload/1"})
    return Answer(_DONE)


def _always(answer: Answer) -> Callable[[Asked, str], Answer]:
    return lambda _asked, _url: answer


_AUDIO = _always(Answer(raw=_SOUND, content_type="audio/mpeg"))
_SPOKEN = {"success": True, "audio_content": base64.b64encode(_SOUND).decode(), "duration": 1.5}
_ELEVEN: dict[str, Any] = {"text": "Hi.", "language_code": "en", "words": [], "audio_duration_secs": 3.0}
_PICTURES = {"images": [{"url": "https://v3.fal.media/1.png"}]}
_PREDICTED = {"id": "p1", "status": "succeeded", "output": ["https://replicate.delivery/a.webp"]}

# The forms of errors: the pages that src/penstock/providers/media/errors.py names.
CASES: dict[tuple[str, str], Case] = {
    ("bfl", "images"): Case("flux-2-pro", _bfl, {"images": 1}, lambda said: {"detail": said}),
    ("fal", "images"): Case(
        "fal-ai/some/dev",
        _fal(_PICTURES),
        {"images": 1},
        lambda said: {"detail": [{"loc": ["body"], "msg": said, "type": "value_error"}]},
    ),
    ("fal", "videos"): Case(
        "fal-ai/some/dev", _fal({}), {"requests": 1}, lambda said: {"detail": [{"loc": ["body"], "msg": said}]}
    ),
    ("pika", "videos"): Case("v2.2/text-to-video", _fal({}), {"requests": 1}, lambda said: {"detail": said}),
    ("replicate", "images"): Case(
        "a/b",
        _always(Answer(_PREDICTED)),
        {"images": 1},
        lambda said: {"title": "Bad", "detail": said, "status": 422},
    ),
    ("elevenlabs", "speech"): Case(
        "eleven_v3", _AUDIO, {"requests": 1}, lambda said: {"detail": {"status": "bad", "message": said}}
    ),
    ("elevenlabs", "transcriptions"): Case(
        "scribe_v2",
        _always(Answer(_ELEVEN)),
        {"audio_ms": 3000},
        lambda said: {"detail": {"status": "bad", "message": said}},
    ),
    ("cartesia", "speech"): Case(
        "sonic-3", _AUDIO, {"requests": 1}, lambda said: {"error_code": "bad", "title": "Bad", "message": said}
    ),
    ("resemble", "speech"): Case(
        "default",
        _always(Answer(_SPOKEN)),
        {"audio_ms": 1500},
        lambda said: {"success": False, "message": said},
    ),
    ("deepgram", "speech"): Case(
        "aura-2-thalia-en", _AUDIO, {"requests": 1}, lambda said: {"err_code": "BAD", "err_msg": said}
    ),
    ("deepgram", "transcriptions"): Case(
        "nova-3",
        _always(Answer(_HEARD)),
        {"audio_ms": 3000},
        lambda said: {"category": "INVALID", "message": said, "details": ""},
    ),
    ("assemblyai", "transcriptions"): Case(
        "universal-2", _assembly, {"audio_ms": 3000}, lambda said: {"error": said}
    ),
    ("runway", "videos"): Case(
        "gen4.5", _always(Answer({"id": "task-1"})), {"requests": 1}, lambda said: {"error": said}
    ),
    ("luma", "videos"): Case(
        "ray-2",
        _always(Answer({"id": "g1", "state": "queued"}, 201)),
        {"requests": 1},
        lambda said: {"detail": said},
    ),
}
every_endpoint = pytest.mark.parametrize(
    ("kind", "endpoint"), list(CASES), ids=[f"{kind}-{endpoint}" for kind, endpoint in CASES]
)


def _ask(door: Door, endpoint: str, model: str) -> Told:
    if endpoint == "transcriptions":
        return door.upload(_PATHS[endpoint], [("model", f"up/{model}")], b"RIFF sound")
    wish = {"images": {"prompt": "x"}, "videos": {"prompt": "x"}, "speech": {"input": "Hi", "voice": "v"}}
    return door.post(_PATHS[endpoint], {"model": f"up/{model}", **wish[endpoint]})


def test_every_endpoint_of_every_row_is_here() -> None:
    """A vendor that joins the registry with an API of its own joins these tests."""
    rows = [(row.kind, endpoint) for row in VENDORS.values() if row.media_api for endpoint in row.media]
    assert sorted(rows) == sorted(CASES)


@every_endpoint
def test_an_answer_and_its_usage(doors: Doors, kind: str, endpoint: str) -> None:
    """The key travels in the vendor's header, the answer comes back, and what is billed is in the ledger."""
    case, door = CASES[kind, endpoint], doors.open(kind)
    door.vendor.script = lambda asked: case.answer(asked, door.vendor.url)
    told = _ask(door, endpoint, case.model)
    assert told.status == 200, told.raw
    name, value = _HEADERS[VENDORS[kind].auth]
    first = door.vendor.asked[0]
    assert first.headers[name] == value
    assert all(first.headers[header] == text for header, text in VENDORS[kind].headers)
    (attempt,) = door.gateway.exchanges(1)[0].attempts
    assert attempt.usage_source == "reported"
    assert {unit: getattr(attempt.usage, unit) for unit in case.usage} == case.usage


@every_endpoint
def test_errors(doors: Doors, kind: str, endpoint: str) -> None:
    """The vendor's sentence and status pass; a full house says when to come again; a failure is a 502."""
    case, door = CASES[kind, endpoint], doors.open(kind)
    door.vendor.script = [Answer(case.error("that is too long"), 422)]
    told = _ask(door, endpoint, case.model)
    assert (told.status, told.error["code"]) == (422, "upstream_rejected")
    assert "that is too long" in told.error["message"]
    door.vendor.script = [Answer(case.error("slow down"), 429, headers={"retry-after": "9"})]
    told = _ask(door, endpoint, case.model)
    assert (told.status, told.error["code"], told.headers["retry-after"]) == (429, "upstream_rate_limited", "9")
    door.vendor.script = [Answer(case.error("broken"), 500)]
    assert _ask(door, endpoint, case.model).status == 502
    assert [each.outcome for each in door.gateway.exchanges(3)] == ["error"] * 3


@every_endpoint
def test_a_wrong_key(doors: Doors, kind: str, endpoint: str) -> None:
    """That our key is wrong is our fault, not the client's: a 502, in which the key is not to be read."""
    case, door = CASES[kind, endpoint], doors.open(kind)
    door.vendor.script = [Answer(case.error(f"{KEY} is not a key"), 401)]
    told = _ask(door, endpoint, case.model)
    assert (told.status, told.error["code"]) == (502, "upstream_auth")
    assert KEY.encode() not in told.raw
    assert KEY not in repr(door.gateway.exchanges(1))
