"""One connection to Redis or Valkey: commands and their answers in order, pushes between them, kept up.

What is called in one turn of the event loop goes out in one write. It speaks RESP3, so that messages of
channels come on the same connection as answers, in the order in which the server made them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections import deque
from collections.abc import Callable
from typing import cast

import hiredis

from penstock.adapters.redis.address import RedisAddress
from penstock.ports.clock import Clock

Word = str | bytes | int
# An answer, or why there is none, and the instant at which the command was sent.
Then = Callable[[object, float], None]
CONNECT_S = 5.0
BACKOFF_S = 0.05
MAX_BACKOFF_S = 1.0
log = logging.getLogger("penstock.redis")


# The library's own annotation says that a command has one word.
packed = cast("Callable[[tuple[Word, ...]], bytes]", getattr(hiredis, "pack_command"))  # noqa: B009 - see above


class RedisGoneError(ConnectionError):
    """The connection ended before the answer came: whether the command was carried out is not known."""


class RedisSetupError(Exception):
    """The server cannot be used as it is; the message says what to change."""


class _Wire(asyncio.Protocol):
    """The protocol of one TCP connection; a lost one is replaced by a new one."""

    def __init__(self, owner: RedisConnection) -> None:
        self.owner = owner
        self.reader = hiredis.Reader(notEnoughData=self)
        self.transport: asyncio.Transport | None = None
        self.waiting: deque[tuple[Then, float]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        reader = self.reader
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not self:
                if isinstance(answer, hiredis.PushNotification):
                    self.owner.pushed(cast("list[object]", answer))
                elif self.waiting:
                    then, sent_at = self.waiting.popleft()
                    self.owner.tell(then, answer, sent_at)
        except hiredis.HiredisError:
            log.exception("redis: what %s answers is not Redis' protocol", self.owner.address)
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        waiting, self.waiting = self.waiting, deque()
        gone = RedisGoneError(f"the connection to Redis ended: {exc or 'it was closed'}")
        for then, sent_at in waiting:
            self.owner.tell(then, gone, sent_at)
        self.owner.lost(self, exc)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class RedisConnection:
    """A connection that is kept up.

    `prepare` runs on each new connection before `up` is called: it may send commands and raises RedisSetupError
    where the server is not fit. `up` and `down` say whether calls can be made; a call while it is down fails.
    """

    def __init__(
        self,
        address: RedisAddress,
        clock: Clock,
        draw: Callable[[], float],
        *,
        name: str = "penstock",
        tls: ssl.SSLContext | None = None,
        server_name: str = "",
    ) -> None:
        self.address = address
        self.run_id = ""
        self.is_up = False
        self.scripts: dict[str, str] = {}
        self._clock = clock
        self._draw = draw
        self._name = name
        self._tls = tls
        self._server_name = server_name
        self._wire: _Wire | None = None
        self._batch: list[bytes] = []
        self._calls: list[Then] = []
        self._ups: list[Callable[[], None]] = []
        self._downs: list[Callable[[], None]] = []
        self._channels: dict[bytes, Callable[[bytes], None]] = {}
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._said = ""

    # --- its life -----------------------------------------------------------------------------------------

    def watch(self, up: Callable[[], None], down: Callable[[], None]) -> None:
        """Be told when it is up and when it is lost; in the order of these calls."""
        self._ups.append(up)
        self._downs.append(down)
        if self.is_up:
            up()

    def start(self) -> None:
        """Connect, and go on trying."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep())

    async def close(self, most_s: float = 1.0) -> None:
        """Send what is due, wait until it is answered for so long at most, and end it for good."""
        self._closing = True
        if self.is_up:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(self.ask("PING"), most_s)  # it is answered after all else
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.abort()

    def halt(self) -> None:
        """End it for good without another word."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
        self.abort()

    def abort(self) -> None:
        """Drop the connection and make a new one: it does not answer."""
        if self._wire is not None:
            self._wire.abort()

    async def _keep(self) -> None:
        failures = 0
        while not self._closing:
            wire = _Wire(self)
            try:
                async with asyncio.timeout(CONNECT_S):
                    await self._open(wire)
                    await self._greet(wire)
            except (OSError, TimeoutError, RedisSetupError) as error:
                wire.abort()
                self._wire = None
                self._say(f"cannot use Redis at {self.address}: {_reason(error)}")
            else:
                failures = 0
                self._say("")
                self._set_up()
                await self._lost.wait()
            wait_s = min(MAX_BACKOFF_S, BACKOFF_S * 2**failures)
            failures = min(failures + 1, 10)
            await asyncio.sleep(wait_s * (0.5 + self._draw() / 2))

    async def _open(self, wire: _Wire) -> None:
        loop = asyncio.get_running_loop()
        address = self.address
        self._lost.clear()
        if address.path:
            await loop.create_unix_connection(lambda: wire, address.path)
            return
        context = None
        if address.tls:
            context = self._tls or ssl.create_default_context()
        expected = (self._server_name or address.host) if context is not None else None
        await loop.create_connection(
            lambda: wire, address.host, address.port, ssl=context, server_hostname=expected
        )

    async def _greet(self, wire: _Wire) -> None:
        """Log in, look whether the server is fit, hand over the scripts, take up the channels."""
        address = self.address
        hello: list[Word] = ["HELLO", 3]
        if address.password:
            hello += ["AUTH", address.user or "default", address.password]
        await self._ask(wire, *hello, "SETNAME", self._name)
        if address.database:
            await self._ask(wire, "SELECT", address.database)
        self.run_id = fitness(_text(await self._ask(wire, "INFO")))
        for name in list(self.scripts):
            await self._ask(wire, "SCRIPT", "LOAD", self.scripts[name])
        if self._channels:
            self._write(wire, [packed(("SUBSCRIBE", *self._channels))])
        self._wire = wire

    async def _ask(self, wire: _Wire, *words: Word) -> object:
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def then(reply: object, sent_at: float) -> None:
            del sent_at
            if not answer.done():
                answer.set_result(reply)

        wire.waiting.append((then, self._clock.monotonic()))
        self._write(wire, [packed(words)])
        reply = await answer
        if isinstance(reply, hiredis.ReplyError):
            raise RedisSetupError(f"it answers {words[0]} with: {reply}{_advice(str(reply))}")
        if isinstance(reply, Exception):
            raise RedisSetupError(str(reply))
        return reply

    def _set_up(self) -> None:
        self.is_up = True
        for up in self._ups:
            up()

    def lost(self, wire: _Wire, error: Exception | None) -> None:
        """For the protocol: the connection has ended."""
        if wire is not self._wire:
            return
        self._wire = None
        self._lost.set()
        calls, self._calls = self._calls, []
        self._batch = []
        gone = RedisGoneError("the connection to Redis ended")
        for then in calls:
            self.tell(then, gone, self._clock.monotonic())
        if not self._closing:
            self._say(f"the connection to Redis at {self.address} was lost: {_reason(error)}")
        if self.is_up:
            self.is_up = False
            for down in self._downs:
                down()

    def _say(self, what: str) -> None:
        """Say it once, and once that it is over."""
        if what == self._said:
            return
        if what:
            log.warning("%s; trying on", what)
        else:
            log.info("redis at %s is there again", self.address)
        self._said = what

    # --- commands -------------------------------------------------------------------------------------------

    def call(self, words: tuple[Word, ...], then: Then) -> None:
        """Send a command with this turn's batch; `then` is told the answer, an error being one."""
        if not self.is_up:
            self._clock.call_soon(lambda: then(RedisGoneError("Redis is away"), self._clock.monotonic()))
            return
        if not self._batch:
            self._clock.call_soon(self._flush)
        self._batch.append(packed(words))
        self._calls.append(then)

    async def ask(self, *words: Word) -> object:
        """Send a command and wait for its answer. Raises RedisGoneError, hiredis.ReplyError."""
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def then(reply: object, sent_at: float) -> None:
            del sent_at
            if not answer.done():
                answer.set_result(reply)

        self.call(words, then)
        reply = await answer
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        calls, self._calls = self._calls, []
        wire = self._wire
        if not batch or wire is None:
            return
        now = self._clock.monotonic()
        wire.waiting.extend((then, now) for then in calls)
        self._write(wire, batch)

    @staticmethod
    def _write(wire: _Wire, pieces: list[bytes]) -> None:
        if wire.transport is not None and not wire.transport.is_closing():
            wire.transport.write(b"".join(pieces))

    def waits_since(self) -> float | None:
        """When the oldest command was sent that is not answered yet."""
        wire = self._wire
        return wire.waiting[0][1] if wire is not None and wire.waiting else None

    @staticmethod
    def tell(then: Then, reply: object, sent_at: float) -> None:
        """For the protocol: hand an answer over; a fault there must not cost the others theirs."""
        try:
            then(reply, sent_at)
        except Exception:
            log.exception("redis: an answer could not be taken")

    # --- channels ---------------------------------------------------------------------------------------------

    def subscribe(self, channel: str, heard: Callable[[bytes], None]) -> None:
        """Call `heard` with each message of a channel, on this and each later connection.

        Messages that are sent while the connection is down are missed: read anew what they tell of when it is
        up.
        """
        name = channel.encode()
        self._channels[name] = heard
        if self._wire is not None:
            self._write(self._wire, [packed(("SUBSCRIBE", name))])

    def publish(self, channel: str, text: str | bytes) -> None:
        """Send a message to all who listen now; lost where the connection is down."""
        if self.is_up:
            self.call(("PUBLISH", channel, text), ignored)

    def pushed(self, message: list[object]) -> None:
        """For the protocol: something came that is no answer."""
        if len(message) == 3 and message[0] == b"message":
            heard = self._channels.get(cast("bytes", message[1]))
            if heard is not None:
                try:
                    heard(cast("bytes", message[2]))
                except Exception:
                    log.exception("redis: a message could not be taken")


def ignored(reply: object, sent_at: float) -> None:
    """For calls whose answer changes nothing; an error is said."""
    del sent_at
    if isinstance(reply, hiredis.ReplyError):
        log.warning("redis: %s", reply)


def fitness(info: str) -> str:
    """The run id of a server that can own counters, from its INFO. Raises RedisSetupError."""
    lines = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    if lines.get("cluster_enabled") == "1":
        raise RedisSetupError(
            "it is a cluster; name a single primary, or the address that follows it on failover"
        )
    if lines.get("role", "master") != "master":
        raise RedisSetupError("it is a replica; name the primary, or the address that follows it on failover")
    run_id = lines.get("run_id", "")
    if not run_id:
        raise RedisSetupError("it does not tell its run id; allow this user INFO (ACL rule +info)")
    if lines.get("maxmemory_policy", "noeviction") != "noeviction":
        log.warning(
            "redis: maxmemory-policy is %s: counters may be evicted; set noeviction", lines["maxmemory_policy"]
        )
    return run_id


def _advice(said: str) -> str:
    if said.startswith(("WRONGPASS", "NOAUTH")):
        return "; check the user and password of server.redis_url"
    if said.startswith("NOPERM"):
        return "; give this user the rights that docs/scaling.md lists"
    if "unknown command" in said:
        return "; Redis 6.2, Valkey 7.2 or later is needed"
    return ""


def _reason(error: BaseException | None) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S:.0f} s"
    return str(error) if error is not None and str(error) else "it was closed"


def _text(reply: object) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
