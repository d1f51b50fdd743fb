"""Black Forest Labs' image API: send in, look at `polling_url` until it is `Ready`, take `result.sample`.

https://docs.bfl.ml/quick_start/generating_images.md (paths are model names, `x-key`, the polling URL must be
used as given), https://docs.bfl.ml/api-reference/utility/get-result.md, https://docs.bfl.ml/api_integration/errors.md
(statuses), https://docs.bfl.ai/api_integration/integration_guidelines (pictures are at `delivery.*.bfl.ai`, for
ten minutes). A task cannot be called off.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from penstock.core.media import ImageRequest
from penstock.ports.media import Answered, Ask, Done, Failed
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import drop_picture_wishes, extras_of, ratio_of
from penstock.providers.media.flows import Fetching
from penstock.providers.media.json import encode, object_at, read_object, text_at

# The polling URL leads to the region that took the task.
_HOSTS = ("*.bfl.ai",)
_BY_RATIO = ("ultra", "kontext")
_MODERATED = ("Request Moderated", "Content Moderated")
_FORMATS = {"png": "png", "jpeg": "jpeg"}


class BflImages:
    """Implements ports.media.ImageApi."""

    most = 1

    def flow(self, request: ImageRequest, to: Addressee) -> BflFlow:
        """See ImageApi."""
        body: dict[str, Any] = {"prompt": request.prompt}
        if request.size is not None:
            if any(word in to.model for word in _BY_RATIO):
                body["aspect_ratio"] = ratio_of(request.size)
            else:
                body["width"], body["height"] = request.size
        if request.file_format in _FORMATS:
            body["output_format"] = _FORMATS[request.file_format]
        elif request.file_format is not None:
            to.losses.drop("output_format")
        drop_picture_wishes(request, to.losses, "quality", "style", "background")
        body = {**extras_of(request.extras, to.losses), **body}
        return BflFlow(f"/{quote(to.model, safe='')}", encode(body), inline=request.inline)


class BflFlow:
    """Implements ports.media.Flow."""

    stops = False

    def __init__(self, path: str, body: bytes, *, inline: bool) -> None:
        self._path = path
        self._body = body
        self._polling_url = ""
        self._pictures = Fetching(_HOSTS, inline=inline)

    def first(self) -> Ask:
        """See Flow."""
        return Ask(self._path, body=self._body)

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """See Flow."""
        if self._pictures.begun:
            return self._pictures.next(answer)
        value = read_object(answer.body)
        if not self._polling_url:
            self._polling_url = text_at(value, "polling_url")
            return self._look()
        status = text_at(value, "status")
        if status == "Ready":
            return self._pictures.start([text_at(object_at(value, "result"), "sample")])
        if status == "Pending":
            return self._look()
        if status in _MODERATED:
            return Failed(f"{status}: the vendor's moderation stopped it", "moderated", 400)
        return Failed(f"the task ended as {status!r}")

    def _look(self) -> Ask:
        return Ask(method="GET", url=self._polling_url, hosts=_HOSTS, again=True)

    def cancel(self) -> Ask | None:
        """See Flow."""
        return None
