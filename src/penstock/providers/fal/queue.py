"""fal's queue: submit, look at `status_url` until `COMPLETED`, get `response_url`, `PUT` `cancel_url` to stop.

https://docs.fal.ai/documentation/model-apis/inference/queue and
https://fal.ai/docs/api-reference/inference-api/openapi/queue.json: the model's name is the path, its first two
segments alone are the path of status, result and cancellation; `Authorization: Key …`; statuses IN_QUEUE,
IN_PROGRESS, COMPLETED; a request that has not begun can be cancelled.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from penstock.ports.media import Answered, Ask, Done, Failed
from penstock.providers.media.flows import Fetching
from penstock.providers.media.json import objects_at, read_object, text_at

HOSTS = ("queue.fal.run",)
# https://docs.fal.ai/documentation/model-apis/media-expiration: results are at v3.fal.media, v3b.fal.media.
MEDIA_HOSTS = ("fal.media", "*.fal.media")


def path_of(model: str) -> str:
    """Where a model takes requests."""
    return f"/{quote(model, safe='/')}"


def request_path(model: str, task: str) -> str:
    """Where one request of a model is, without the model's further path."""
    owner, _, rest = model.partition("/")
    return path_of(f"{owner}/{rest.partition('/')[0]}") + f"/requests/{quote(task, safe='')}"


class QueueFlow:
    """Implements ports.media.Flow for pictures."""

    stops = True

    def __init__(self, model: str, body: bytes, *, inline: bool) -> None:
        self._model = model
        self._body = body
        self._urls: dict[str, str] = {}
        self._looking = False
        self._pictures = Fetching(MEDIA_HOSTS, inline=inline)

    def first(self) -> Ask:
        """See Flow."""
        return Ask(path_of(self._model), body=self._body)

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """See Flow."""
        if self._pictures.begun:
            return self._pictures.next(answer)
        value = read_object(answer.body)
        if not self._urls:
            self._urls = {name: text_at(value, f"{name}_url") for name in ("status", "response", "cancel")}
            self._looking = True
            return self._get("status", again=True)
        if self._looking:
            if text_at(value, "status") != "COMPLETED":
                return self._get("status", again=True)
            self._looking = False
            return self._get("response")
        self._urls["cancel"] = ""
        return self._pictures.start(_urls_of(value))

    def _get(self, name: str, *, again: bool = False) -> Ask:
        return Ask(method="GET", url=self._urls[name], hosts=HOSTS, again=again)

    def cancel(self) -> Ask | None:
        """See Flow."""
        url = self._urls.get("cancel")
        return Ask(method="PUT", url=url, hosts=HOSTS) if url else None


def _urls_of(value: dict[str, Any]) -> list[str]:
    """Most models answer with `images`, some with one `image`."""
    image = value.get("image")
    found: list[dict[str, Any]] = [image] if isinstance(image, dict) else objects_at(value, "images")
    return [text_at(each, "url") for each in found]
