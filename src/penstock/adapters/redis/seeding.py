"""What was spent of a budget before Redis knew of it: asked of this process's ledger, told to Redis once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from penstock.adapters.redis.connection import RedisConnection, ignored
from penstock.adapters.redis.counter import SharedCounter, ttl_ms
from penstock.adapters.redis.epochs import keys
from penstock.adapters.redis.scripts import Script
from penstock.core.allowance import CounterRule
from penstock.ports.clock import Clock

READS_AGAIN_S = 1.0
# What was spent before, by process; None where it cannot be known just now. By source.
Words = Mapping[str, Mapping[str, int] | None]
# Asks what was spent before of a budget counter; answers by calling back.
Earlier = Callable[[str, CounterRule, Callable[[Words], None]], None]
log = logging.getLogger("penstock.accounts")


class Seeding:
    """`sources` names the ledgers that `earlier` asks, this machine's last; empty where there is none."""

    def __init__(
        self,
        connection: RedisConnection,
        clock: Clock,
        me: str,
        script: Script,
        sources: Sequence[str],
        earlier: Earlier | None,
    ) -> None:
        self.sources = " ".join(sources) if earlier is not None else ""
        self._connection = connection
        self._clock = clock
        self._me = me
        self._script = script
        self._earlier = earlier

    def seed(
        self, counter: SharedCounter, epoch: str, valid: Callable[[], bool], soon: Callable[[], None]
    ) -> None:
        """Tell it in this epoch, if it is still `valid` once it is known; then `soon` goes on."""
        if self._earlier is None:
            return

        def told(words: Words) -> None:
            if not valid():
                return
            for source, spent in words.items():
                if spent is not None:
                    self._tell(counter, epoch, source, spent)
            if None in words.values():
                log.error("what was spent of %s before cannot be read yet; it is asked for again", counter.id)
                self._clock.call_later(READS_AGAIN_S, soon)
            else:
                soon()

        self._earlier(counter.id, counter.rule, told)

    def _tell(self, counter: SharedCounter, epoch: str, source: str, spent: Mapping[str, int]) -> None:
        sums = [word for process, amount in spent.items() for word in (process, amount)]
        ttl = ttl_ms(counter.rule, self._clock.now_ms())
        command = ("EVALSHA", self._script.sha, *keys(counter.id, self._me), epoch, source, ttl, *sums)
        self._connection.call(command, ignored)
