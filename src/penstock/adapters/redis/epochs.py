"""Whether Redis still knows what it knew, who else is there, and who is not any more.

An *epoch* is a time in which Redis cannot have lost anything: it ends when the server restarts, when another
one
takes over, when it is emptied. In a new epoch every process says what it has, and nothing is granted until
those
that were there before have done so, or have had their time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from penstock.adapters.redis.connection import RedisConnection, ignored
from penstock.adapters.redis.scripts import Script
from penstock.ports.clock import Clock, Timer

PREFIX = "penstock:"
EPOCH = f"{PREFIX}epoch"
HOLDERS = f"{PREFIX}holders"
log = logging.getLogger("penstock.accounts")


KEYS = 7


def keys(counter: str, holder: str) -> tuple[str | int, ...]:
    """The keys that a script on this counter and about this holder touches, after their number."""
    own = (f"{PREFIX}{kind}:{counter}" for kind in ("c", "l", "q", "w"))
    return (KEYS, EPOCH, *own, fence_of(holder), counters_of(holder))


def fence_of(holder: str) -> str:
    """The key that says that this holder is dead: what it sent and comes late must not count."""
    return f"{PREFIX}dead:{holder}"


def counters_of(holder: str) -> str:
    """The key of the set of counters in which a holder may have a part."""
    return f"{PREFIX}counters:{holder}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things are noticed, in seconds.

    `beat_s`: between signs of life; `lost_s`: without one, a holder counts as lost; `deaf_s`: without an
    answer, the
    connection does. A new epoch waits for `settles_s` at least, and for `gives_up_s` for those that do not
    come.
    """

    beat_s: float = 1.0
    lost_s: float = 6.0
    deaf_s: float = 3.0
    settles_s: float = 3.0
    gives_up_s: float = 10.0


class Process(Protocol):
    """Whose epochs these are."""

    def begun(self, told_us: int, sent_at: float, *, new: bool) -> None:
        """Redis can be asked."""
        ...

    def settled(self) -> None:
        """It grants again."""
        ...

    def unsettled(self) -> None:
        """It does not grant for now."""
        ...

    def stated(self) -> bool:
        """Whether Redis knows all that this process has."""
        ...


class Epochs:
    """`current` is empty while Redis cannot be asked; `settled`: what it says can be relied on."""

    def __init__(
        self,
        connection: RedisConnection,
        clock: Clock,
        me: str,
        scripts: dict[str, Script],
        process: Process,
        word: Callable[[], str],
        pace: Pace,
    ) -> None:
        self.current = ""
        self.settled = False
        # Told how many there are, with each beat.
        self.counted: Callable[[int], None] = lambda _count: None
        self._connection = connection
        self._clock = clock
        self._me = me
        self._scripts = scripts
        self._process = process
        self._word = word
        self._pace = pace
        self._last = ""
        self._began_at = 0.0
        # Who was there when Redis was last heard of, and who of them is missing in this epoch.
        self._members: set[str] = set()
        self._missing: set[str] = set()
        self._asking = False
        self._beats: Timer | None = None
        self._ended = False

    # --- epochs
    # ------------------------------------------------------------------------------------------------

    def up(self) -> None:
        """The connection is there, or a script said that the epoch is over: which one is it now?"""
        if self._asking:
            return
        self._asking = True
        words = ("EVALSHA", self._scripts["epoch"].sha, 1, EPOCH, self._connection.run_id, self._word())
        self._connection.call(words, self._learned)

    def down(self) -> None:
        """The connection is lost."""
        self.current = ""
        self._asking = False
        self._unsettle()
        if self._beats is not None:
            self._beats.cancel()

    def end(self) -> None:
        """No more beats."""
        self._ended = True
        if self._beats is not None:
            self._beats.cancel()

    def _learned(self, reply: object, sent_at: float) -> None:
        self._asking = False
        if not isinstance(reply, list):
            if self._connection.is_up:
                log.error("redis cannot keep counters: %s", reply)
                self._connection.abort()
            return
        epoch, now_us = cast("tuple[bytes, int]", tuple(cast("list[object]", reply)))
        self.current = epoch.decode()
        new = self.current != self._last
        age_s = (now_us - int(self.current.rsplit(":", 1)[1])) / 1_000_000
        if new:
            if self._last:
                log.warning("redis begins anew; limits hold on what each gateway has until all have said that")
            self._last = self.current
            self._missing = self._members - {self._me}
            self._began_at = self._clock.monotonic() - age_s
            self._unsettle()
        self.settled = not self._waits()
        self._process.begun(now_us, sent_at, new=new)
        self._next_beat(0.0)

    def _unsettle(self) -> None:
        if self.settled:
            self.settled = False
            self._process.unsettled()

    def _waits(self) -> bool:
        """Whether somebody may still have a part that this epoch does not know of."""
        age_s = self._clock.monotonic() - self._began_at
        if age_s < self._pace.settles_s:
            return True
        return bool(self._missing) and age_s < self._pace.gives_up_s

    # --- signs of life
    # -------------------------------------------------------------------------------------------

    def _next_beat(self, after_s: float) -> None:
        if self._beats is not None:
            self._beats.cancel()
        if not self._ended:
            self._beats = self._clock.call_later(after_s, self._beat)

    def _beat(self) -> None:
        if not self.current:
            return
        since = self._connection.waits_since()
        if since is not None and self._clock.monotonic() - since > self._pace.deaf_s:
            self._connection.abort()
            return
        # Who has not said all that it has is not there yet, for the others.
        if self._process.stated():
            lost_us = int(self._pace.lost_s * 1_000_000)
            words = ("EVALSHA", self._scripts["beat"].sha, 2, EPOCH, HOLDERS, self.current, self._me, lost_us)
            self._connection.call(words, self._beaten)
            wait_s = self._pace.beat_s
        else:
            wait_s = min(0.02, self._pace.beat_s)
        if not self.settled:
            wait_s = min(wait_s, max(0.02, self._began_at + self._pace.settles_s - self._clock.monotonic()))
        self._next_beat(wait_s)

    def _beaten(self, reply: object, sent_at: float) -> None:
        del sent_at
        if not isinstance(reply, list):
            return
        word, _, alive, lost = cast(
            "tuple[bytes, int, list[bytes], list[bytes]]", tuple(cast("list[object]", reply))
        )
        if word != b"ok":
            self.up()
            return
        self._members = {each.decode() for each in alive}
        self.counted(len(self._members))
        self._missing -= self._members
        for each in lost:
            self._reap(each.decode())
        if not self.settled and self.current and not self._waits():
            if self._missing:
                log.warning("%d gateways have not come back since redis began anew", len(self._missing))
                self._missing = set()
            self.settled = True
            self._process.settled()

    def _reap(self, holder: str) -> None:
        """Somebody is lost: take its slots and rates; all who are there do so, and the first one does it."""

        def found(reply: object, sent_at: float) -> None:
            del sent_at
            if not isinstance(reply, (list, set)):
                return
            for counter in cast("set[bytes]", reply):
                words = (
                    "EVALSHA",
                    self._scripts["reap"].sha,
                    *keys(counter.decode(), holder),
                    self.current,
                    holder,
                )
                self._connection.call(words, ignored)
            self._connection.call(("ZREM", HOLDERS, holder), ignored)

        log.warning("gateway %s is not heard of any more; its places are free", holder)
        self._connection.call(("SMEMBERS", counters_of(holder)), found)
