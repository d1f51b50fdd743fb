"""The real upstream client with room for one connection, two calls, and a network that fails at the n-th."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
from collections.abc import Callable

from penstock.adapters.http.client import HttpClient
from penstock.core.origin import Origin
from penstock.ports.transport import Call
from tests.fault.faults import Faults
from tests.fault.network import LoopTime, VirtualLoop
from tests.fault.peers import PROXY, UPSTREAM, ca_file, listen

REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
PIECES = [b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 4\r\n\r\n", b"be", b"at"]
CONNECT_S = 5.0
PATIENCE_S = 20.0
SWEEP_S = 0.1
ORIGINS: dict[str, Callable[[], Origin]] = {
    "http": lambda: Origin("http", "localhost", UPSTREAM),
    "https": lambda: Origin("https", "localhost", UPSTREAM, ca_file=ca_file()),
    "tunnel": lambda: Origin(
        "https", "localhost", UPSTREAM, ca_file=ca_file(), proxy=f"http://localhost:{PROXY}"
    ),
}


class Handler:
    """Hears one answer; each of its callbacks is an operation of `faults` and may raise."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.body = b""
        self.told: list[str] = []
        self.ends: list[str] = []
        self.cancelled = False

    def _hear(self, what: str) -> None:
        assert not self.ends, f"{what} after {self.ends}"
        assert not self.cancelled, f"{what} after cancel"
        self.told.append(what)

    def _strike(self) -> None:
        if self._faults.hit():
            raise RuntimeError("injected")

    def on_connected(self, *, reused: bool) -> None:
        """See ports.transport."""
        del reused
        self._hear("connected")
        self._strike()

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ports.transport."""
        del status, headers
        self._hear("head")
        self._strike()

    def on_data(self, data: bytes) -> None:
        """See ports.transport."""
        self._hear("data")
        self.body += data
        self._strike()

    def on_end(self) -> None:
        """See ports.transport."""
        self._hear("end")
        self.ends.append("end")
        self._strike()

    def on_failure(self, cause: str, detail: str) -> None:
        """See ports.transport."""
        del detail
        self._hear("failure")
        self.ends.append(cause)
        self._strike()

    @property
    def over(self) -> bool:
        """Whether nothing more may come."""
        return bool(self.ends) or self.cancelled


class Line:
    """See the module. `run` does it all and checks what must hold whatever was struck."""

    def __init__(self, scheme: str) -> None:
        self.loop = VirtualLoop()
        self.handlers = Faults()
        self.first, self.second = Handler(self.handlers), Handler(self.handlers)
        self._origin = ORIGINS[scheme]()
        self._http = HttpClient(LoopTime(self.loop), max_connections=1)
        self._calls: list[tuple[Call, Handler]] = []
        self._closing: asyncio.Task[None] | None = None
        listen(self.loop, PIECES, tls=scheme != "http")

    def send(self, handler: Handler) -> None:
        """One more call."""
        self._calls.append((self._http.send(self._origin, REQUEST, handler, CONNECT_S), handler))

    def cancel(self, number: int) -> None:
        """As an attempt whose client hangs up."""
        if number < len(self._calls):
            call, handler = self._calls[number]
            handler.cancelled = not handler.ends
            call.cancel()

    def close(self) -> None:
        """Close the client in the midst of it."""
        self._closing = self._closing or self.loop.create_task(self._http.close())

    async def _settle(self, handlers: list[Handler]) -> None:
        """Sweep as the gateway does until all is over; as an attempt does, give up what takes too long."""
        end = self.loop.time() + PATIENCE_S
        while not all(handler.over for handler in handlers):
            await asyncio.sleep(SWEEP_S)
            self._http.sweep(self.loop.time())
            if self.loop.time() > end:
                for number, (_, handler) in enumerate(self._calls):
                    if not handler.over:
                        self.cancel(number)
        await asyncio.sleep(SWEEP_S)

    async def _main(self) -> None:
        self.send(self.first)
        self.send(self.second)
        await self._settle([self.first, self.second])
        for faults in (self.loop.operations, self.loop.turns, self.handlers):
            faults.over = True
        if self._closing is None:
            self._check_pool()
            probe = Handler(Faults())
            self.send(probe)
            await self._settle([probe])
            assert probe.ends == ["end"], f"the pool is of no use any more: {probe.ends}"
        await (self._closing or self._http.close())
        await asyncio.sleep(SWEEP_S)
        assert self._http.connections() == 0
        assert self.loop.open_wires() == 0
        assert not self._http._tasks
        self._check_pool()

    def _check_pool(self) -> None:
        for pool in self._http._pools.values():
            assert not pool._waiting
            assert not pool._connecting
            assert pool.live == set(pool._idle)
        assert self._http.connections() == self.loop.open_wires()

    def run(self) -> None:
        """Everything, from the first call to the client's end."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._main())
        for handler in (self.first, self.second):
            assert len(handler.ends) + handler.cancelled == 1
            if handler.ends == ["end"]:
                assert handler.body == b"beat"
