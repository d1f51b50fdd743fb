"""One gateway process: snapshot to Plan, journal, upstream client, listening socket.

Run as `python -m penstock.bootstrap.gateway`. It imports nothing that a request does not need.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import signal
import socket
import sys
from pathlib import Path
from typing import Protocol

import msgspec
import uvloop

from penstock.adapters.clock import LoopClock
from penstock.adapters.credentials.feed import CredentialFeed
from penstock.adapters.files.posix import PosixDirectory, is_locked
from penstock.adapters.files.scores import PublishedScores
from penstock.adapters.http.client import HttpClient
from penstock.adapters.oracle.line import OracleLine
from penstock.adapters.oracle.meaning import MeaningLine
from penstock.adapters.sqlite.owned_thread import OwnedFile, OwnedThread
from penstock.admission.accounts import Accounts
from penstock.bootstrap import lifeline
from penstock.bootstrap.answers import caches_for
from penstock.bootstrap.door import Door
from penstock.bootstrap.lifeline import ADMIN_FD
from penstock.bootstrap.listening import Listeners
from penstock.bootstrap.plan_source import RESPONSES, LazyBox, PlanSource, budgeted_tags
from penstock.bootstrap.sharing import Part
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.target_log import TargetLog
from penstock.bootstrap.warming import warm
from penstock.config.document import Document, Drain
from penstock.core.ids import boot_id
from penstock.core.plan import Plan
from penstock.ledger.accounts_replay import replay
from penstock.ledger.journal.settings import JournalSettings
from penstock.ledger.journal.writer import Journal
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.probing import Prober
from penstock.ports.oracle import Oracle
from penstock.ports.scores import Scores
from penstock.ports.secrets import UnsealError
from penstock.routing.asked import questions_of
from penstock.routing.standings import Standings
from penstock.server.places import VARIABLE, Places

SWEEP_S = 0.1
RELOAD_POLL_S = 0.25
SAY_AGAIN_S = 10.0
# How long a start waits for credentials; without them it serves what does not need them.
FIRST_CREDENTIALS_S = 2.0
# How long it waits for the owner of accounts, and for what it knows of the Plan's budgets.
FIRST_OWNER_S = 2.0
# How long a model may take to be read, when nobody waits for it yet.
FIRST_MODEL_S = 60.0
# Longer than a new epoch of Redis takes (adapters.redis.epochs).
FIRST_REDIS_S = 12.0
log = logging.getLogger("penstock.gateway")


class Tended(Protocol):
    """What is looked after several times a second."""

    def tend(self, now: float) -> None:
        """`now` is monotonic."""
        ...


class SharedPart(Protocol):
    """This process's part of accounts that it shares with others."""

    def shared_health(self, standings: Standings, me: str) -> Tended | None:
        """What is told of targets between gateways, None where nothing is."""
        ...

    async def close(self) -> None:
        """Give it back."""
        ...


class MissingRecords:
    """Says how many records a full journal has cost so far: the count of `drop_and_count`."""

    def __init__(self, journal: Journal, clock: LoopClock) -> None:
        self._journal = journal
        self._clock = clock
        self._said = 0
        self._due = float("-inf")

    def say_if_due(self) -> None:
        """At once where it begins, then every few seconds while it grows."""
        if self._clock.monotonic() >= self._due:
            self.say()

    def say(self) -> None:
        """Say it where it has grown."""
        dropped = self._journal.stats.dropped
        if dropped > self._said:
            self._said = dropped
            self._due = self._clock.monotonic() + SAY_AGAIN_S
            log.error("the journal is full: %d records could not be recorded so far", dropped)


class GatewayProcess:
    """Composes and runs one gateway until a signal or the supervisor's end."""

    def __init__(
        self,
        state: StateDir,
        sock: socket.socket,
        places: Places | None = None,
        admin_sock: socket.socket | None = None,
    ) -> None:
        """`places`: there are other gateways beside it, so that accounts are shared.

        `admin_sock` listens for the control plane's paths; without it they are served on `sock`.
        """
        self._state = state
        self._sock = sock
        self._places = places
        self._admin_sock = admin_sock
        self._part: SharedPart | None = None
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until told to stop, then drain."""
        loop = asyncio.get_running_loop()
        clock = LoopClock(loop)
        source = PlanSource(self._state, os.environ)
        plan = await first_plan(source, clock)
        settings = source.settings
        boot = boot_id(clock.now_ms(), os.urandom(8))
        journal = Journal(
            PosixDirectory(self._state.journal),
            clock,
            boot=boot,
            on_error=lambda error: log.error("journal: %s", error),
            settings=journal_settings(settings),
        )
        journal.start()
        accounts = await self._accounts(boot, clock, source)
        transport = HttpClient(clock)
        owned = owned_ids(self._state, loop)
        ctx = GatewayContext(
            plan,
            clock=clock,
            journal=journal,
            transport=transport,
            accounts=accounts,
            owned=owned,
            draw=random.random,
            bits=random.getrandbits,
            box=LazyBox(self._state.root, os.environ, "videos", source.keys),
            scores=PublishedScores(self._state.scores, clock.now_ms),
            caches=caches_for(settings, self._state, clock, self._part),
        )
        feed = CredentialFeed(self._state.credentials, ctx.credentials)
        await feed.first(outside_sources(plan), FIRST_CREDENTIALS_S)
        line = await self._oracle(ctx, clock)
        listeners = Listeners(ctx, clock, self._state, settings, self._sock, self._admin_sock, self._places)
        self._watch(loop)
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)
        await listeners.listen()
        door = Door(ctx, clock, self._state.door(boot))
        await door.open()
        self._acknowledge(boot, plan.revision)
        warm(transport, plan)
        missing = MissingRecords(journal, clock)
        await self._serve(clock, ctx, transport, source, boot, missing, feed, line)
        feed.close()
        line.close()
        await self._drain(ctx, listeners, settings.server.drain)
        await door.close()
        await transport.close()
        for each in (owned, ctx.caches):
            each.close()
        journal.flush()
        journal.close()
        if self._part is not None:
            await self._part.close()
        missing.say()
        self._state.ack(boot).unlink(missing_ok=True)

    async def _oracle(self, ctx: GatewayContext, clock: LoopClock) -> OracleLine:
        """The line to the inference process; it may not be there yet."""
        line = OracleLine(self._state.inference, clock, lambda: rouse(line, ctx.plan))
        ctx.outside.oracle = line
        ctx.caches.semantic = MeaningLine(line, clock)
        await line.tend(wanted=self._state.inference_wanted.exists())
        return line

    async def _drain(self, ctx: GatewayContext, listeners: Listeners, drain: Drain) -> None:
        ctx.drills.end_all("the gateway ended")
        if self._places is not None:
            # The supervisor starts the next one at once, instead of after our last answer.
            self._state.draining(self._places.mine).write_text(str(os.getpid()))
        cut = await listeners.drain(drain)
        if cut:
            log.warning("drain: %d answers were cut off after %.0f s", cut, drain.deadline_s)

    async def _accounts(self, boot: str, clock: LoopClock, source: PlanSource) -> Accounts:
        """The counters of this process: in its own memory, or leased where it is one of several."""

        def tags() -> frozenset[str]:
            return budgeted_tags(source.settings)

        settings = source.settings
        if settings.server.redis_url is not None:
            from penstock.bootstrap.redis_part import RedisPart  # noqa: PLC0415 - one machine needs no Redis

            shared = self._part = RedisPart(self._state, boot, clock, settings, tags)
            if not await shared.first(FIRST_REDIS_S):
                log.warning("Redis cannot be asked yet; limits and budgets wait for it")
            return Accounts(clock.call_soon, shared.earlier, shared.counters, clock.call_later)
        if self._places is None:
            return Accounts(
                clock.call_soon,
                lambda: replay(self._state.root, is_locked, tags()),
                call_later=clock.call_later,
            )
        part = self._part = Part(self._state, boot, clock, settings, tags)
        part.socket.start()
        if not await part.socket.first(FIRST_OWNER_S):
            log.warning("the owner of accounts does not answer; limits and budgets wait for it")
        return Accounts(clock.call_soon, part.earlier, part.counters, clock.call_later)

    async def _serve(
        self,
        clock: LoopClock,
        ctx: GatewayContext,
        transport: HttpClient,
        source: PlanSource,
        boot: str,
        missing: MissingRecords,
        feed: CredentialFeed,
        line: OracleLine,
    ) -> None:
        looked_at = 0.0
        prober, targets = Prober(ctx), TargetLog(ctx.standings)
        health = self._part.shared_health(ctx.standings, boot) if self._part is not None else None
        while not self._stop.is_set():
            now = clock.monotonic()
            ctx.sweep(now)
            transport.sweep(now)
            prober.tend(now)
            targets.say_if_due(now)
            if health is not None:
                health.tend(now)
            if now - looked_at >= RELOAD_POLL_S:
                looked_at = now
                await open_keys(source)
                self._reload(clock, ctx, transport, source, boot)
                look_at(ctx.scores)
                missing.say_if_due()
                await feed.tend(outside_sources(ctx.plan))
                await line.tend(wanted=self._state.inference_wanted.exists())
            try:
                await asyncio.wait_for(self._stop.wait(), SWEEP_S)
            except TimeoutError:
                continue

    def _reload(
        self, clock: LoopClock, ctx: GatewayContext, transport: HttpClient, source: PlanSource, boot: str
    ) -> None:
        try:
            plan = source.load_if_changed(clock.now_ms())
            if plan is not None:
                ctx.swap(plan)
                self._acknowledge(boot, plan.revision)
                log.info("serving revision %s", plan.revision)
                if ctx.outside.oracle is not None:
                    rouse(ctx.outside.oracle, plan)
                warm(transport, plan)
        except Exception:
            log.exception("reload failed; the revision in force goes on")

    def _acknowledge(self, boot: str, revision: str) -> None:
        path = self._state.ack(boot)
        text = msgspec.json.encode({"pid": os.getpid(), "revision": revision})
        try:
            temporary = path.with_suffix(".new")
            temporary.write_bytes(text)
            temporary.rename(path)
        except OSError as error:  # a full disk must not stop traffic
            log.warning("cannot say which revision is served: %s", error)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        descriptor = lifeline.inherited()
        if descriptor is not None:
            loop.add_reader(descriptor, self._stop.set)


async def first_plan(source: PlanSource, clock: LoopClock) -> Plan:
    """What to begin with. Raises as `PlanSource.load`."""
    await open_keys(source)
    return source.load(clock.now_ms())


async def open_keys(source: PlanSource) -> None:
    """Open the data keys beside the loop where a key store on the network has to be asked for them."""
    if source.keys.due:
        try:
            await asyncio.to_thread(source.keys.prepare)
        except UnsealError as error:
            log.warning("data keys cannot be opened, those that are open go on: %s", error)


def look_at(scores: Scores) -> None:
    """Take over what the worker has published; without it what was known fades."""
    try:
        if isinstance(scores, PublishedScores):
            scores.look()
    except OSError as error:
        log.warning("live scores cannot be read: %s", error)


def outside_sources(plan: Plan) -> set[str]:
    """The credentials that come from the credentials process."""
    return {signing.source for signing in plan.signings() if signing.source}


def rouse(oracle: Oracle, plan: Plan) -> None:
    """Have models that routes name read from their files before the first request wants one."""
    for question in {each for route in plan.routes.values() for each in questions_of(route.policy)}:
        oracle.ask(question, lambda: None, FIRST_MODEL_S)


def owned_ids(state: StateDir, loop: asyncio.AbstractEventLoop) -> OwnedThread:
    """The ids that clients were handed, in a file that all gateways of this machine share."""

    def open_file() -> OwnedFile:
        from penstock.adapters.sqlite.owned import SqliteOwned  # noqa: PLC0415 - in the thread, once it is needed

        return SqliteOwned(state.owned, LazyBox(state.root, os.environ, RESPONSES))

    owned = OwnedThread(
        open_file,
        loop.call_soon_threadsafe,
        LoopClock(loop).now_ms,
        lambda error: log.error("owned ids: %s", error),
    )
    if state.owned.exists():
        owned.start()  # what has expired is deleted although nobody asks
    return owned


def journal_settings(document: Document) -> JournalSettings:
    """How the document wants the journal to be kept."""
    journal = document.journal
    return JournalSettings(
        segment_bytes=journal.segment_bytes,
        max_bytes=journal.max_bytes or 0,
        on_full=journal.on_journal_full,
        fsync=journal.fsync,
    )


def main() -> int:
    """Entry point of the process; the sockets are inherited from the supervisor."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    sock = socket.socket(fileno=int(os.environ["PENSTOCK_LISTEN_FD"]))
    sock.setblocking(False)  # noqa: FBT003 - the name says it
    given = os.environ.get(ADMIN_FD)
    admin_sock = socket.socket(fileno=int(given)) if given else None
    if admin_sock is not None:
        admin_sock.setblocking(False)  # noqa: FBT003 - as above

    text = os.environ.get(VARIABLE)

    async def run() -> None:
        await GatewayProcess(state, sock, Places.inherited(text) if text else None, admin_sock).run()

    uvloop.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
