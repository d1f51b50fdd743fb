"""Runway's clips: https://docs.dev.runwayml.com/api/ (version 2024-11-06).

`POST /v1/text_to_video`, or `/v1/image_to_video` with `promptImage`, gives an id; `GET /v1/tasks/{id}` says
PENDING, THROTTLED, RUNNING, SUCCEEDED, FAILED or CANCELLED. Results are at the host that
https://docs.dev.runwayml.com/assets/outputs shows, for a day or two.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from penstock.core.errors import ShapeError
from penstock.core.media import VideoRequest, VideoStatus, VideoTask
from penstock.core.usage import NO_USAGE
from penstock.ports.media import Answered, Ask, Done
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import extras_of
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import encode, loose_text, read_object, text_at

# OpenAI's defaults: the vendor requires both fields.
_SIZE = (720, 1280)
_SECONDS = 4
_STATUSES: dict[str, VideoStatus] = {
    "PENDING": "queued",
    "THROTTLED": "queued",
    "RUNNING": "in_progress",
    "SUCCEEDED": "completed",
    "FAILED": "failed",
    "CANCELLED": "failed",
}


class RunwayVideos:
    """Implements ports.media.VideoApi."""

    hosts = ("dnznrvs05pmza.cloudfront.net",)

    def create(self, request: VideoRequest, to: Addressee) -> OneCall:
        """See VideoApi."""
        width, height = request.size or _SIZE
        body: dict[str, Any] = {
            "model": to.model,
            "promptText": request.prompt,
            "ratio": f"{width}:{height}",
            "duration": request.seconds or _SECONDS,
        }
        path = "/text_to_video"
        if request.image:
            path, body["promptImage"] = "/image_to_video", request.image
        body = {**extras_of(request.extras, to.losses), **body}
        return OneCall(Ask(path, body=encode(body)), _created)

    def look(self, task: str, model: str) -> OneCall:
        """See VideoApi."""
        del model
        return OneCall(Ask(f"/tasks/{quote(task, safe='')}", "GET"), _looked)


def _created(answer: Answered) -> Done:
    return Done(encode(VideoTask(text_at(read_object(answer.body), "id"))))


def _looked(answer: Answered) -> Done:
    value = read_object(answer.body)
    status = _STATUSES.get(text_at(value, "status"))
    if status is None:
        raise ShapeError("status", "one that the vendor's page names")
    progress = value.get("progress")
    done = 100 if status == "completed" else int(progress * 100) if isinstance(progress, int | float) else 0
    output = value.get("output")
    urls = cast("list[Any]", output) if isinstance(output, list) else []
    task = VideoTask(
        text_at(value, "id"),
        status,
        done,
        loose_text(urls[0]) if urls else "",
        (loose_text(value.get("failureCode")) or text_at(value, "status").lower())
        if status == "failed"
        else "",
        loose_text(value.get("failure")),
        NO_USAGE,
    )
    return Done(encode(task))
