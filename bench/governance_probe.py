"""What limits and budgets cost a request: `python -m bench.governance_probe memory|leased|redis WHERE`.

WHERE is the state directory of an owner of accounts, or the URL of a Redis.

Run by the environment that is measured, hot path compiled. Three levels (key, team, organisation), each with
a rate of requests and of tokens, a concurrency and a hard budget; eight requests in a turn of the event loop.
Prints the CPU time of this process per request in microseconds, an empty loop's taken off; with leases that
includes what is said to the owner or to Redis, which is a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from penstock.adapters.accounts.holder import AccountsSocket
from penstock.adapters.clock import LoopClock
from penstock.adapters.redis.accounts import RedisShares
from penstock.adapters.redis.address import RedisAddress
from penstock.adapters.redis.connection import RedisConnection
from penstock.admission.accounts import Accounts, Allowance
from penstock.admission.allowances import key_allowance
from penstock.admission.entry import enter, leave
from penstock.admission.holding import Needs, hold
from penstock.admission.leased import leased_counters
from penstock.admission.tending import Away
from penstock.bootstrap.state_dir import StateDir
from penstock.compile.plan import compile_plan
from penstock.config.load import load_text
from penstock.core.plan import Plan
from penstock.core.price_book import PriceBook
from penstock.core.usage import Usage
from penstock.ports.accounts import Shares

RULES = "limits: {rpm: 50000000, tpm: 2000000000, concurrency: 20000}, budget: {usd: 100000, window: month}"
CONFIG = f"""
version: 1
providers: {{up: {{kind: openai, base_url: "http://127.0.0.1:1/v1", api_key: sk}}}}
deployments: {{main: {{provider: up, model: m, price: {{input: 1, output: 1}}}}}}
orgs: {{acme: {{{RULES}, teams: {{research: {{{RULES}}}}}}}}}
routes: {{chat: {{policy: main}}}}
keys: [{{name: bench, secret: sk-bench, org: acme, team: research, {RULES}}}]
"""
IN_A_TURN = 8
TURNS = 6000
WARM_TURNS = 1000


def plan() -> Plan:
    """Three levels with everything on."""
    return compile_plan(
        load_text(CONFIG, {}),
        revision="",
        prices=PriceBook("none", {}),
        reveal=lambda secret: secret.resolve({}),
        urls={},
        now_ms=0,
    )


def govern(allowance: Allowance, clock: LoopClock) -> bool:
    """One request from its admission to its settlement; whether it was let through without waiting."""
    now, now_ms = clock.monotonic(), clock.now_ms()
    if enter(allowance, now, now_ms) is not None:
        return False
    holding = hold(allowance, None, Needs(100, 400, 500_000), now, now_ms)
    done = holding.blocked is None
    holding.settle(Usage(input_tokens=90, output_tokens=120, requests=1), 210_000, now_ms)
    leave(allowance, now, now_ms)
    return done


async def turns(count: int, allowance: Allowance | None, clock: LoopClock) -> tuple[float, int]:
    """CPU seconds of so many turns of the loop, and how many requests had to wait."""
    began, waited = time.process_time(), 0
    for _ in range(count):
        if allowance is not None:
            for _ in range(IN_A_TURN):
                waited += not govern(allowance, clock)
        await asyncio.sleep(0)
    return time.process_time() - began, waited


async def shares_of(mode: str, where: str, clock: LoopClock) -> tuple[Shares, Callable[[], object]]:
    """The way to whoever owns the counters, and what ends it."""
    name = f"bench{os.getpid():016d}"
    if mode == "leased":
        shares = AccountsSocket(StateDir(Path(where)).accounts, name, clock)
        shares.start()
        if not await shares.first(10):
            sys.exit("the owner of accounts does not answer")
        return shares, shares.hang_up
    connection = RedisConnection(RedisAddress.parse(where), clock, random.random, name=name)
    found = RedisShares(connection, clock, name, word=lambda: f"{random.getrandbits(64):x}")
    connection.start()
    try:
        await asyncio.wait_for(found.began.wait(), 20)
    except TimeoutError:
        sys.exit("redis does not answer")
    return found, found.end


async def main() -> None:
    """Measure one kind of counters."""
    mode, where = sys.argv[1:3]
    clock = LoopClock(asyncio.get_running_loop())
    end: Callable[[], object] = int
    if mode == "memory":
        accounts = Accounts(clock.call_soon)
    else:
        shares, end = await shares_of(mode, where, clock)
        accounts = Accounts(
            clock.call_soon, None, leased_counters(shares, clock, Away(fail_open=True, share=0.5))
        )
    compiled = plan()
    accounts.apply(compiled, clock.now_ms())
    allowance = key_allowance(accounts, compiled, next(iter(compiled.keys.values())), clock.now_ms())
    empty_s, _ = await turns(TURNS, None, clock)
    await turns(WARM_TURNS, allowance, clock)
    await asyncio.sleep(0.02)
    used_s, waited = await turns(TURNS, allowance, clock)
    requests = TURNS * IN_A_TURN
    print(json.dumps({"cpu_us": (used_s - empty_s) / requests * 1e6, "waited": waited / requests}))
    end()


if __name__ == "__main__":
    uvloop.run(main())
