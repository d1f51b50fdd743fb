"""In the worker: gateways of this machine that died are resolved in Redis by their journals."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

from penstock.adapters.clock import LoopClock
from penstock.adapters.files.posix import is_locked
from penstock.adapters.redis.connection import RedisConnection, RedisGoneError
from penstock.adapters.redis.departed import EpochChangedError, bury
from penstock.bootstrap.accounts import spent_of
from penstock.bootstrap.redis_part import connection_for
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.ledger.accounts_replay import spending_of_boot

LOOK_S = 0.1
log = logging.getLogger("penstock.worker")


class Burials(threading.Thread):
    """Looks for files that a gateway keeps locked as long as it lives, and that nobody locks any more."""

    def __init__(
        self,
        state: StateDir,
        settings: Document,
        tags: Callable[[], frozenset[str]],
        stop: threading.Event,
    ) -> None:
        super().__init__(name="burials", daemon=True)
        self._state = state
        self._settings = settings
        self._tags = tags
        self._ended = stop

    def run(self) -> None:
        """Until told to stop."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        connection = connection_for(self._settings, clock, "worker")
        connection.start()
        while not self._ended.is_set():
            if connection.is_up:
                for boot in self._dead():
                    await self._bury(connection, boot)
            await asyncio.sleep(LOOK_S)
        await connection.close()

    def _dead(self) -> list[str]:
        return [path.stem for path in self._state.run.glob("*.alive") if not is_locked(path)]

    async def _bury(self, connection: RedisConnection, boot: str) -> None:
        try:
            sums = spending_of_boot(self._state.root, boot, is_locked, self._tags())

            def spent(counter: str) -> int | None:
                return spent_of(sums, counter) if "|usd|" in counter else None

            counters = await bury(connection, boot, spent)
        except (RedisGoneError, EpochChangedError, OSError) as error:
            log.warning("gateway %s cannot be resolved yet, what it held stays held: %s", boot, error)
            return
        self._state.alive(boot).unlink(missing_ok=True)
        log.info("gateway %s is resolved by its journal in %d counters", boot, counters)
