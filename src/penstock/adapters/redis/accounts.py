"""ports.accounts.Shares over Redis: batches of turns, and what to do when it was away or has forgotten.

The counters' rules run in Redis (`scripts`); here is one process's side: what to say when, and to whom an
answer
goes. docs/adr/0022-redis-owns-counters.md has the protocol.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import cast

from penstock.adapters.redis.batches import Batches
from penstock.adapters.redis.connection import RedisConnection, RedisGoneError, ignored
from penstock.adapters.redis.counter import Said, SharedCounter, ttl_ms
from penstock.adapters.redis.epochs import HOLDERS, PREFIX, Epochs, Pace, keys
from penstock.adapters.redis.pressing import Pressing
from penstock.adapters.redis.remote_clock import RemoteClock
from penstock.adapters.redis.scripts import Script, load
from penstock.adapters.redis.seeding import Earlier, Seeding
from penstock.core.allowance import CounterRule
from penstock.ports.accounts import Holder
from penstock.ports.clock import Clock

ASKS_AGAIN_S = 0.25
NEVER = float("inf")
log = logging.getLogger("penstock.accounts")


class RedisShares:
    """One process's counters.

    `me` names the process (its boot id), `sources` its ledgers, whose word on what was spent before counts
    once.
    `word` makes random words; `gateways` is told now and then how many processes there are.
    """

    def __init__(
        self,
        connection: RedisConnection,
        clock: Clock,
        me: str,
        *,
        word: Callable[[], str],
        sources: Sequence[str] = (),
        earlier: Earlier | None = None,
        gateways: Callable[[int], None] = lambda _count: None,
        pace: Pace | None = None,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._me = me
        self._scripts: dict[str, Script] = load()
        self._seeding = Seeding(connection, clock, me, self._scripts["seed"], sources, earlier)
        self._remote = RemoteClock()
        self._counters: dict[str, SharedCounter] = {}
        # Those that were closed, until Redis knows.
        self._closing: dict[str, SharedCounter] = {}
        # Set once Redis could be asked for the first time.
        self.began = asyncio.Event()
        self._batches = Batches(clock, self._say)
        self._pressing = Pressing(clock, self._remote, self._batches.soon)
        connection.scripts.update({script.sha: script.text for script in self._scripts.values()})
        connection.subscribe(f"{PREFIX}to:{me}", self._heard)
        self._epochs = Epochs(connection, clock, me, self._scripts, self, word, pace or Pace())
        self._epochs.counted = gateways
        connection.watch(self._epochs.up, self._epochs.down)

    # --- ports.accounts.Shares ------------------------------------------------------------------------------

    def open(self, counter: str, rule: CounterRule, holder: Holder) -> None:
        """See ports.accounts."""
        known = self._counters.get(counter)
        if known is not None:
            known.rule, known.holder = rule, holder
            return
        made = self._closing.pop(counter, None)
        if made is None:
            made = SharedCounter(counter, rule, holder)
        else:
            made.reopen(rule, holder)
        self._counters[counter] = made
        if not self._epochs.settled:
            self._clock.call_soon(lambda: self._tell_away(made))
        self._batches.soon(made)

    def close(self, counter: str) -> None:
        """See ports.accounts."""
        gone = self._counters.pop(counter, None)
        if gone is None:
            return
        gone.closing, gone.wants = True, False
        self._pressing.stop(gone)
        if gone.asks_again is not None:
            gone.asks_again.cancel()
        self._closing[counter] = gone
        self._batches.soon(gone)

    def want(self, counter: str, least: int, most: int) -> None:
        """See ports.accounts."""
        found = self._counters.get(counter)
        if found is not None and not self._pressing.answers(found):
            self._pressing.stop(found)
            found.wants, found.least, found.most = True, least, most
            self._batches.soon(found)

    def used(self, counter: str, amount: int, at: float) -> None:
        """See ports.accounts."""
        found = self._counters.get(counter)
        if found is not None:
            found.use(amount, at)
            self._batches.later(found)

    def back(self, counter: str, amount: int) -> None:
        """See ports.accounts."""
        found = self._counters.get(counter)
        if found is not None:
            found.give(amount)
            self._batches.later(found)

    # --- batches --------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether grants are made: Redis is there, and knows what everybody holds."""
        return self._epochs.settled and self.stated()

    def stated(self) -> bool:
        """Whether Redis knows all that this process has."""
        return all(counter.introduced for counter in self._counters.values())

    def _say(self, counter: SharedCounter) -> None:
        """Send what is next to be said of a counter, if anything is, and if anybody is there to hear it."""
        buried = counter.closing and self._closing.get(counter.id) is not counter
        if buried or not self._epochs.current:
            return
        if not counter.introduced:
            if not counter.closing:
                self._introduce(counter, lost=False)
            else:
                self._bury(counter)
            return
        wants = counter.wants and self._epochs.settled
        if not (
            wants or counter.consumed or counter.back or counter.uses or counter.answered or counter.in_time
        ):
            if counter.closing:
                self._bury(counter)
                return
            if self._clock.monotonic() - counter.renewed_at < ttl_ms(counter.rule, 0) / 3000:
                return
        counter.in_time = False
        held_back, counter.wants = counter.wants, wants
        said = counter.turn(self._epochs.current, self._me, self._renewal(counter), self._remote)
        counter.wants = held_back
        self._send("turn", counter, said)

    def _renewal(self, counter: SharedCounter) -> int:
        now = self._clock.monotonic()
        ttl = ttl_ms(counter.rule, self._clock.now_ms())
        if now - counter.renewed_at < ttl / 3000:
            return 0
        counter.renewed_at = now
        return ttl

    def _introduce(self, counter: SharedCounter, *, lost: bool) -> None:
        source = self._seeding.sources if counter.rule.kind == "budget" else ""
        said = counter.introduction(
            self._epochs.current, self._me, source, self._clock.now_ms(), self._remote, lost=lost
        )
        counter.renewed_at = self._clock.monotonic()
        self._send("introduce", counter, said)

    def _send(self, name: str, counter: SharedCounter, said: Said) -> None:
        counter.said = said
        words = ("EVALSHA", self._scripts[name].sha, *keys(counter.id, self._me), *said.words)
        self._connection.call(words, lambda reply, sent_at: self._answered(counter, said, reply, sent_at))

    # --- answers ----------------------------------------------------------------------------------------------

    def _answered(self, counter: SharedCounter, said: Said, reply: object, sent_at: float) -> None:
        if counter.said is not said or isinstance(reply, RedisGoneError):
            return  # it is said again as it was, once the connection is there
        if not isinstance(reply, list):
            self._refused(reply)
            return
        answer = cast("list[bytes | int]", reply)
        word = answer[0]
        if word == b"epoch":
            self._epochs.up()
            return
        counter.said = None
        if said.introduces:
            self._introduced(counter, answer, sent_at)
        else:
            self._turned(counter, said, answer, sent_at)

    def _refused(self, reply: object) -> None:
        """It was not carried out: scripts are gone, or cannot run. A new connection loads them."""
        log.error("redis did not count: %s; connecting anew", reply)
        self._connection.abort()

    def _introduced(self, counter: SharedCounter, answer: list[bytes | int], sent_at: float) -> None:
        word, now_us, used, leased, told = cast("tuple[bytes, int, int, int, int]", tuple(answer))
        self._remote.sample(sent_at, now_us, self._clock.monotonic())
        if word == b"seed":
            epoch = self._epochs.current
            self._seeding.seed(
                counter,
                epoch,
                lambda: epoch == self._epochs.current and self._counters.get(counter.id) is counter,
                lambda: self._batches.soon(counter),
            )
            return
        counter.introduced = True
        if counter.fresh:
            counter.fresh = False
            counter.told += told - counter.stated
        self._known(counter, used, leased)
        self._welcome(counter)
        self._batches.soon(counter)

    def _turned(self, counter: SharedCounter, said: Said, answer: list[bytes | int], sent_at: float) -> None:
        row = cast("tuple[bytes, int, int, int, int, int, int, int, list[int]]", tuple(answer))
        word, granted, wait_us, recalled, now_us, used, leased, last, ahead = row
        self._remote.sample(sent_at, now_us, self._clock.monotonic())
        if word != b"ok":
            if word == b"reaped" and last != counter.seq:
                counter.unsaid(said)
            log.warning("redis knew this gateway's part of %s no more (%s)", counter.id, word.decode())
            counter.introduced = False
            self._introduce(counter, lost=word == b"unknown")
            return
        self._known(counter, used, leased)
        self._decided(counter, said, granted, wait_us)
        if said.wanted and counter.width_us:
            self._pressing.turned(counter, said, granted, wait_us, now_us, ahead)
        if recalled and not counter.recalled:
            self._recall(counter)
        if counter.closing or counter.in_time or counter.answered or (counter.wants and not said.wanted):
            self._batches.soon(counter)
        elif counter.consumed or counter.back:
            self._batches.later(counter)

    def _decided(self, counter: SharedCounter, said: Said, granted: int, wait_us: int) -> None:
        """What became of a want."""
        if granted >= 0:
            self._granted(counter, granted)
        elif said.wanted and counter.wants:
            if wait_us == -1:
                self._queue(counter)
                return
            counter.wants = False
            if not counter.pressing:  # else it did not ask just now
                counter.holder.denied(NEVER if wait_us == -2 else wait_us / 1_000_000)
        if said.wanted and not counter.wants:
            counter.pressing = False

    def _granted(self, counter: SharedCounter, granted: int) -> None:
        counter.recalled = False
        counter.held += granted
        if counter.wants:
            counter.wants = False
            counter.holder.granted(granted)
        elif granted:
            counter.give(granted)  # nobody wants it any more: it was asked for before Redis was away
            self._batches.soon(counter)

    def _queue(self, counter: SharedCounter) -> None:
        """It waits; ask again when it is told to, and now and then in case that was missed."""
        if counter.asks_again is not None:
            counter.asks_again.cancel()
        counter.asks_again = self._clock.call_later(ASKS_AGAIN_S, lambda: self._ask_again(counter))

    def _ask_again(self, counter: SharedCounter) -> None:
        counter.asks_again = None
        if counter.wants:
            self._batches.soon(counter)

    def _known(self, counter: SharedCounter, used: int, leased: int) -> None:
        if counter.rule.kind == "budget" and not counter.closing:
            counter.holder.known(used, leased)

    def _heard(self, message: bytes) -> None:
        """A script told this process something of a counter."""
        word, _, key = message.decode().partition(" ")
        counter = self._counters.get(key.removeprefix(f"{PREFIX}c:"))
        if counter is None:
            return
        if word == "recall":
            self._recall(counter)
        elif counter.wants:
            counter.in_time = counter.said is not None
            self._batches.soon(counter)

    def _recall(self, counter: SharedCounter) -> None:
        counter.recalled = counter.answered = True
        if not counter.closing:
            counter.holder.recalled()
        self._batches.soon(counter)

    # --- coming and going -----------------------------------------------------------------------------------

    def begun(self, told_us: int, sent_at: float, *, new: bool) -> None:
        """For Epochs: Redis can be asked. `new`: it may have forgotten what it knew, so all is said anew."""
        if new:
            self._remote.forget()
        self._remote.sample(sent_at, told_us, self._clock.monotonic())
        for counter in [*self._counters.values(), *self._closing.values()]:
            said = counter.said
            if new:
                counter.said = None
                counter.introduced = False
                if counter.closing:
                    self._bury(counter)
                else:
                    self._introduce(counter, lost=not counter.fresh)
            elif said is not None:
                self._send("introduce" if said.introduces else "turn", counter, said)
            else:
                self._batches.soon(counter)
        self.settled()

    def settled(self) -> None:
        """For Epochs: wants are granted again."""
        if self._epochs.settled:
            self.began.set()
            for counter in list(self._counters.values()):
                self._welcome(counter)
                if counter.wants:
                    self._batches.soon(counter)

    def unsettled(self) -> None:
        """For Epochs: nothing is granted for now."""
        for counter in list(self._counters.values()):
            self._tell_away(counter)

    def _tell_away(self, counter: SharedCounter) -> None:
        if self._epochs.settled:
            return
        counter.wants = False
        counter.recalled = False
        self._pressing.stop(counter)
        if not counter.away:
            counter.away = True
            counter.holder.away()

    def _welcome(self, counter: SharedCounter) -> None:
        if counter.away and counter.introduced and self._epochs.settled and not counter.closing:
            counter.away = False
            counter.holder.here()

    def _bury(self, counter: SharedCounter) -> None:
        """All is said of a counter that was closed: what is left of its lease goes back."""
        self._closing.pop(counter.id, None)
        counter.said = None
        told = counter.told if counter.rule.kind == "budget" and not counter.fresh else ""
        words = (
            "EVALSHA",
            self._scripts["bury"].sha,
            *keys(counter.id, self._me),
            self._epochs.current,
            self._me,
            told,
        )
        self._connection.call(words, ignored)

    def end(self) -> bool:
        """Give everything back, because this process ends; whether it can be said."""
        told = bool(self._epochs.current)
        for counter in list(self._counters.values()):
            self.close(counter.id)
        if self._epochs.current:
            for counter in list(self._closing.values()):
                if counter.said is None and counter.introduced:
                    self._say(counter)
                self._bury(counter)
            self._connection.call(("ZREM", HOLDERS, self._me), ignored)
        self.halt()
        return told

    def halt(self) -> None:
        """Say nothing more, and give nothing back: Redis finds out by itself."""
        self._epochs.end()
        self._pressing.end()
        self._counters.clear()
        self._closing.clear()
        self._batches.halt()
