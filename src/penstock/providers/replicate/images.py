"""Replicate's predictions: create with `Prefer: wait`, then get until it has ended; cancel by POST.

https://replicate.com/docs/topics/predictions/create-a-prediction (official models by name, others by version;
the wait is at most 60 s), https://sdks.replicate.com/resources/predictions/models/prediction (get, cancel),
https://replicate.com/docs/reference/http (statuses; files are at replicate.delivery and its subdomains, for an
hour). Each model has an input of its own; of OpenAI's fields the ones that most image models know are sent.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from penstock.core.errors import ShapeError
from penstock.core.media import ImageRequest
from penstock.ports.media import Answered, Ask, Done, Failed
from penstock.ports.translation import Addressee
from penstock.providers.media.asking import drop_picture_wishes, extras_of, nearest_ratio
from penstock.providers.media.flows import Fetching
from penstock.providers.media.json import encode, loose_text, read_object, text_at

_HOSTS = ("replicate.delivery", "*.replicate.delivery")
# https://replicate.com/black-forest-labs/flux-schnell/api: FLUX has aspect ratios where others have a size.
_FLUX = "black-forest-labs/"
_FLUX_RATIOS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_FORMATS = {"png": "png", "jpeg": "jpg", "webp": "webp"}
# Held open longer, a client that hangs up would leave a prediction of which no id is known yet.
_WAIT = (("prefer", "wait=5"),)


class ReplicateImages:
    """Implements ports.media.ImageApi; models differ in how they take a number, so they are asked again."""

    most = 1

    def flow(self, request: ImageRequest, to: Addressee) -> PredictionFlow:
        """See ImageApi."""
        wish: dict[str, Any] = {"prompt": request.prompt}
        if request.size is not None:
            if to.model.startswith(_FLUX):
                if ratio := nearest_ratio(request.size, _FLUX_RATIOS, to.losses):
                    wish["aspect_ratio"] = ratio
            else:
                wish["width"], wish["height"] = request.size
        if request.file_format in _FORMATS:
            wish["output_format"] = _FORMATS[request.file_format]
        elif request.file_format is not None:
            to.losses.drop("output_format")
        drop_picture_wishes(request, to.losses, "quality", "style", "background")
        wish = {**extras_of(request.extras, to.losses), **wish}
        name, _, version = to.model.partition(":")
        body: dict[str, Any] = {"input": wish}
        path = f"/models/{quote(name, safe='/')}/predictions"
        if version:
            path, body["version"] = "/predictions", version
        return PredictionFlow(path, encode(body), inline=request.inline)


class PredictionFlow:
    """Implements ports.media.Flow."""

    stops = True

    def __init__(self, path: str, body: bytes, *, inline: bool) -> None:
        self._path = path
        self._body = body
        self._id = ""
        self._ended = False
        self._pictures = Fetching(_HOSTS, inline=inline)

    def first(self) -> Ask:
        """See Flow."""
        return Ask(self._path, body=self._body, headers=_WAIT)

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """See Flow."""
        if self._pictures.begun:
            return self._pictures.next(answer)
        value = read_object(answer.body)
        self._id = self._id or text_at(value, "id")
        status = text_at(value, "status")
        if status in ("starting", "processing"):
            return Ask(f"/predictions/{quote(self._id, safe='')}", "GET", again=True)
        self._ended = True
        if status == "succeeded":
            return self._pictures.start(_urls_of(value.get("output")))
        return Failed(loose_text(value.get("error")) or f"the prediction ended as {status!r}", status)

    def cancel(self) -> Ask | None:
        """See Flow."""
        if not self._id or self._ended:
            return None
        return Ask(f"/predictions/{quote(self._id, safe='')}/cancel")


def _urls_of(output: object) -> list[str]:
    if isinstance(output, str):
        return [output]
    if isinstance(output, list):
        found = cast("list[Any]", output)
        if all(isinstance(each, str) for each in found):
            return cast("list[str]", found)
    raise ShapeError("output", "the address of a picture, or a list of them")
