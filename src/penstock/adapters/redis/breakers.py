"""Breakers' news between gateways on a Redis channel, and what is open now for those who come later.

Durations travel, no instants, so that clocks may differ; what is kept has an instant, since it is read at any
time. While Redis is away nothing is told, and each gateway goes by what it finds itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from penstock.adapters.redis.connection import RedisConnection, ignored
from penstock.adapters.redis.epochs import PREFIX
from penstock.core.health_news import BreakerNews
from penstock.ports.clock import Clock

CHANNEL = f"{PREFIX}breakers"
OPEN = f"{PREFIX}breakers:open"
KEPT_MS = 3_600_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(BreakerNews).decode
_decode_kept = msgspec.json.Decoder(tuple[int, BreakerNews]).decode


class RedisBreakers:
    """The way to other gateways.

    Args:
        connection: to Redis; it is not closed here.
        clock: Unix time for what is kept.
        heard: is called with each piece of news, one's own included.
        up: is called when the connection stands (again).
    """

    def __init__(
        self,
        connection: RedisConnection,
        clock: Clock,
        heard: Callable[[BreakerNews], None],
        up: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._heard = heard
        self._up = up
        connection.subscribe(CHANNEL, self._message)
        connection.watch(self._connected, lambda: None)

    @property
    def ready(self) -> bool:
        """Whether anybody can be told."""
        return self._connection.is_up

    def tell(self, news: BreakerNews) -> None:
        """Tell all others; lost while Redis is away."""
        connection = self._connection
        if not connection.is_up:
            return
        field = f"{news.kind}:{news.id}"
        connection.publish(CHANNEL, _encode(news))
        if news.reason:
            until_ms = self._clock.now_ms() + int(news.for_s * 1000)
            connection.call(("HSET", OPEN, field, _encode((until_ms, news))), ignored)
            connection.call(("PEXPIRE", OPEN, KEPT_MS), ignored)
        else:
            connection.call(("HDEL", OPEN, field), ignored)

    def _message(self, data: bytes) -> None:
        try:
            news = _decode(data)
        except msgspec.DecodeError:
            return  # of another version
        self._heard(news)

    def _connected(self) -> None:
        self._connection.call(("HGETALL", OPEN), self._found)
        self._up()

    def _found(self, reply: object, sent_at: float) -> None:
        del sent_at
        if not isinstance(reply, Mapping):
            return
        now_ms = self._clock.now_ms()
        for value in cast("Mapping[bytes, bytes]", reply).values():
            try:
                until_ms, news = _decode_kept(value)
            except msgspec.DecodeError:
                continue
            if until_ms > now_ms:
                left = msgspec.structs.replace(news, for_s=min(news.for_s, (until_ms - now_ms) / 1000))
                self._heard(left)
