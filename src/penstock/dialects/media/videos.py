"""`/v1/videos`: https://developers.openai.com/api/reference/resources/videos (create, retrieve).

OpenAI has shut its own service down; the shape stays, as the one that its SDKs speak. A finished video carries
the vendor's address of it as `url`, which OpenAI's never had.
"""

from __future__ import annotations

import base64
from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.media import VideoRequest, VideoTask, VideoTicket
from penstock.dialects.media.fields import needed, others, size_of
from penstock.wire.multipart import Form

_KNOWN = frozenset(
    {"prompt", "seconds", "size", "input_reference", "input_reference[image_url]", "input_reference[file_id]"}
)
MAX_SECONDS = 3600


def body_of_form(form: Form) -> dict[str, Any]:
    """A form as the JSON body that says the same. Raises ShapeError."""
    body: dict[str, Any] = {name: form.text(name) for name in form.spans}
    file = form.file("input_reference")
    if file is not None:
        if not file.content_type.startswith("image/"):
            raise ShapeError("input_reference", "a file with an image's content type")
        data = base64.b64encode(file.data).decode()
        body["input_reference"] = {"image_url": f"data:{file.content_type};base64,{data}"}
    elif url := body.get("input_reference[image_url]"):
        body["input_reference"] = {"image_url": url}
    elif "input_reference[file_id]" in body:
        body["input_reference"] = {"file_id": body["input_reference[file_id]"]}
    return body


def decode_request(body: dict[str, Any], model: str) -> VideoRequest:
    """The request. Raises ShapeError."""
    return VideoRequest(
        model=model,
        prompt=needed(body, "prompt"),
        seconds=_seconds(body.get("seconds")),
        size=size_of(body),
        image=_image(body.get("input_reference")),
        extras=others(body, _KNOWN),
    )


def _seconds(value: object) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 1 <= int(text) <= MAX_SECONDS:
        raise ShapeError("seconds", f"a whole number from 1 to {MAX_SECONDS}")
    return int(text)


def _image(value: object) -> str:
    if value is None:
        return ""
    url = cast("dict[str, Any]", value).get("image_url") if isinstance(value, dict) else value
    if not isinstance(url, str) or not url.startswith(("https://", "data:image/")):
        raise ShapeError("input_reference.image_url", "an https address or a data URL of an image")
    return url


def encode_video(video_id: str, ticket: VideoTicket, task: VideoTask) -> bytes:
    """A video as OpenAI's API shows it."""
    error = {"code": task.error_code or "failed", "message": task.error} if task.status == "failed" else None
    body: dict[str, Any] = {
        "id": video_id,
        "object": "video",
        "created_at": ticket.created_s,
        "completed_at": None,
        "expires_at": None,
        "status": task.status,
        "progress": task.progress,
        "model": ticket.model,
        "seconds": ticket.seconds,
        "size": ticket.size,
        "remixed_from_video_id": None,
        "error": error,
    }
    if task.url:
        body["url"] = task.url
    return msgspec.json.encode(body)
