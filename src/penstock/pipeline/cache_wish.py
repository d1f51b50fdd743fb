"""What a client says of the cache: the header `x-penstock-cache`."""

from __future__ import annotations

from penstock.core.errors import Refusal

HEADER = b"x-penstock-cache"
_KNOWN = "no-store, no-cache, max-age=SECONDS, ttl=SECONDS"
MAX_SECONDS = 10**9


class Wish:
    """`no_store`: neither look nor keep. `no_cache`: keep, and do not look.

    `max_age_s`: an answer may be so old at most. `ttl_s`: keep it no longer than that; the route's own time
    is the most.
    """

    __slots__ = ("max_age_s", "no_cache", "no_store", "ttl_s")

    def __init__(self) -> None:
        self.no_store = False
        self.no_cache = False
        self.max_age_s: int | None = None
        self.ttl_s: int | None = None


NONE = Wish()


def wish_of(headers: dict[bytes, bytes]) -> Wish:
    """Read the header. Raises Refusal."""
    text = headers.get(HEADER)
    if text is None:
        return NONE
    wish = Wish()
    for part in text.decode("latin-1").lower().split(","):
        name, equals, value = part.strip().partition("=")
        if name == "no-store" and not equals:
            wish.no_store = True
        elif name == "no-cache" and not equals:
            wish.no_cache = True
        elif name == "max-age":
            wish.max_age_s = _seconds(name, value)
        elif name == "ttl":
            wish.ttl_s = _seconds(name, value)
        elif name:
            raise Refusal("bad_cache_control", f"x-penstock-cache has no {name[:32]!r}; it takes {_KNOWN}")
    return wish


def _seconds(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        raise Refusal("bad_cache_control", f"x-penstock-cache: {name} takes whole seconds, as in {name}=60")
    return int(value)
