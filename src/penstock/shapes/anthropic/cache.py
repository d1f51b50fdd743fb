"""`cache_control`: up to where the prompt is to be cached, and for how long.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.parts import CacheHint, Extras
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.taker import Taker, extras_of

_SECONDS = {"5m": 300, "1h": 3600}


def read_cache(taker: Taker) -> CacheHint | None:
    """The hint, taken out of the object; one that says something unknown stays where it is."""
    value = taker.rest.get("cache_control")
    if not isinstance(value, dict):
        return None
    rest = dict(cast("dict[str, Any]", value))
    if rest.pop("type", None) != "ephemeral":
        return None
    ttl = rest.get("ttl")
    seconds = _SECONDS.get(ttl) if isinstance(ttl, str) else None
    if seconds is not None:
        del rest["ttl"]
    del taker.rest["cache_control"]
    return CacheHint(seconds, Extras(SHAPE, rest) if rest else None)


def write_cache(into: dict[str, Any], hint: CacheHint | None) -> dict[str, Any]:
    """Add the hint, if there is one; another time than the two that there are becomes the next longer one."""
    if hint is not None:
        value = extras_of(hint.extras, SHAPE)
        value["type"] = "ephemeral"
        if hint.ttl_s is not None:
            value["ttl"] = "5m" if hint.ttl_s <= 300 else "1h"
        into["cache_control"] = value
    return into
