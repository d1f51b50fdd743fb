"""Processes that died on this machine: their journal says what became of what they held.

A gateway leaves a file that it keeps locked as long as it lives. The worker of the same machine looks for files
that nobody locks, and tells Redis what that process had spent in the end; the rest of its leases becomes free.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from penstock.adapters.redis.connection import RedisConnection
from penstock.adapters.redis.epochs import EPOCH, HOLDERS, counters_of, fence_of, keys
from penstock.adapters.redis.scripts import load

# What a dead process sent comes within this time, or not at all.
FENCE_S = 86_400
log = logging.getLogger("penstock.accounts")


class EpochChangedError(Exception):
    """Redis began anew meanwhile; try again."""


async def bury(connection: RedisConnection, holder: str, spent: Callable[[str], int | None]) -> int:
    """Settle all counters in which a dead process has a part; how many they were.

    Args:
        connection: is up.
        holder: the process's boot id.
        spent: by budget counter, nano-dollars that it spent in all, what it left open at its reservation; None
        where
            nobody knows, as of counters that are no budgets.

    Raises:
        RedisGoneError: the connection ended; burying is done again from the beginning.
        EpochChangedError: so is it here.
    """
    script = load()["bury"]
    await connection.ask("SCRIPT", "LOAD", script.text)
    await connection.ask("SET", fence_of(holder), "1", "EX", FENCE_S)
    counters = cast("set[bytes]", await connection.ask("SMEMBERS", counters_of(holder)))
    epoch = cast("bytes | None", await connection.ask("GET", EPOCH))
    names = [name.decode() for name in counters]
    told = ["" if (amount := spent(name)) is None else str(amount) for name in names]
    answers = await asyncio.gather(
        *(
            connection.ask("EVALSHA", script.sha, *keys(name, holder), epoch or "", holder, amount)
            for name, amount in zip(names, told, strict=True)
        )
    )
    if b"epoch" in answers:
        raise EpochChangedError(holder)
    await connection.ask("DEL", counters_of(holder))
    await connection.ask("ZREM", HOLDERS, holder)
    return len(names)
