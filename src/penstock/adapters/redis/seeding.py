"""What was spent of a budget before Redis knew of it: asked of this process's ledger, told to Redis once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from penstock.adapters.redis.connection import RedisConnection, ignored
from penstock.adapters.redis.counter import SharedCounter, ttl_ms
from penstock.adapters.redis.epochs import keys
from penstock.adapters.redis.scripts import Script
from penstock.core.allowance import CounterRule
from penstock.ports.clock import Clock

READS_AGAIN_S = 1.0
# Asks what was spent before of a budget counter, by process; answers by calling back, None where it cannot be
# known.
Earlier = Callable[[str, CounterRule, Callable[[Mapping[str, int] | None], None]], None]
log = logging.getLogger("penstock.accounts")


class Seeding:
    """`source` names the ledger that `earlier` asks; empty where there is none."""

    def __init__(
        self,
        connection: RedisConnection,
        clock: Clock,
        me: str,
        script: Script,
        source: str,
        earlier: Earlier | None,
    ) -> None:
        self.source = source if earlier is not None else ""
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

        def told(spent: Mapping[str, int] | None) -> None:
            if not valid():
                return
            if spent is None:
                log.error("what was spent of %s before cannot be read; it is asked for again", counter.id)
                self._clock.call_later(READS_AGAIN_S, soon)
                return
            words = [word for process, amount in spent.items() for word in (process, amount)]
            ttl = ttl_ms(counter.rule, self._clock.now_ms())
            command = (
                "EVALSHA",
                self._script.sha,
                *keys(counter.id, self._me),
                epoch,
                self.source,
                ttl,
                *words,
            )
            self._connection.call(command, ignored)
            soon()

        self._earlier(counter.id, counter.rule, told)
