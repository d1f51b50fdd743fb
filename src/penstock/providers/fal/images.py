"""Pictures by fal: `image_size`, `num_images` up to 4, `output_format`; https://fal.ai/models/fal-ai/flux/dev/api."""

from __future__ import annotations

from typing import Any

from penstock.core.media import ImageRequest
from penstock.ports.translation import Addressee
from penstock.providers.fal.queue import QueueFlow
from penstock.providers.media.asking import drop_picture_wishes, extras_of
from penstock.providers.media.json import encode

_FORMATS = {"png": "png", "jpeg": "jpeg"}


class FalImages:
    """Implements ports.media.ImageApi."""

    most = 4

    def flow(self, request: ImageRequest, to: Addressee) -> QueueFlow:
        """See ImageApi."""
        body: dict[str, Any] = {"prompt": request.prompt}
        if request.count > 1:
            body["num_images"] = request.count
        if request.size is not None:
            body["image_size"] = {"width": request.size[0], "height": request.size[1]}
        if request.file_format in _FORMATS:
            body["output_format"] = _FORMATS[request.file_format]
        elif request.file_format is not None:
            to.losses.drop("output_format")
        drop_picture_wishes(request, to.losses, "quality", "style", "background")
        body = {**extras_of(request.extras, to.losses), **body}
        return QueueFlow(to.model, encode(body), inline=request.inline)
