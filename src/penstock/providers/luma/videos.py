"""Luma's clips (Dream Machine): https://docs.lumalabs.ai/docs/video-generation, https://docs.lumalabs.ai/docs/api.

`POST /generations/video` gives an id; `GET /generations/{id}` says `state` (queued, dreaming, completed,
failed), `failure_reason` and `assets.video`. Durations are `5s` and `9s`. The documentation names no host for
the results, so that they are not fetched: the answer has their address.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from penstock.core.errors import ShapeError
from penstock.core.media import VideoRequest, VideoStatus, VideoTask
from penstock.core.usage import NO_USAGE
from penstock.ports.media import Answered, Ask, Done
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import extras_of, nearest_ratio
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import encode, loose_text, object_at, read_object, text_at

_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")
_RESOLUTIONS = ((540, "540p"), (720, "720p"), (1080, "1080p"))
_STATES: dict[str, VideoStatus] = {
    "queued": "queued",
    "dreaming": "in_progress",
    "completed": "completed",
    "failed": "failed",
}


class LumaVideos:
    """Implements ports.media.VideoApi."""

    hosts = ()

    def create(self, request: VideoRequest, to: Addressee) -> OneCall:
        """See VideoApi."""
        body: dict[str, Any] = {"model": to.model, "prompt": request.prompt}
        if request.seconds is not None:
            seconds = 5 if request.seconds <= 7 else 9
            if seconds == request.seconds or to.losses.map("seconds"):
                body["duration"] = f"{seconds}s"
        if request.size is not None:
            if ratio := nearest_ratio(request.size, _RATIOS, to.losses):
                body["aspect_ratio"] = ratio
            side = min(request.size)
            body["resolution"] = next((name for most, name in _RESOLUTIONS if side <= most), "4k")
        if request.image.startswith("https://"):
            body["keyframes"] = {"frame0": {"type": "image", "url": request.image}}
        elif request.image:
            to.losses.drop("input_reference")
        body = {**extras_of(request.extras, to.losses), **body}
        return OneCall(Ask("/generations/video", body=encode(body)), _created)

    def look(self, task: str, model: str) -> OneCall:
        """See VideoApi."""
        del model
        return OneCall(Ask(f"/generations/{quote(task, safe='')}", "GET"), _looked)


def _created(answer: Answered) -> Done:
    return Done(encode(VideoTask(text_at(read_object(answer.body), "id"))))


def _looked(answer: Answered) -> Done:
    value = read_object(answer.body)
    status = _STATES.get(text_at(value, "state"))
    if status is None:
        raise ShapeError("state", "one that the vendor's page names")
    url = text_at(object_at(value, "assets"), "video") if status == "completed" else ""
    task = VideoTask(
        text_at(value, "id"),
        status,
        100 if status == "completed" else 0,
        url,
        "failed" if status == "failed" else "",
        loose_text(value.get("failure_reason")),
        NO_USAGE,
    )
    return Done(encode(task))
