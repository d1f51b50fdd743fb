"""Pictures by Black Forest Labs, fal and Replicate for a client of OpenAI's images API."""

from __future__ import annotations

import base64
import json

import pytest

from penstock.upstream.tasks import TaskRules
from tests.media.world import KEY, RULES, Answer, Asked, Door, Doors

PATH = "/v1/images/generations"
PIXELS = b"\x89PNG pixels"


def bfl(door: Door, *statuses: str) -> None:
    """Black Forest Labs: these statuses one after the other, the last for ever."""
    left = list(statuses)

    def answer(asked: Asked) -> Answer:
        if asked.path == "/picture.png":
            return Answer(raw=PIXELS, content_type="image/png")
        if asked.method == "POST":
            url = f"{door.vendor.url}/v1/get_result?id=t1"
            return Answer({"id": "t1", "polling_url": url})
        status = left.pop(0) if len(left) > 1 else left[0]
        result = {"sample": f"{door.vendor.url}/picture.png"} if status == "Ready" else None
        return Answer({"id": "t1", "status": status, "result": result})

    door.vendor.script = answer


def test_black_forest_labs_is_looked_at_until_it_is_ready(doors: Doors) -> None:
    """One client call is a submission and looks upstream, one attempt and one row with one image."""
    door = doors.open("bfl", model="flux-2-pro", price="{per_image: 0.03}")
    bfl(door, "Pending", "Pending", "Ready")
    reply = door.post(PATH, {"model": "priced", "prompt": "a cat", "size": "1024x768", "seed": 7})
    assert reply.status == 200, reply.raw
    assert reply.json()["data"] == [{"url": f"{door.vendor.url}/picture.png"}]
    assert reply.headers["x-penstock-cost-usd"] == "0.03"
    asked = door.vendor.asked
    assert [(each.method, each.path) for each in asked] == [
        ("POST", "/base/flux-2-pro"),
        *[("GET", "/v1/get_result?id=t1")] * 3,
    ]
    assert asked[0].json() == {"prompt": "a cat", "width": 1024, "height": 768, "seed": 7}
    assert all(each.headers["x-key"] == KEY for each in asked)
    (settled,) = door.gateway.exchanges(1)
    (attempt,) = settled.attempts
    assert (attempt.usage.images, attempt.usage_source, attempt.cost_nanousd) == (1, "reported", 30_000_000)


def test_pictures_are_fetched_where_their_bytes_are_wanted(doors: Doors) -> None:
    """`b64_json` holds the picture itself, which is fetched without the vendor's key."""
    door = doors.open("bfl")
    bfl(door, "Ready")
    reply = door.post(PATH, {"model": "up/flux-pro-1.1", "prompt": "x", "response_format": "b64_json"})
    assert reply.json()["data"] == [{"b64_json": base64.b64encode(PIXELS).decode()}]
    fetched = door.vendor.wait_for("GET", "/picture.png")
    assert "x-key" not in fetched.headers
    assert KEY not in json.dumps(fetched.headers)


def test_several_pictures_are_several_tasks(doors: Doors) -> None:
    """A vendor that makes one picture at a time is asked as often as there are pictures to make."""
    door = doors.open("bfl")
    bfl(door, "Ready")
    reply = door.post(PATH, {"model": "up/flux-pro-1.1", "prompt": "x", "n": 3})
    assert len(reply.json()["data"]) == 3
    assert [each.method for each in door.vendor.asked].count("POST") == 3
    assert door.gateway.exchanges(1)[0].attempts[0].usage.images == 3


def test_a_model_by_aspect_ratio_gets_one(doors: Doors) -> None:
    """The models that take no width and height get the size's ratio."""
    door = doors.open("bfl")
    bfl(door, "Ready")
    door.post(PATH, {"model": "up/flux-kontext-pro", "prompt": "x", "size": "1536x1024"})
    assert door.vendor.asked[0].json() == {"prompt": "x", "aspect_ratio": "3:2"}


def test_moderation_is_a_400_and_is_not_billed(doors: Doors) -> None:
    """What the vendor's moderation stops is the request's own fault and costs nothing."""
    door = doors.open("bfl", model="flux-2-pro", price="{per_image: 0.03}")
    bfl(door, "Request Moderated")
    reply = door.post(PATH, {"model": "priced", "prompt": "x"})
    assert (reply.status, reply.error["code"]) == (400, "upstream_rejected")
    assert "Request Moderated" in reply.error["message"]
    assert door.gateway.exchanges(1)[0].attempts[-1].cost_nanousd == 0


def test_a_task_that_breaks_is_a_502(doors: Doors) -> None:
    """A status that means failure is told as the vendor's failure."""
    door = doors.open("bfl")
    bfl(door, "Error")
    reply = door.post(PATH, {"model": "up/flux-2-pro", "prompt": "x"})
    assert (reply.status, reply.error["code"]) == (502, "upstream_error")


@pytest.mark.parametrize("kind", ["bfl", "fal", "replicate"])
def test_a_wrong_key_is_the_gateways_trouble(doors: Doors, kind: str) -> None:
    """A vendor that refuses our credential gives a 502 that does not show it."""
    door = doors.open(kind)
    door.vendor.script = [Answer({"detail": f"bad key {KEY}"}, 401)]
    reply = door.post(PATH, {"model": "up/a/b", "prompt": "x"})
    assert (reply.status, reply.error["code"]) == (502, "upstream_auth")
    assert KEY.encode() not in reply.raw


def test_a_vendors_refusal_keeps_its_words(doors: Doors) -> None:
    """A 422 of the vendor reaches the client with its reason."""
    door = doors.open("fal")
    door.vendor.script = [Answer({"detail": [{"loc": ["body", "prompt"], "msg": "too long"}]}, 422)]
    reply = door.post(PATH, {"model": "up/fal-ai/flux/dev", "prompt": "x"})
    assert (reply.status, reply.error["code"]) == (422, "upstream_rejected")
    assert "too long" in reply.error["message"]


def test_a_polling_address_elsewhere_is_not_followed(doors: Doors) -> None:
    """The credential never goes where an answer says, only to the vendor's own hosts."""
    rules = TaskRules(first_s=0.001, longest_s=0.001)
    for url in ("https://evil.example/x", "http://169.254.169.254/latest", "https://bfl.ai.evil.example/"):
        door = doors.open("bfl", rules=rules)
        door.vendor.script = [Answer({"id": "t", "polling_url": url})]
        reply = door.post(PATH, {"model": "up/flux-2-pro", "prompt": "x"})
        assert reply.status == 502, reply.raw
        assert "documented hosts" in reply.error["message"]


def test_a_picture_elsewhere_is_not_fetched(doors: Doors) -> None:
    """Without the tests' allowance, this machine's own addresses are out of reach for a vendor's answer."""
    door = doors.open("bfl", rules=TaskRules(first_s=0.001, longest_s=0.001))
    bfl(door, "Ready")
    reply = door.post(PATH, {"model": "up/flux-2-pro", "prompt": "x", "response_format": "b64_json"})
    assert reply.status == 502
    assert "/picture.png" not in [each.path for each in door.vendor.asked]


def test_a_look_that_fails_is_repeated(doors: Doors) -> None:
    """A vendor's hiccup while we wait does not pay for the picture twice."""
    door = doors.open("bfl")
    polling = {"id": "t1", "polling_url": f"{door.vendor.url}/r"}
    ready = {"status": "Ready", "result": {"sample": "https://delivery.eu.bfl.ai/p.png"}}
    door.vendor.script = [Answer(polling), Answer({}, 503), Answer({}, 429), Answer(ready)]
    reply = door.post(PATH, {"model": "up/flux-2-pro", "prompt": "x"})
    assert reply.json()["data"] == [{"url": "https://delivery.eu.bfl.ai/p.png"}]
    assert [each.method for each in door.vendor.asked] == ["POST", "GET", "GET", "GET"]


def fal(door: Door, *statuses: str) -> None:
    """fal: these statuses one after the other, the last for ever."""
    left = list(statuses)
    at = f"{door.vendor.url}/base/fal-ai/flux/requests/r1"

    def answer(asked: Asked) -> Answer:
        if asked.path == "/base/fal-ai/flux/dev":
            return Answer(
                {
                    "request_id": "r1",
                    "status_url": f"{at}/status",
                    "response_url": at,
                    "cancel_url": f"{at}/cancel",
                }
            )
        if asked.path.endswith("/status"):
            return Answer({"status": left.pop(0) if len(left) > 1 else left[0]})
        images = [{"url": f"https://v3.fal.media/{n}.png", "content_type": "image/png"} for n in range(2)]
        return Answer({"images": images, "seed": 1})

    door.vendor.script = answer


def test_fal_goes_through_its_queue(doors: Doors) -> None:
    """Submit, status, result; the number of pictures is asked for at once."""
    door = doors.open("fal")
    fal(door, "IN_QUEUE", "IN_PROGRESS", "COMPLETED")
    wish = {"model": "up/fal-ai/flux/dev", "prompt": "a cat", "n": 2, "size": "512x512", "output_format": "png"}
    reply = door.post(PATH, wish)
    assert [each["url"] for each in reply.json()["data"]] == [
        "https://v3.fal.media/0.png",
        "https://v3.fal.media/1.png",
    ]
    first = door.vendor.asked[0]
    assert first.headers["authorization"] == f"Key {KEY}"
    assert first.json() == {
        "prompt": "a cat",
        "num_images": 2,
        "image_size": {"width": 512, "height": 512},
        "output_format": "png",
    }
    assert [each.path.rpartition("/")[2] for each in door.vendor.asked[1:]] == ["status"] * 3 + ["r1"]
    assert reply.headers["x-penstock-cost-usd"] == "unpriced"
    assert door.gateway.exchanges(1)[0].attempts[0].cost_nanousd is None


def test_hanging_up_cancels_the_task(doors: Doors) -> None:
    """A client that goes away while fal works has its request called off there."""
    door = doors.open("fal", model="fal-ai/flux/dev")
    fal(door, "IN_QUEUE")
    client = door.begin(PATH, {"model": "priced", "prompt": "x"})
    door.vendor.wait_for("GET", "/status")
    client.close()
    door.vendor.wait_for("PUT", "/cancel")
    (settled,) = door.gateway.exchanges(1)
    assert (settled.outcome, settled.attempts[0].usage.images) == ("cancelled", 1)


def test_the_routes_patience_ends_a_task(doors: Doors) -> None:
    """A task that is never done ends with the route's total time, and is called off."""
    door = doors.open("fal")
    fal(door, "IN_PROGRESS")
    door.gateway.reload(
        f"""
version: 1
providers:
  up: {{kind: fal, base_url: "{door.vendor.url}/base", api_key: {KEY}}}
routes:
  art:
    policy: up/fal-ai/flux/dev
    timeouts: {{connect_s: 0.5, first_event_s: 0.5, idle_s: 0.5, total_s: 0.5}}
keys:
  - {{name: dev, secret: sk-test, org: acme}}
"""
    )
    reply = door.post(PATH, {"model": "art", "prompt": "x"})
    assert (reply.status, reply.error["code"]) == (504, "upstream_timeout")
    door.vendor.wait_for("PUT", "/cancel")


def prediction(status: str, output: object = None, error: str | None = None) -> Answer:
    """One of Replicate's predictions."""
    return Answer(
        {"id": "p1", "status": status, "output": output, "error": error}, 201 if status == "starting" else 200
    )


def test_replicate_is_waited_for_and_then_looked_at(doors: Doors) -> None:
    """An official model goes by its name with `Prefer: wait`; what is not done then is looked at."""
    door = doors.open("replicate")
    done = prediction("succeeded", ["https://replicate.delivery/a.webp"])
    door.vendor.script = [prediction("starting"), prediction("processing"), done]
    wish = {
        "model": "up/black-forest-labs/flux-schnell",
        "prompt": "a cat",
        "size": "1024x1024",
        "webhook": "https://x",
    }
    reply = door.post(PATH, wish)
    assert reply.json()["data"] == [{"url": "https://replicate.delivery/a.webp"}]
    assert reply.headers["x-penstock-warning"] == "dropped=webhook"
    first, *looks = door.vendor.asked
    assert first.path == "/base/models/black-forest-labs/flux-schnell/predictions"
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.headers["prefer"].startswith("wait")
    assert first.json() == {"input": {"prompt": "a cat", "aspect_ratio": "1:1"}}
    assert [each.path for each in looks] == ["/base/predictions/p1"] * 2


def test_replicate_by_version(doors: Doors) -> None:
    """A community model is named with its version."""
    door = doors.open("replicate")
    door.vendor.script = [prediction("succeeded", "https://replicate.delivery/a.png")]
    reply = door.post(PATH, {"model": "up/someone/sdxl:abc123", "prompt": "x", "size": "768x512"})
    assert reply.status == 200
    (asked,) = door.vendor.asked
    assert asked.path == "/base/predictions"
    assert asked.json() == {"input": {"prompt": "x", "width": 768, "height": 512}, "version": "abc123"}


def test_a_failed_prediction_says_why(doors: Doors) -> None:
    """The vendor's reason reaches the client."""
    door = doors.open("replicate")
    door.vendor.script = [prediction("failed", error="CUDA out of memory")]
    reply = door.post(PATH, {"model": "up/a/b", "prompt": "x"})
    assert reply.status == 502
    assert "CUDA out of memory" in reply.error["message"]
    assert len(door.vendor.asked) == 1, "a task that ran is not paid for twice on one target"


def test_hanging_up_before_the_first_answer_cancels_too(doors: Doors) -> None:
    """A prediction whose id is not known yet is called off as soon as it is."""
    door = doors.open("replicate")

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/predictions"):
            door.vendor.held.wait(20)
        return prediction("starting")

    door.vendor.script = answer
    client = door.begin(PATH, {"model": "up/a/b", "prompt": "x"})
    door.vendor.wait_for("POST", "/predictions")
    client.close()
    assert door.gateway.exchanges(1)[0].outcome == "cancelled"
    door.vendor.held.set()
    door.vendor.wait_for("POST", "/predictions/p1/cancel")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"stream": True}, "unsupported_parameter"),
        ({"size": "big"}, "invalid_type"),
        ({"n": 11}, "invalid_type"),
        ({"prompt": ""}, "invalid_type"),
    ],
)
def test_what_cannot_be_asked_is_refused(doors: Doors, wish: dict[str, object], code: str) -> None:
    """Nothing is sent, and the error names what to change."""
    door = doors.open("bfl")
    reply = door.post(PATH, {"model": "up/flux-2-pro", "prompt": "x"} | wish)
    assert (reply.status, reply.error["code"]) == (400, code)
    assert door.vendor.asked == []


def test_an_error_rather_than_a_loss(doors: Doors) -> None:
    """With `on_unsupported: error`, a wish that the vendor has no word for is refused."""
    door = doors.open("bfl", policy="error", rules=RULES)
    reply = door.post(PATH, {"model": "up/flux-2-pro", "prompt": "x", "quality": "hd"})
    assert (reply.status, reply.error["code"]) == (400, "unsupported_parameter")


@pytest.mark.parametrize("kind", ["together", "openai"])
def test_openai_compatible_images_pass(doors: Doors, kind: str) -> None:
    """A vendor that speaks OpenAI's images API gets the client's bytes."""
    door = doors.open(kind)
    door.vendor.script = [Answer({"created": 1, "data": [{"url": "https://x/y.png"}]})]
    reply = door.post(PATH, {"model": "up/m", "prompt": "x", "steps": 4})
    assert reply.json()["data"] == [{"url": "https://x/y.png"}]
    assert door.vendor.asked[0].path == "/base/images/generations"
    assert door.vendor.asked[0].json() == {"model": "m", "prompt": "x", "steps": 4}


def test_a_vendor_without_images_says_so(doors: Doors) -> None:
    """A speech vendor does not make pictures."""
    reply = doors.open("cartesia").post(PATH, {"model": "up/sonic-3", "prompt": "x"})
    assert (reply.status, reply.error["code"]) == (400, "unsupported_endpoint")
