"""What requests to media vendors have in common: extra fields, sizes, aspect ratios, query strings."""

from __future__ import annotations

from math import gcd
from typing import Any
from urllib.parse import urlencode

from penstock.core.losses import Losses
from penstock.core.media import ImageRequest, Size

# A vendor would call these addresses; where a client's words lead is not ours to open.
_CALLS_OUT = ("webhook", "callback")
# What is authorised and billed is the target's own model.
_OWNED = frozenset({"model", "model_id", "speech_model", "speech_models"})


def extras_of(extras: dict[str, Any], losses: Losses) -> dict[str, Any]:
    """The client's own fields for the vendor; none that choose a model or make the vendor call somebody."""
    kept: dict[str, Any] = {}
    for name, value in extras.items():
        if name.casefold().startswith(_CALLS_OUT) or name.casefold() in _OWNED:
            losses.drop(name)
        else:
            kept[name] = value
    return kept


def texts_of(extras: dict[str, Any], losses: Losses) -> dict[str, str]:
    """The same for a query or a form."""
    kept = extras_of(extras, losses).items()
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in kept}


def drop_picture_wishes(request: ImageRequest, losses: Losses, *names: str) -> None:
    """Note which of a request's wishes for its pictures the vendor has no word for."""
    for name in names:
        if getattr(request, name) is not None:
            losses.drop(name)


def ratio_of(size: Size) -> str:
    """The aspect ratio of a size, such as `16:9`."""
    width, height = size
    part = gcd(width, height)
    return f"{width // part}:{height // part}"


def nearest_ratio(size: Size, known: tuple[str, ...], losses: Losses) -> str:
    """The aspect ratio of a size, or the nearest that the vendor has; empty where the caller wants neither."""
    exact = ratio_of(size)
    if exact in known:
        return exact
    wanted = size[0] / size[1]

    def distance(name: str) -> float:
        width, _, height = name.partition(":")
        return abs(int(width) / int(height) / wanted - 1)

    return min(known, key=distance) if losses.map("size") else ""


def with_query(path: str, pairs: dict[str, str]) -> str:
    """A path with its query."""
    return f"{path}?{urlencode(pairs)}" if pairs else path
