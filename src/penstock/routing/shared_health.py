"""What a gateway tells others of its breakers, and what it makes of theirs.

What another has found is believed for as long as one first opening lasts, and then tried here; not at all where
this gateway has just had an answer, nor for a while where such a trial went well: the other's network may be
at fault, and must not close a target to everybody. Limits of a credential hold wherever it is used: they are
always believed. What was taken from others is never told on.
"""

from __future__ import annotations

from typing import Final

from penstock.core.health import CLOSED, OPEN, Breaker
from penstock.core.health_news import BreakerNews, Kind
from penstock.routing.standings import Standings

# An answer that is no older than this speaks against what another says.
FRESH_S: Final = 2.0
# How long one is not believed who was wrong of a target.
DOUBTED_S: Final = 60.0
MAX_ID: Final = 512
MAX_DOUBTS: Final = 1024
_COOLING: Final = "cooling down"
_Key = tuple[Kind, str]


class SharedHealth:
    """Kept by one gateway, whose name among the others is `me`."""

    def __init__(self, standings: Standings, me: str) -> None:
        self._standings = standings
        self._me = me
        # Openings that were told, and such as were taken from somebody: when they began, and from whom.
        self._told: dict[_Key, float] = {}
        self._taken: dict[_Key, tuple[float, str]] = {}
        self._doubts: dict[tuple[_Key, str], float] = {}

    def news(self, now: float) -> list[BreakerNews]:
        """What has changed since the last call."""
        found: list[BreakerNews] = []
        for standing in self._standings.all():
            self._look("target", standing.id, standing.breaker, now, found)
        for group in self._standings.groups():
            self._look("group", group.id, group.breaker, now, found)
        return found

    def again(self) -> None:
        """Tell everything anew: those who listen may have missed it."""
        self._told.clear()

    def hear(self, news: BreakerNews, now: float) -> None:
        """What another gateway tells."""
        if news.origin == self._me or len(news.id) > MAX_ID:
            return
        key: _Key = (news.kind, news.id)
        breaker = self._breaker(key)
        if breaker is None:
            return
        if not news.reason:
            taken = self._taken.get(key)
            if taken is not None and taken[1] == news.origin:
                del self._taken[key]
                if taken[0] == breaker.changed_at:
                    breaker.release(now)
            return
        if breaker.state != CLOSED or not breaker.rule.on or news.for_s <= 0.0:
            return
        cooling = news.reason.startswith(_COOLING)
        if not cooling and (self._answered(key, now) or self._doubted(key, news.origin, now)):
            return
        rule = breaker.rule
        most_s = rule.max_cooldown_s if cooling else rule.open_s
        breaker.adopt(now, min(news.for_s, most_s), news.reason)
        self._taken[key] = (breaker.changed_at, news.origin)

    # --- parts ------------------------------------------------------------------------------------------------

    def _look(self, kind: Kind, name: str, breaker: Breaker, now: float, found: list[BreakerNews]) -> None:
        key: _Key = (kind, name)
        if breaker.state == CLOSED:
            if self._told.pop(key, None) is not None:
                found.append(BreakerNews(kind, name, self._me))
            taken = self._taken.pop(key, None)
            if taken is not None:
                self._doubt(key, taken[1], now)  # it was tried here, and is well
            return
        taken = self._taken.get(key)
        if taken is not None and taken[0] == breaker.changed_at:
            return
        if taken is not None:
            del self._taken[key]  # its trial failed here, too
        if breaker.state == OPEN and self._told.get(key) != breaker.changed_at and breaker.until > now:
            self._told[key] = breaker.changed_at
            found.append(BreakerNews(kind, name, self._me, breaker.reason, breaker.until - now))

    def _breaker(self, key: _Key) -> Breaker | None:
        kind, name = key
        if kind == "target":
            return self._standings.of(name).breaker
        for group in self._standings.groups():
            if group.id == name:
                return group.breaker
        return None

    def _answered(self, key: _Key, now: float) -> bool:
        """Whether there was an answer here just now."""
        kind, name = key
        if kind == "target":
            return now - self._standings.of(name).answered_at < FRESH_S
        for group in self._standings.groups():
            if group.id == name:
                return any(now - each.answered_at < FRESH_S for each in group.members)
        return False

    def _doubt(self, key: _Key, origin: str, now: float) -> None:
        if len(self._doubts) >= MAX_DOUBTS:
            self._doubts.clear()
        self._doubts[(key, origin)] = now

    def _doubted(self, key: _Key, origin: str, now: float) -> bool:
        since = self._doubts.get((key, origin))
        return since is not None and now - since < DOUBTED_S
