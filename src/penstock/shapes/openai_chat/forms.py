"""What an object remembers of how it was written: extras of its own shape, and marks within them."""

from __future__ import annotations

from itertools import islice
from typing import Any

from penstock.core.parts import CacheHint, Extras
from penstock.shapes.taker import Taker

_TTL_S = {"5m": 300, "1h": 3600}
_TTL = {ttl_s: word for word, ttl_s in _TTL_S.items()}


def is_own(extras: Extras | None, shape: str) -> bool:
    """Whether these extras were written by a decoder of this shape."""
    return extras is not None and extras.shape == shape


def inserted(items: list[Any], unread: list[list[Any]]) -> list[Any]:
    """The list with the items that nobody read back at their positions."""
    if not unread:
        return items
    out: list[Any] = []
    rest = iter(items)
    for at, item in unread:
        out += islice(rest, max(0, at - len(out)))
        out.append(item)
    return [*out, *rest]


def fold(t: Taker, name: str, inner: Taker) -> None:
    """Keep what is left of a member that was read as an object."""
    if inner.rest:
        t.rest[name] = inner.rest


def take_cache(t: Taker, shape: str) -> CacheHint | None:
    """A `cache_control`, as OpenRouter and others take from Anthropic; see their docs on prompt caching."""
    value = t.rest.get("cache_control")
    if not isinstance(value, dict):
        return None
    hint: dict[str, Any] = t.rest.pop("cache_control")
    ttl = hint.get("ttl")
    return CacheHint(_TTL_S.get(ttl) if isinstance(ttl, str) else None, Extras(shape, hint))


def cache_control(hint: CacheHint, shape: str) -> dict[str, Any]:
    """The hint as an object."""
    if hint.extras is not None and hint.extras.shape == shape:
        said = hint.extras.fields
        ttl = said.get("ttl")
        if (_TTL_S.get(ttl) if isinstance(ttl, str) else None) == hint.ttl_s:
            return said
    out: dict[str, Any] = {"type": "ephemeral"}
    if hint.ttl_s is not None:
        out["ttl"] = _TTL.get(hint.ttl_s, "1h" if hint.ttl_s > _TTL_S["5m"] else "5m")
    return out
