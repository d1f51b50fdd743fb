"""An event loop in virtual time whose sockets are in memory, so that the n-th operation can be made to fail.

The product's own code runs on it unchanged, TLS included; what is doubled is the loop that it is given. Its
`operations` are those of sockets that the product opened or accepted: each connect, each write, each delivery
of bytes that arrived. Its `turns` are all callbacks and timers that run.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any, Literal, Self, cast

from penstock.ports.clock import Timer
from tests.fault.faults import Faults

Kind = Literal["break", "stall", "eof", "half"]
KINDS: tuple[Kind, ...] = ("break", "stall", "eof", "half")
_EOF = b""


class DeadlockError(Exception):
    """Everybody waits and no timer runs: whoever waits would wait for ever."""


class _NoSelector(selectors.SelectSelector):
    """Where a selector would sleep, time is moved on; no socket is ever ready."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        super().__init__()
        self._sleep = sleep

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError
        self._sleep(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module. `kind` says how an operation fails that `operations` strikes."""

    def __init__(self) -> None:
        self._virtual_s = 1_000.0
        super().__init__(_NoSelector(self.leap))
        self.operations = Faults()
        self.turns = Faults()
        self.kind: Kind = "break"
        self.listeners: dict[int, Callable[[], asyncio.Protocol]] = {}
        self.wires: list[Wire] = []
        self.errors: list[BaseException] = []
        self.set_exception_handler(self._heard)

    def _heard(self, _: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        self.errors.append(context.get("exception") or RuntimeError(context["message"]))

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual_s

    def leap(self, seconds: float) -> None:
        """Let time pass at once."""
        self._virtual_s += seconds

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Count it when it runs."""
        return super().call_soon(self._turn, callback, args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Count it when it runs."""
        return super().call_at(when, self._turn, callback, args, context=context)

    def _turn(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.turns.hit()
        callback(*args)

    # --- sockets ----------------------------------------------------------------------------------------

    async def create_connection(self, protocol_factory: Any, *args: Any, **_: Any) -> Any:
        """A connection of the product to the listener on the port `args[1]`."""
        await asyncio.sleep(0)
        listener = self.listeners[args[1]]
        struck = self.operations.hit()
        if struck and self.kind == "stall":
            await self.create_future()
        if struck and self.kind != "eof":
            raise ConnectionRefusedError("injected") if self.kind == "break" else OSError(24, "injected")
        protocol = protocol_factory()
        transport = self._connect(protocol, listener(), dialled=True)
        waiter = self.create_future()
        self.call_soon(lambda: waiter.done() or waiter.set_result(None))
        if struck:
            cast("Wire", transport.peer).close()
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return transport, protocol

    async def create_server(self, protocol_factory: Any, *_: Any, **options: Any) -> Any:
        """The product listens on the socket `sock`."""
        port = cast("socket.socket", options["sock"]).getsockname()[1]
        self.listeners[port] = protocol_factory
        return _Listening(self, port)

    def dial(self, port: int, protocol: asyncio.Protocol) -> Wire:
        """A connection of somebody else to the product; its end that is the product's is watched."""
        return self._connect(protocol, self.listeners[port](), dialled=False)

    def _connect(self, near: asyncio.Protocol, far: asyncio.Protocol, *, dialled: bool) -> Wire:
        here, there = Wire(self, near, watched=dialled), Wire(self, far, watched=not dialled)
        here.peer, there.peer = there, here
        for one in (there, here):
            self.call_soon(one.protocol.connection_made, one)
        self.wires += [here, there]
        return here

    def open_wires(self) -> int:
        """The product's sockets that are open."""
        return sum(1 for wire in self.wires if wire.watched and not wire.lost)


class _Listening:
    def __init__(self, loop: VirtualLoop, port: int) -> None:
        self._loop, self._port = loop, port

    def close(self) -> None:
        """Stop."""
        self._loop.listeners.pop(self._port, None)


class SocketName:
    """As much of a bound socket as `VirtualLoop.create_server` asks for."""

    def __init__(self, port: int) -> None:
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        """Its address."""
        return "127.0.0.1", self._port

    def dup(self) -> Self:
        """Another name of the same socket."""
        return self

    def accept(self) -> tuple[object, object]:
        """Nobody waits: in a virtual network connections are accepted as they come. Raises BlockingIOError."""
        raise BlockingIOError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Wire(asyncio.Transport):
    """One end of a connection, as asyncio's transports behave: callbacks come in turns of their own."""

    def __init__(self, loop: VirtualLoop, protocol: asyncio.Protocol, *, watched: bool) -> None:
        super().__init__()
        self._loop = loop
        self.protocol = protocol
        self.watched = watched
        self.peer: Wire | None = None
        self.lost = False
        self._arrived: deque[bytes] = deque()
        self._closing = self._ended = self._paused = self._stalled = False

    # --- what the protocol calls ------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Bytes for the other end; uvloop is stricter than asyncio about whom it belongs to."""
        if self._ended or self.lost:
            raise RuntimeError("write() after write_eof() or connection_lost()")
        if self._closing or self._stalled or not data:
            return
        if self._strikes():
            if self._loop.kind == "half":
                self._send(bytes(data)[: len(data) // 2])
            if self._loop.kind != "stall":
                self._break(BrokenPipeError("injected"))
            return
        self._send(bytes(data))

    def _send(self, data: bytes) -> None:
        if self.peer is not None and not self.peer.lost:
            self.peer.arrive(data)

    def close(self) -> None:
        """Let the other end read to the end."""
        if not self._closing:
            if not self._ended and not self._stalled:
                self._send(_EOF)
            self._lose(None)

    def abort(self) -> None:
        """Reset."""
        if not self._closing:
            self._break(None)

    def write_eof(self) -> None:
        """Close our half."""
        if not self._ended and not self._closing and not self._stalled:
            self._ended = True
            self._send(_EOF)

    def can_write_eof(self) -> bool:
        """As TCP."""
        return True

    def is_closing(self) -> bool:
        """Whether it is closed or closing."""
        return self._closing

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand it on."""
        self._paused = False
        for _ in self._arrived:
            self._loop.call_soon(self._deliver)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who hears from now on."""
        self.protocol = cast("asyncio.Protocol", protocol)

    def get_write_buffer_size(self) -> int:
        """The kernel of this machine is never full."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See `get_write_buffer_size`."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Only the peer's address is known."""
        return ("192.0.2.1", 50_000) if name == "peername" else default

    # --- what the network does --------------------------------------------------------------------------

    def _strikes(self) -> bool:
        struck = self.watched and self._loop.operations.hit()
        self._stalled = self._stalled or (struck and self._loop.kind == "stall")
        return struck

    def arrive(self, data: bytes) -> None:
        """The other end has sent something."""
        self._arrived.append(data)
        self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        if self._paused or self._closing or self._stalled or not self._arrived:
            return
        data = self._arrived.popleft()
        if self._strikes():
            if self._loop.kind == "stall":
                return
            if self._loop.kind == "break":
                self._break(ConnectionResetError("injected"))
                return
            self._arrived.clear()
            data = data[: len(data) // 2] if self._loop.kind == "half" else _EOF
            self._hand_on(data)
            if data and not self._closing:
                self._break(ConnectionResetError("injected"))
            return
        self._hand_on(data)

    def _hand_on(self, data: bytes) -> None:
        """As asyncio: a protocol that raises loses its connection."""
        try:
            if data:
                self.protocol.data_received(data)
            elif not self.protocol.eof_received():
                self.close()
        except Exception as error:  # noqa: BLE001 - whatever a protocol raises
            self._loop.call_exception_handler({"message": "data_received() failed", "exception": error})
            if not self._closing:
                self._break(error)

    def _break(self, error: Exception | None) -> None:
        peer = self.peer
        if peer is not None and not self._stalled:
            self._loop.call_soon(peer.reset)
        self._lose(error)

    def reset(self) -> None:
        """The other end has broken the connection."""
        if not self._closing and not self._stalled:
            self._lose(ConnectionResetError("reset by peer"))

    def _lose(self, error: Exception | None) -> None:
        self._closing = True
        self._loop.call_soon(self._lost, error)

    def _lost(self, error: Exception | None) -> None:
        self.lost = True
        self.protocol.connection_lost(error)


class LoopTime:
    """ports.clock.Clock of a VirtualLoop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.monotonic = loop.time

    def now_ms(self) -> int:
        """In step with the loop's time."""
        return 1_790_000_000_000 + int(self._loop.time() * 1000)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """See ports.clock."""
        return self._loop.call_later(delay_s, call)

    def call_soon(self, call: Callable[[], None]) -> None:
        """See ports.clock."""
        self._loop.call_soon(call)
