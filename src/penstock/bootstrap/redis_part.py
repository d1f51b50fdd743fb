"""A gateway's part of the accounts that gateways of several machines share through Redis."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import random
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from penstock.adapters.files.posix import is_locked
from penstock.adapters.redis.accounts import RedisShares
from penstock.adapters.redis.address import RedisAddress
from penstock.adapters.redis.breakers import RedisBreakers
from penstock.adapters.redis.connection import RedisConnection
from penstock.adapters.redis.seeding import Words
from penstock.admission.accounts import Earlier
from penstock.admission.leased import leased_counters
from penstock.bootstrap.accounts import spent_of
from penstock.bootstrap.sharing import SpentBefore, away_of
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.core.allowance import CounterRule
from penstock.ledger.accounts_replay import Spending, replay, spending_of_boot
from penstock.ledger.accounts_replay import asked_at_s as asked_at_s_of
from penstock.ports.clock import Clock
from penstock.ports.ledger import RECENT_MS
from penstock.routing.shared_health import SharedHealth
from penstock.routing.standings import Standings

GOODBYE_S = 1.0
DATABASE = "database"
# See ports.ledger.RECENT_MS; five minutes less, for clocks that differ.
OLD_S = RECENT_MS / 1000 - 300
log = logging.getLogger("penstock.gateway")


class RedisPart:
    """Its leases, and the way to Redis. Raises RedisUrlError, SecretError, OSError."""

    def __init__(
        self, state: StateDir, boot: str, clock: Clock, settings: Document, tags: Callable[[], frozenset[str]]
    ) -> None:
        self._state = state
        self._boot = boot
        self._tags = tags
        self._clock = clock
        # As long as it is locked we live: nobody resolves what we hold by our journal.
        self._alive = os.open(state.alive(boot), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        self.connection = connection_for(settings, clock, boot)
        self._away = away_of(settings, 1.0)
        self._sources = sources_of(state, settings)
        self.shares = RedisShares(
            self.connection,
            clock,
            boot,
            word=new_word,
            sources=self._sources,
            earlier=self._spent,
            gateways=self._count,
        )
        self.counters = leased_counters(self.shares, clock, self._away)
        self._begun = False
        self._reading: asyncio.Future[tuple[Spending, float]] | None = None

    async def first(self, most_s: float) -> bool:
        """Connect, and wait at a start until Redis can be asked; whether it could in time."""
        self.connection.start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.shares.began.wait(), most_s)
        return self.shares.ready

    def earlier(self) -> Earlier:
        """What this gateway spent before the Plan in force, for the budgets that are new in it."""
        if not self._begun:
            self._begun = True
            return SpentBefore({})
        return SpentBefore(spending_of_boot(self._state.root, self._boot, is_locked, self._tags()))

    def shared_health(self, standings: Standings, me: str) -> HealthPart:
        """What breakers of other machines say, from now on."""
        return HealthPart(self.connection, self._clock, standings, me)

    async def close(self) -> None:
        """Give everything back; where Redis cannot be told, the worker tells it later, by the journal."""
        told = self.shares.end()
        await self.connection.close(GOODBYE_S)
        if told:
            self._state.alive(self._boot).unlink(missing_ok=True)
        os.close(self._alive)

    def _count(self, gateways: int) -> None:
        self._away.share = 1 / max(1, gateways)

    # --- what was spent before ------------------------------------------------------------------------------

    def _spent(self, counter: str, rule: CounterRule, then: Callable[[Words], None]) -> None:
        """See adapters.redis.seeding.Earlier; journals are read in a thread, once for all who ask."""
        del rule
        if self._reading is None or self._reading.done():
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(None, self._read)

        def read(done: asyncio.Future[tuple[Spending, float]]) -> None:
            error = done.exception()
            if error is not None:
                log.error("what was spent before cannot be read: %s", error)
                then(dict.fromkeys(self._sources))
            else:
                then(words_of(*done.result(), self._sources, counter))

        self._reading.add_done_callback(read)

    def _read(self) -> tuple[Spending, float]:
        asked_at_s = asked_at_s_of(self._state.root)
        return replay(self._state.root, is_locked, self._tags()), self._clock.now_ms() / 1000 - asked_at_s


class HealthPart:
    """Tells other gateways of breakers here, and believes theirs (routing.shared_health says how far)."""

    def __init__(self, connection: RedisConnection, clock: Clock, standings: Standings, me: str) -> None:
        shared = self._shared = SharedHealth(standings, me)
        self._line = RedisBreakers(
            connection, clock, lambda news: shared.hear(news, clock.monotonic()), shared.again
        )

    def tend(self, now: float) -> None:
        """Tell what has changed; several times a second."""
        if self._line.ready:
            for news in self._shared.news(now):
                self._line.tell(news)


def words_of(spending: Spending, age_s: float, sources: Sequence[str], counter: str) -> Words:
    """What a machine's ledgers say was spent of a budget counter, by process.

    A ledger of its own says all of it. Of one that machines share, whoever comes first tells what it has: sums
    of all machines, as the worker read them `age_s` ago. What that may lack, the last moments of each journal,
    the machine whose journal it is tells besides, by process, so that nothing counts twice. What was folded has
    no process any more: a reading of the ledger that is so old that others may have folded more is not told.
    """
    sums = {
        boot or f"before:{sources[0]}": spent_of(spending.of_boot(boot), counter) for boot in spending.boots()
    }
    sums = {boot: nanousd for boot, nanousd in sums.items() if nanousd > 0}
    if len(sources) == 1:
        return {sources[0]: sums}
    shared, machine = sources
    own = {boot: nanousd for boot, nanousd in sums.items() if boot in spending.own}
    return {machine: own, shared: sums if age_s < OLD_S else None}


def connection_for(settings: Document, clock: Clock, own: str) -> RedisConnection:
    """A connection as the document says, not started yet. Raises RedisUrlError, SecretError, OSError."""
    if settings.server.redis_url is None:
        raise RuntimeError("there is no server.redis_url")
    address = RedisAddress.parse(settings.server.redis_url.resolve(os.environ))
    tls = tls_of(settings) if address.tls else None
    name = settings.server.redis_tls.server_name or ""
    return RedisConnection(address, clock, random.random, name=f"penstock-{own}", tls=tls, server_name=name)


def tls_of(settings: Document) -> ssl.SSLContext:
    """Whom to trust and what to show. Raises OSError (ssl.SSLError is one)."""
    files = settings.server.redis_tls
    context = ssl.create_default_context(cafile=files.ca_file or settings.server.ca_file)
    chain = files.cert or files.key  # one file may have both
    if chain is not None:
        context.load_cert_chain(chain, files.key)
    return context


def sources_of(state: StateDir, settings: Document) -> tuple[str, ...]:
    """Who says what was spent before: this machine, and one database for all machines where there is one."""
    machine = source_name(state)
    return (machine,) if settings.server.database_url is None else (DATABASE, machine)


def source_name(state: StateDir) -> str:
    """A name that this state directory has had from the first time on. Raises OSError."""
    path = state.root / "machine.id"
    if not path.exists():
        made = path.with_suffix(f".{os.getpid()}")
        made.write_text(new_word())
        try:
            os.link(made, path)
        except FileExistsError:
            log.debug("another gateway named this machine meanwhile")
        finally:
            made.unlink()
    return Path(path).read_text("utf-8").strip()


def new_word() -> str:
    """A random word."""
    return os.urandom(8).hex()
