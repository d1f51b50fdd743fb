"""What a vendor's answer says about how much more it will take, so that a target is left before it refuses.

The header families are those of OpenAI (also Groq, Azure, xAI and many compatible servers), Anthropic, Cerebras
and the plain `x-ratelimit-remaining` of others. Vendors refill continuously: `reset` is when the whole limit
is there again (OpenAI and Anthropic, "Rate limits"), so the next request fits long before that, and what is
left is kept as a bucket that fills at that pace.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

# (what is left, the limit, when it is full again, whether the unit is tokens).
Family = tuple[bytes, bytes, bytes, bool]


def _families() -> list[Family]:
    found: list[Family] = []
    for what in (b"requests", b"tokens", b"requests-day", b"tokens-minute"):
        pre = b"x-ratelimit-"
        found.append(
            (pre + b"remaining-" + what, pre + b"limit-" + what, pre + b"reset-" + what, b"tok" in what)
        )
    for what in (b"requests", b"tokens", b"input-tokens", b"output-tokens"):
        pre = b"anthropic-ratelimit-" + what
        found.append((pre + b"-remaining", pre + b"-limit", pre + b"-reset", b"tok" in what))
    found.append((b"x-ratelimit-remaining", b"x-ratelimit-limit", b"x-ratelimit-reset", False))
    return found


FAMILIES: Final[list[Family]] = _families()
_DURATION: Final = re.compile(rb"(\d+(?:\.\d+)?)(ms|us|s|m|h|d)")
_WHOLE: Final = re.compile(rb"(?:\d+(?:\.\d+)?(?:ms|us|s|m|h|d))+")
_UNITS: Final = {b"us": 1e-6, b"ms": 1e-3, b"s": 1.0, b"m": 60.0, b"h": 3600.0, b"d": 86400.0}
# Above this a number is no span of seconds but an instant: seconds, or milliseconds, since 1970.
_EPOCH_S: Final = 1e9
_EPOCH_MS: Final = 1e12
# A reset further off tells of a daily limit; what is far from used up need not be kept.
MAX_RESET_S: Final = 90_000.0
_PLENTY: Final = 0.2
REMEMBERED: Final = 128


def reset_s(text: bytes, now_ms: int) -> float | None:
    """Seconds until a reset: `1s`, `6m0s`, `17ms`, `2m59.56s`, `30`, an RFC 3339 instant or one since 1970.

    None for anything else.
    """
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
    try:
        number = float(text)
    except ValueError:
        return _instant_s(text, now_ms)
    if number != number or number < 0.0:  # noqa: PLR0124 - NaN
        return None
    if number >= _EPOCH_MS:
        number = (number - now_ms) / 1000.0
    elif number >= _EPOCH_S:
        number -= now_ms / 1000.0
    return max(0.0, number)


def _instant_s(text: bytes, now_ms: int) -> float | None:
    try:
        at = datetime.fromisoformat(text.decode("ascii"))
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, at.timestamp() - now_ms / 1000.0)


class Bucket:
    """What is left of one limit, as last told, refilling since."""

    __slots__ = ("at", "left", "limit", "per_s", "tokens")

    def __init__(self, left: float, limit: float, per_s: float, at: float, *, tokens: bool) -> None:
        self.left = left
        self.limit = limit
        self.per_s = per_s
        self.at = at
        self.tokens = tokens

    def now_left(self, now: float) -> float:
        """What is left by now."""
        return min(self.limit, self.left + (now - self.at) * self.per_s)


class Headroom:
    """The limits of one target, as its answers tell them. Cheap while they are far from used up."""

    __slots__ = ("_begins", "_buckets", "_next", "_per_request")

    def __init__(self) -> None:
        self._buckets: dict[bytes, Bucket] = {}
        self._per_request = 0.0
        # When the last requests went out, as a ring: vendors count a request when it arrives.
        self._begins: list[float] = [0.0] * REMEMBERED
        self._next = 0

    @property
    def watched(self) -> bool:
        """Whether any limit is near."""
        return bool(self._buckets)

    def began(self, now: float) -> None:
        """A request goes out that no answer has told of yet."""
        self._begins[self._next] = now
        self._next = (self._next + 1) % REMEMBERED
        for bucket in self._buckets.values():
            bucket.left -= self._per_request if bucket.tokens else 1.0

    def heard(self, headers: dict[bytes, bytes], now: float, now_ms: int, began_at: float) -> None:
        """The headers of an answer to a request that was sent at `began_at`."""
        for remaining, limit, reset, tokens in FAMILIES:
            text = headers.get(remaining)
            if text is not None:
                self._note(
                    remaining, text, headers.get(limit), headers.get(reset), now, now_ms, began_at, tokens
                )

    def _since(self, began_at: float) -> int:
        """How many requests went out after the one that was sent at `began_at`."""
        count = 0
        while count < REMEMBERED and self._begins[(self._next - 1 - count) % REMEMBERED] > began_at:
            count += 1
        return count

    def _note(
        self,
        name: bytes,
        remaining: bytes,
        limit: bytes | None,
        reset: bytes | None,
        now: float,
        now_ms: int,
        began_at: float,
        tokens: bool,
    ) -> None:
        try:
            left = float(remaining)
            most = float(limit) if limit is not None else 0.0
        except ValueError:
            return
        if left < 0.0 or reset is None or left > max(_PLENTY * most, REMEMBERED):
            self._buckets.pop(name, None)  # -1 where nothing is limited (Azure)
            return
        span_s = reset_s(reset, now_ms)
        if span_s is None or span_s > MAX_RESET_S:
            return
        most = max(most, left + 1.0)
        per_s = (most - left) / max(span_s, 0.001)
        since = self._since(began_at)
        left -= self._per_request * since if tokens else since
        self._buckets[name] = Bucket(left, most, per_s, now, tokens=tokens)

    def used(self, tokens: int) -> None:
        """An answer took so many tokens: the next one is taken for alike."""
        known = self._per_request
        self._per_request = 0.9 * known + 0.1 * tokens if known else float(tokens)

    def short(self, now: float) -> bool:
        """Whether the next request would be refused."""
        for name in list(self._buckets):
            bucket = self._buckets[name]
            left = bucket.now_left(now)
            if left >= bucket.limit:
                del self._buckets[name]
            elif left < (max(1.0, min(self._per_request, bucket.limit)) if bucket.tokens else 1.0):
                return True
        return False

    def until_s(self, now: float) -> float:
        """Seconds until the next request fits; 0 where it does."""
        wait_s = 0.0
        for bucket in self._buckets.values():
            need = max(1.0, min(self._per_request, bucket.limit)) if bucket.tokens else 1.0
            missing = need - bucket.now_left(now)
            if missing > 0.0:
                wait_s = max(wait_s, missing / bucket.per_s)
        return wait_s

    def told(self, now: float) -> dict[str, float]:
        """What is left of the limits that are near, by header."""
        return {
            name.decode(): round(max(0.0, bucket.now_left(now)), 1) for name, bucket in self._buckets.items()
        }
