"""A whole gateway on a VirtualLoop: server, pipeline, journal and upstream client are the real ones.

A client sends two requests ahead of their answers, on a key with one slot, through a pool with room for one
connection; afterwards another client's request shows that nothing is used up.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Literal, cast

from penstock.adapters.http.client import HttpClient
from penstock.adapters.memory.owned import MemoryOwned
from penstock.admission.accounts import Accounts
from penstock.core.exchange import AdmissionRefused, AttemptOpened, ExchangeSettled
from penstock.core.origin import Origin
from penstock.core.plan import Timeouts
from penstock.ledger.journal.settings import JournalSettings
from penstock.ledger.journal.writer import Journal
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.ports.http_server import HttpRequest, Reply
from penstock.server.limits import ServerLimits
from penstock.server.listener import HttpServer
from tests.fault.faults import Faults
from tests.fault.memory_files import MemoryDirectory
from tests.fault.network import LoopTime, SocketName, VirtualLoop
from tests.fault.peers import GATEWAY, UPSTREAM, Caller, ca_file, listen, server_context, tls_client
from tests.fault.world import EVENTS, WHOLE, body_for, held_of, key_for, plan_for

Scheme = Literal["http", "https"]
TIMEOUTS = Timeouts(connect_s=1, first_event_s=2, idle_s=2, total_s=8)
LIMITS = ServerLimits(head_timeout_s=3, body_idle_s=3, keep_alive_s=30, handshake_timeout_s=3)
SETTINGS = JournalSettings(segment_bytes=4_096, step_bytes=4_096, fsync="turn")
SWEEP_S = 0.1
QUIET_SWEEPS = 20
PATIENCE_SWEEPS = 1_200


class Door:
    """The gateway's handler, counted; before or after it has handled a request it may raise."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.faults = Faults()
        self.handled = 0

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        """See ports.http_server."""
        if self.faults.hit():
            raise RuntimeError("injected")
        self.handled += 1
        self._gateway.handle(request, reply)
        if self.faults.hit():
            raise RuntimeError("injected")

    def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
        """See ports.http_server."""
        if self.faults.hit():
            raise RuntimeError("injected")
        self._gateway.refuse(path, reply, status, code, message)


def answer(*, stream: bool) -> list[bytes]:
    """The upstream's answer in the pieces in which it sends it."""
    if not stream:
        body = b"".join(WHOLE)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        return [head, *WHOLE]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%b\r\n" % (len(event), event) for event in EVENTS), b"0\r\n\r\n"]


def asking(count: int, *, stream: bool) -> list[bytes]:
    """Requests, all but the last body's end in one piece."""
    body = body_for(stream=stream)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk\r\n"
    head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    text = (head + body) * count
    return [text[:-9], text[-9:]]


class House:
    """See the module. `run` does it all and checks what must hold whatever was struck."""

    def __init__(self, scheme: Scheme, *, stream: bool) -> None:
        self.loop = VirtualLoop()
        self._clock = LoopTime(self.loop)
        self._stream = stream
        self._context: ssl.SSLContext | None = server_context() if scheme == "https" else None
        listen(self.loop, answer(stream=stream), tls=scheme == "https")
        self.files = MemoryDirectory()
        self.io_errors: list[Exception] = []
        self.journal = Journal(
            self.files, self._clock, boot="b", on_error=self.io_errors.append, settings=SETTINGS
        )
        self._http = HttpClient(self._clock, max_connections=1)
        self._key = key_for()
        ca = ca_file() if scheme == "https" else ""
        self.context = GatewayContext(
            plan_for(self._key, 1, Origin(scheme, "localhost", UPSTREAM, ca_file=ca), TIMEOUTS),
            clock=self._clock,
            journal=self.journal,
            transport=self._http,
            accounts=Accounts(self._clock.call_soon, call_later=self._clock.call_later),
            owned=MemoryOwned(self._clock),
            draw=lambda: 0.5,
            bits=lambda bits: self.loop.turns.count % (1 << bits),
        )
        self.door = Door(Gateway(self.context))
        self.server = HttpServer(self.door, self._clock, LIMITS)
        self.caller = self._caller(2)
        self.cut_off = False
        self._faults = (self.loop.operations, self.loop.turns, self.door.faults, self.files.faults)

    def _caller(self, count: int) -> Caller:
        return Caller(self.loop, asking(count, stream=self._stream))

    def _dial(self, caller: Caller) -> None:
        self.loop.dial(GATEWAY, caller if self._context is None else tls_client(self.loop, caller))

    async def _sweep(self) -> None:
        await asyncio.sleep(SWEEP_S)
        now = self.loop.time()
        self.context.sweep(now)
        self._http.sweep(now)

    async def _quiet(self, caller: Caller) -> None:
        """Until the client is gone, or nothing has been under way for a while."""
        quiet, before = 0, b""
        while not caller.gone and quiet < QUIET_SWEEPS:
            await self._sweep()
            still = not self.context.exchanges and not self.context.attempts and caller.received == before
            quiet, before = quiet + 1 if still else 0, caller.received

    async def _leave(self, caller: Caller) -> None:
        """The client goes; the server must notice, be it by its own deadlines."""
        caller.hang_up()
        sweeps = 0
        while self._held():
            sweeps += 1
            assert sweeps < PATIENCE_SWEEPS, "something is held for ever"
            await self._sweep()

    def _held(self) -> bool:
        """Whether any socket but the pool's, or any exchange, is left."""
        sockets = self.loop.open_wires() - self._http.connections()
        return bool(sockets or self.server.connections or self.context.exchanges or self.context.attempts)

    async def _main(self) -> None:
        self.journal.start()
        await self.server.listen(cast("socket.socket", SocketName(GATEWAY)), self._context)
        self._dial(self.caller)
        await self._quiet(self.caller)
        self.cut_off = self.caller.gone
        await self._leave(self.caller)
        for faults in self._faults:
            faults.over = True
        self._check()
        if GATEWAY in self.loop.listeners:
            await self._probe()
        await self.server.drain(1.0)
        await self._http.close()
        self.journal.flush()
        self.journal.close()
        await asyncio.sleep(SWEEP_S)
        self._check_rows()
        assert self.loop.open_wires() == 0
        assert self.files.open == 0

    async def _probe(self) -> None:
        probe = self._caller(1)
        self._dial(probe)
        await self._quiet(probe)
        assert probe.received.startswith(b"HTTP/1.1 200 OK"), probe.received
        await self._leave(probe)
        self._check()

    def _check(self) -> None:
        assert held_of(self.context.accounts)[:2] == (0, 0)
        assert self._http.connections() == self.loop.open_wires()
        assert not self.journal.open_exchanges

    def _check_rows(self) -> None:
        """Each request that was handled has its row, or was refused because the journal had no room."""
        events = [record.event for record in self.files.records()]
        rows = [e.request.request_id for e in events if isinstance(e, ExchangeSettled | AdmissionRefused)]
        assert len(set(rows)) == len(rows)
        assert len(rows) + self.journal.stats.dropped == self.door.handled
        assert {e.request.request_id for e in events if isinstance(e, AttemptOpened)} <= set(rows)

    def run(self) -> None:
        """Everything, from the journal's start to its end."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._main())
