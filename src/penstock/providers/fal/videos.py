"""Clips by fal, and Pika's, which fal hosts.

The queue is that of fal/queue.py; a clip is `{"video": {"url"}}`
(https://fal.ai/models/fal-ai/pika/v2.2/text-to-video/llms.txt, also for Pika's `aspect_ratio`, `resolution` and
`duration` of 5 or 10 seconds, and https://fal.ai/models/fal-ai/pika/v2.2/image-to-video for `image_url`). Other
models write a duration each in their own way: it is left out, and an extra field can say it.
Pika publishes no API of its own; https://pika.art/api leads to fal.
"""

from __future__ import annotations

from typing import Any

from penstock.core.media import VideoRequest, VideoTask
from penstock.core.usage import NO_USAGE
from penstock.ports.media import Answered, Ask, Done, Failed
from penstock.ports.translation import Addressee
from penstock.providers.fal.queue import MEDIA_HOSTS, path_of, request_path
from penstock.providers.media.asking import extras_of, nearest_ratio, ratio_of
from penstock.providers.media.errors import read_error
from penstock.providers.media.flows import OneCall
from penstock.providers.media.json import encode, object_at, read_object, text_at

_PIKA = "fal-ai/pika/"
_PIKA_RATIOS = ("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3")


class FalVideos:
    """Implements ports.media.VideoApi."""

    hosts = MEDIA_HOSTS

    def create(self, request: VideoRequest, to: Addressee) -> OneCall:
        """See VideoApi."""
        body: dict[str, Any] = {"prompt": request.prompt}
        if request.image:
            body["image_url"] = request.image
        self._add_form(body, request, to)
        body = {**extras_of(request.extras, to.losses), **body}
        return OneCall(Ask(path_of(self.name_of(to.model)), body=encode(body)), _submitted)

    def name_of(self, model: str) -> str:
        """The model's whole name at fal."""
        return model

    def _add_form(self, body: dict[str, Any], request: VideoRequest, to: Addressee) -> None:
        if request.size is not None:
            body["aspect_ratio"] = ratio_of(request.size)
        if request.seconds is not None:
            to.losses.drop("seconds")

    def look(self, task: str, model: str) -> FalLook:
        """See VideoApi."""
        return FalLook(request_path(self.name_of(model), task), task)


class PikaVideos(FalVideos):
    """Pika's models at fal: `pika/v2.2/text-to-video` and its neighbours."""

    def name_of(self, model: str) -> str:
        """The model's whole name at fal."""
        return model if model.startswith(_PIKA) else _PIKA + model

    def _add_form(self, body: dict[str, Any], request: VideoRequest, to: Addressee) -> None:
        if request.size is not None:
            ratio = nearest_ratio(request.size, _PIKA_RATIOS, to.losses)
            if ratio and not request.image:
                body["aspect_ratio"] = ratio
            body["resolution"] = "1080p" if min(request.size) > 720 else "720p"
        if request.seconds is not None:
            seconds = 5 if request.seconds <= 7 else 10
            if seconds == request.seconds or to.losses.map("seconds"):
                body["duration"] = seconds


def _submitted(answer: Answered) -> Done:
    return Done(encode(VideoTask(text_at(read_object(answer.body), "request_id"))))


class FalLook:
    """Implements ports.media.Flow: the status and, once it is complete, the result."""

    stops = False

    def __init__(self, path: str, task: str) -> None:
        self._path = path
        self._task = task
        self._complete = False

    def first(self) -> Ask:
        """See Flow."""
        return Ask(f"{self._path}/status", "GET")

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """See Flow. A failed request's result is answered with an error status."""
        if self._complete:
            if answer.status >= 400:
                told = read_error(answer.body)
                what = told.message or f"the vendor answered {answer.status}"
                return _told(VideoTask(self._task, "failed", error_code=str(told.code or "failed"), error=what))
            url = text_at(object_at(read_object(answer.body), "video"), "url")
            return _told(VideoTask(self._task, "completed", 100, url))
        status = text_at(read_object(answer.body), "status")
        if status == "COMPLETED":
            self._complete = True
            return Ask(self._path, "GET", any_status=True)
        return _told(VideoTask(self._task, "queued" if status == "IN_QUEUE" else "in_progress"))

    def cancel(self) -> Ask | None:
        """See Flow."""
        return None


def _told(task: VideoTask) -> Done:
    return Done(
        encode(VideoTask(task.id, task.status, task.progress, task.url, task.error_code, task.error, NO_USAGE))
    )
