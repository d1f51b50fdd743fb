"""Entries in Redis, for gateways on several machines: sealed, each with its own end.

What takes entries away is kept as well, and told to all: `penstock:answers:purges` has each purge with its
moment, and a message on the channel of the same name says that there is a new one. An entry that a purge takes
is not found any more, whoever put it there and whenever it arrives. A gateway that has lost the connection may
have missed such a message, and is not `fresh` until it has read them all anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import hiredis
import msgspec

from penstock.adapters.answers.sealed import open_entry, seal_entry
from penstock.adapters.redis.connection import RedisConnection, ignored
from penstock.core.kept import Kept, Purge
from penstock.ports.answers import AnswersTold
from penstock.ports.secrets import SecretBox, UnsealError

PREFIX = b"penstock:answers:"
PURGES = "penstock:answers:purges"
# No entry stays longer, so that purges need not either.
MOST_MS = 7 * 24 * 3_600_000
MAX_PURGES = 100_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Purge).decode


class RedisAnswers:
    """Implements ports.answers.Answers. `heard` is told of each purge, of others and of our own."""

    def __init__(
        self,
        connection: RedisConnection,
        box: SecretBox,
        now_ms: Callable[[], int],
        heard: Callable[[Purge], object],
    ) -> None:
        self.connection = connection
        self._box = box
        self._now_ms = now_ms
        self._heard = heard
        self._purges: dict[Purge, int] = {}
        self._errors = 0
        self.fresh = False
        self._strange = False
        connection.subscribe(PURGES, self._message)
        connection.watch(self._up, self._down)

    # --- entries ------------------------------------------------------------------------------------------

    def find(self, key: bytes, now_ms: int, then: Callable[[Kept | None], None]) -> None:
        """See Answers."""
        if not self.fresh:
            then(None)
            return

        def answered(reply: object, sent_at: float) -> None:
            del sent_at
            kept = None
            if isinstance(reply, bytes):
                kept = open_entry(self._box, key, reply)
            elif reply is not None:
                self._errors += 1
            then(kept if kept is not None and kept.ends_ms > now_ms and not self._taken(kept) else None)

        self.connection.call(("GET", PREFIX + key.hex().encode()), answered)

    def keep(self, kept: Kept, now_ms: int) -> None:
        """See Answers."""
        life_ms = min(kept.ends_ms - now_ms, MOST_MS)
        if life_ms <= 0 or not self.fresh:
            return
        try:
            sealed = seal_entry(self._box, kept)
        except UnsealError:
            self._errors += 1
            return
        self.connection.call(("SET", PREFIX + kept.key.hex().encode(), sealed, "PX", life_ms), ignored)

    def _taken(self, kept: Kept) -> bool:
        return any(purge.takes(kept) for purge in self._purges)

    # --- taking them away -----------------------------------------------------------------------------------

    def drop(self, purge: Purge, then: Callable[[int | None, str], None]) -> None:
        """See Answers."""
        text = _encode(purge)

        def noted(reply: object, sent_at: float) -> None:
            del sent_at
            if isinstance(reply, Exception):
                self._errors += 1
                then(None, f"Redis does not take it: {reply}")
                return
            self._take(purge)
            self.connection.publish(PURGES, text)
            then(None, "")

        self.connection.call(("ZADD", PURGES, purge.before_ms, text), noted)
        oldest_ms = self._now_ms() - MOST_MS
        self.connection.call(("ZREMRANGEBYSCORE", PURGES, "-inf", oldest_ms), ignored)

    def _take(self, purge: Purge) -> None:
        oldest_ms = self._now_ms() - MOST_MS
        if len(self._purges) >= MAX_PURGES:
            self._purges = {each: at for each, at in self._purges.items() if at > oldest_ms}
        if purge not in self._purges:
            self._purges[purge] = purge.before_ms
            self._heard(purge)

    def _message(self, text: bytes) -> None:
        try:
            self._take(_decode(text))
        except msgspec.MsgspecError:
            self._errors += 1
            self._strange, self.fresh = True, False  # what it takes is not known, so nothing is served

    def _up(self) -> None:
        self.connection.call(("ZRANGE", PURGES, 0, -1), self._read)

    def _down(self) -> None:
        self.fresh = False

    def _read(self, reply: object, sent_at: float) -> None:
        del sent_at
        if isinstance(reply, Exception | hiredis.ReplyError) or not isinstance(reply, list):
            self._errors += 1
            return
        self._strange = False
        for text in cast("list[bytes]", reply):
            self._message(text)
        self.fresh = not self._strange

    def close(self) -> None:
        """See Answers; the connection is not ours."""

    def told(self, then: Callable[[AnswersTold], None]) -> None:
        """See Answers."""
        then(AnswersTold("redis", errors=self._errors))
