"""Starting and stopping a simulator: in a running event loop, or as a process of its own."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

import uvloop

from penstock.simulator.connection import Connection
from penstock.simulator.desk import Desk, Settings
from penstock.simulator.inbox import Inbox
from penstock.simulator.script import Rule, Rules, Script

_BACKLOG = 4_096


class Simulator:
    """An upstream on a socket of this process.

    `async with Simulator() as simulator:` listens on a free port and closes every connection at the end.
    `certificate` is (certificate file, key file), PEM: with it the server speaks TLS. Raises OSError when the
    address cannot be had.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._desk = Desk(settings or Settings())
        self._desk.refuse_for = self._refuse_for
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._again: asyncio.TimerHandle | None = None
        self._listening: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before the start if none was chosen."""
        return self._port

    @property
    def url(self) -> str:
        """Its base URL without a path; SDKs want `/v1` behind it."""
        scheme = "http" if self._context is None else "https"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self._port}"

    @property
    def inbox(self) -> Inbox:
        """What it received."""
        return self._desk.inbox

    @property
    def script(self) -> Script:
        """The rules that change how it answers."""
        return self._desk.script

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def play(
        self, *behaviours: str, model: str | None = None, count: int | None = 1, rate: float = 1.0
    ) -> None:
        """Add a rule for each behaviour: the next request gets the first one, the one after it the second.

        Raises ValueError for a name that is not in the table.
        """
        rules = [Rule(behaviour=name, model=model, count=count, rate=rate) for name in behaviours]
        self.script.add(Rules(rules=rules))

    async def start(self) -> None:
        """Listen."""
        self._loop = asyncio.get_running_loop()
        await self._listen()

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._again is not None:
            self._again.cancel()
        if self._listening is not None:
            await self._listening
        self._close_listener()
        for connection in list(self._connections):
            connection.close()
        # One turn, so that transports have gone when this returns.
        await asyncio.sleep(0)

    async def refuse_connections(self) -> None:
        """Close the listening socket, so that connecting fails; open connections live on."""
        self._close_listener()
        await asyncio.sleep(0)

    async def accept_connections(self) -> None:
        """Listen again on the same port, after `refuse_connections`."""
        if self._server is None:
            await self._listen()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.setblocking(False)  # noqa: FBT003 - the flag is all there is
            self._server = await loop.create_server(
                lambda: Connection(self._desk, self._connections, loop),
                sock=listener,
                ssl=self._context,
                backlog=_BACKLOG,
            )
        except BaseException:
            listener.close()
            raise
        self._port = int(listener.getsockname()[1])

    def _close_listener(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _refuse_for(self, seconds: float) -> None:
        if self._loop is None:
            return
        self._close_listener()
        if self._again is not None:
            self._again.cancel()
        self._again = self._loop.call_later(seconds, self._listen_again)

    def _listen_again(self) -> None:
        if self._server is None and self._loop is not None:
            self._listening = self._loop.create_task(self.accept_connections())


def run(simulator: Simulator, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` gets the URL as soon as connections are accepted."""

    async def serve() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        async with simulator:
            # What is there now stays for good: the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
            ready(simulator.url)
            await stopped.wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
