"""Clips by Runway, Luma, fal and Pika for a client of OpenAI's videos API."""

from __future__ import annotations

import base64

import pytest

from tests.media.world import KEY, Answer, Asked, Door, Doors

PATH = "/v1/videos"
CLIP = b"\x00\x00\x00 ftypisom" + bytes(200_000)


def runway(door: Door, status: str, **more: object) -> None:
    """Runway, with one task that stands like this."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/clip.mp4":
            return Answer(raw=CLIP, content_type="video/mp4")
        if asked.method == "POST":
            return Answer({"id": "task-1", "estimatedCost": {"credits": 25}})
        return Answer({"id": "task-1", "status": status, "createdAt": "2026-01-01T00:00:00Z", **more})

    door.vendor.script = answer


def begun(door: Door, model: str = "up/gen4.5") -> str:
    """The id of a new clip."""
    reply = door.post(PATH, {"model": model, "prompt": "a ship"})
    assert reply.status == 200, reply.raw
    return reply.json()["id"]


def test_runway_makes_a_clip(doors: Doors) -> None:
    """A task begins at once; its id is ours, and looks and content go through it."""
    door = doors.open("runway", model="gen4.5", price="{request: 0.6}")
    runway(door, "RUNNING", progress=0.42)
    form = [("model", "priced"), ("prompt", "a ship"), ("seconds", "8"), ("size", "1280x720"), ("seed", "7")]
    made = door.ask("POST", PATH, _form(form), "multipart/form-data; boundary=b")
    video = made.json()
    assert (made.status, video["object"], video["status"], video["progress"]) == (200, "video", "queued", 0)
    assert (video["model"], video["seconds"], video["size"]) == ("priced", "8", "1280x720")
    assert b"task-1" not in base64.urlsafe_b64decode(video["id"].removeprefix("video_") + "==")
    (asked,) = door.vendor.asked
    assert (asked.path, asked.headers["authorization"]) == ("/base/text_to_video", f"Bearer {KEY}")
    assert asked.headers["x-runway-version"] == "2024-11-06"
    assert asked.json() == {
        "model": "gen4.5",
        "promptText": "a ship",
        "ratio": "1280:720",
        "duration": 8,
        "seed": "7",
    }
    (attempt,) = door.gateway.exchanges(1)[0].attempts
    assert (attempt.usage.requests, attempt.cost_nanousd) == (1, 600_000_000)
    looked = door.get(f"{PATH}/{video['id']}").json()
    assert (looked["id"], looked["status"], looked["progress"]) == (video["id"], "in_progress", 42)
    assert door.vendor.asked[-1].path == "/base/tasks/task-1"
    early = door.get(f"{PATH}/{video['id']}/content")
    assert (early.status, early.error["code"]) == (409, "video_not_ready")
    runway(door, "SUCCEEDED", output=[f"{door.vendor.url}/clip.mp4"])
    assert door.get(f"{PATH}/{video['id']}").json()["status"] == "completed"
    content = door.get(f"{PATH}/{video['id']}/content")
    assert (content.status, content.headers["content-type"], content.raw) == (200, "video/mp4", CLIP)
    assert "authorization" not in door.vendor.wait_for("GET", "/clip.mp4").headers
    assert len(door.gateway.exchanges(1)) == 1


def _form(fields: list[tuple[str, str]]) -> bytes:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
    return ("".join(parts) + "--b--\r\n").encode()


def test_a_first_frame_is_uploaded(doors: Doors) -> None:
    """An image in the form becomes the vendor's first frame."""
    door = doors.open("runway")
    runway(door, "PENDING")
    head = 'Content-Disposition: form-data; name="input_reference"; filename="a.png"\r\nContent-Type: image/png'
    body = _form([("model", "up/gen4.5"), ("prompt", "go")])[: -len(b"--b--\r\n")]
    body += f"--b\r\n{head}\r\n\r\nPIXELS\r\n--b--\r\n".encode()
    assert door.ask("POST", PATH, body, "multipart/form-data; boundary=b").status == 200
    (asked,) = door.vendor.asked
    assert asked.path == "/base/image_to_video"
    assert asked.json()["promptImage"] == "data:image/png;base64," + base64.b64encode(b"PIXELS").decode()
    assert (asked.json()["ratio"], asked.json()["duration"]) == ("720:1280", 4)


def test_a_clip_belongs_to_its_key(doors: Doors) -> None:
    """Another key, a changed id or somebody's invention is a 404, and the vendor is not asked."""
    door = doors.open("runway")
    runway(door, "RUNNING")
    video_id = begun(door)
    changed = video_id[:-2] + ("A" if video_id[-2] != "A" else "B") + video_id[-1]
    for path in (video_id, f"{video_id}/content"):
        other = door.get(f"{PATH}/{path}", key="sk-other")
        assert (other.status, other.error["code"]) == (404, "unknown_video")
    for wrong in (changed, "video_", "video_AAAA", "task-1", "video_%00"):
        told = door.get(f"{PATH}/{wrong}")
        assert (told.status, told.error["code"]) == (404, "unknown_video")
    assert door.get(f"{PATH}/{video_id}", key="sk-nobody").status == 401
    assert [each.method for each in door.vendor.asked] == ["POST"]


def test_a_failed_clip_says_why(doors: Doors) -> None:
    """The failure stands in the video, as OpenAI's API shows it."""
    door = doors.open("runway")
    runway(door, "FAILED", failure="Unsafe", failureCode="SAFETY.INPUT.TEXT")
    video = door.get(f"{PATH}/{begun(door)}").json()
    assert video["status"] == "failed"
    assert video["error"] == {"code": "SAFETY.INPUT.TEXT", "message": "Unsafe"}


def test_a_vendor_that_forgot_is_told(doors: Doors) -> None:
    """Vendors' errors on a look reach the client, secrets removed."""
    door = doors.open("runway")
    runway(door, "RUNNING")
    video_id = begun(door)
    for status, code, said in (
        (404, "unknown_video", 404),
        (401, "upstream_auth", 502),
        (500, "upstream_error", 502),
    ):
        door.vendor.script = [Answer({"error": f"trouble {KEY}"}, status)]
        told = door.get(f"{PATH}/{video_id}")
        assert (told.status, told.error["code"]) == (said, code)
        assert KEY.encode() not in told.raw


def test_luma_makes_a_clip(doors: Doors) -> None:
    """Luma's durations and ratios are the nearest ones; its result is named by address alone."""
    door = doors.open("luma")
    door.vendor.script = [Answer({"id": "g1", "state": "queued"}, 201)]
    wish = {"model": "up/ray-2", "prompt": "a ship", "seconds": "8", "size": "1280x720", "loop": True}
    made = door.post(PATH, wish)
    assert made.headers["x-penstock-warning"] == "mapped=seconds"
    (asked,) = door.vendor.asked
    assert (asked.path, asked.headers["authorization"]) == ("/base/generations/video", f"Bearer {KEY}")
    assert asked.json() == {
        "model": "ray-2",
        "prompt": "a ship",
        "duration": "9s",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "loop": True,
    }
    done = {"id": "g1", "state": "completed", "assets": {"video": "https://example.com/v.mp4"}}
    door.vendor.script = [Answer(done)]
    video_id = made.json()["id"]
    video = door.get(f"{PATH}/{video_id}").json()
    assert (video["status"], video["url"]) == ("completed", "https://example.com/v.mp4")
    assert door.vendor.asked[-1].path == "/base/generations/g1"
    told = door.get(f"{PATH}/{video_id}/content")
    assert (told.status, told.error["code"]) == (400, "unsupported_endpoint")


@pytest.mark.parametrize(
    ("kind", "model", "submitted"),
    [
        ("pika", "v2.2/text-to-video", {"aspect_ratio": "16:9", "resolution": "720p", "duration": 5}),
        ("fal", "fal-ai/pika/v2.2/text-to-video", {"aspect_ratio": "16:9"}),
    ],
)
def test_pika_makes_a_clip_at_fal(doors: Doors, kind: str, model: str, submitted: dict[str, object]) -> None:
    """Submission, status and result by fal's queue, each in a request of its own."""
    door = doors.open(kind)
    door.vendor.script = [Answer({"request_id": "r1"})]
    made = door.post(PATH, {"model": f"up/{model}", "prompt": "a ship", "seconds": "5", "size": "1280x720"})
    assert made.status == 200, made.raw
    (asked,) = door.vendor.asked
    assert asked.path == "/base/fal-ai/pika/v2.2/text-to-video"
    assert asked.headers["authorization"] == f"Key {KEY}"
    assert asked.json() == {"prompt": "a ship", **submitted}
    at = f"{PATH}/{made.json()['id']}"
    door.vendor.script = [Answer({"status": "IN_PROGRESS"}, 202)]
    assert door.get(at).json()["status"] == "in_progress"
    assert door.vendor.asked[-1].path == "/base/fal-ai/pika/requests/r1/status"
    result = Answer({"video": {"url": "https://v3.fal.media/v.mp4"}})
    door.vendor.script = [Answer({"status": "COMPLETED"}), result]
    assert door.get(at).json()["url"] == "https://v3.fal.media/v.mp4"
    assert door.vendor.asked[-1].path == "/base/fal-ai/pika/requests/r1"
    door.vendor.script = [Answer({"status": "COMPLETED"}), Answer({"detail": "nothing came of it"}, 422)]
    failed = door.get(at).json()
    assert (failed["status"], failed["error"]["message"]) == ("failed", "nothing came of it")


def test_a_result_elsewhere_is_not_fetched(doors: Doors) -> None:
    """Content is forwarded from the vendor's documented hosts only."""
    door = doors.open("runway")
    runway(door, "SUCCEEDED", output=["https://other.example/v.mp4"])
    told = door.get(f"{PATH}/{begun(door)}/content")
    assert told.status == 502
    assert "documented hosts" in told.error["message"]


def test_a_target_that_is_gone_is_a_404(doors: Doors) -> None:
    """A clip whose provider is no longer configured cannot be looked at."""
    door = doors.open("runway")
    runway(door, "RUNNING")
    video_id = begun(door)
    door.gateway.reload(
        """
version: 1
providers: {other: {kind: openai, base_url: "http://127.0.0.1:9"}}
keys:
  - {name: dev, secret: sk-test, org: acme, direct: true}
"""
    )
    told = door.get(f"{PATH}/{video_id}")
    assert (told.status, told.error["code"]) == (404, "unknown_video")


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"seconds": "long"}, 400),
        ({"size": "wide"}, 400),
        ({"prompt": None}, 400),
        ({"input_reference": {"file_id": "f"}}, 404),  # nobody was given this file here
    ],
)
def test_what_cannot_be_asked_is_refused(doors: Doors, wish: dict[str, object], status: int) -> None:
    """Nothing is sent."""
    door = doors.open("runway")
    assert door.post(PATH, {"model": "up/gen4.5", "prompt": "x"} | wish).status == status
    assert door.vendor.asked == []
