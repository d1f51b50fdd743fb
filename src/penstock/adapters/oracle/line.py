"""A gateway's end of the inference process's socket; implements ports.oracle. It never waits for anybody."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

from penstock.adapters.credentials.place import address_of
from penstock.adapters.oracle.lines import MAX_LINE_BYTES, asked_line, read_told
from penstock.ports.clock import Clock
from penstock.ports.oracle import Question, Ticket

# Nobody waits longer for an answer; what comes later is passed over.
FORGET_S = 10.0
MOST_WAITING = 4_096
ABSENT = "the inference process is not there"
BUSY = "the inference process has too much to do"
log = logging.getLogger("penstock.gateway")


class OracleLine(asyncio.Protocol):
    """Questions go out at once; tickets are done with their answers, and empty without a peer."""

    def __init__(self, path: Path, clock: Clock, connected: Callable[[], None]) -> None:
        """`connected` is called whenever the process is there (again)."""
        self._path = path
        self._clock = clock
        self._connected = connected
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._number = 0
        self._waiting: dict[int, tuple[Ticket, Callable[[], None], float]] = {}

    async def tend(self, *, wanted: bool) -> None:
        """Connect if that is wanted and not so, forget what is overdue; call it again now and then."""
        self._forget()
        if self._transport is not None or not wanted:
            return
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with address_of(self._path) as address:
                sock.setblocking(False)  # noqa: FBT003 - the name says it
                sock.connect(address)
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=sock)
        except OSError:
            sock.close()  # not there, or not there yet

    def ask(self, question: Question, woken: Callable[[], None], within_s: float) -> Ticket:
        """See ports.oracle."""
        ticket = Ticket()
        transport = self._transport
        if transport is None or transport.is_closing():
            ticket.tell((), ABSENT)
        elif len(self._waiting) >= MOST_WAITING:
            ticket.tell((), BUSY)
        else:
            self._number += 1
            now = self._clock.monotonic()
            self._waiting[self._number] = (ticket, woken, now + FORGET_S)
            transport.write(asked_line(self._number, now + within_s, question))
        return ticket

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        # uvloop's transports are none of asyncio's classes, only like them.
        self._transport = cast("asyncio.Transport", transport)
        self._connected()

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended: whoever waits is told so."""
        del exc
        self._transport, self._rest = None, b""
        waiting, self._waiting = self._waiting, {}
        for ticket, woken, _ in waiting.values():
            ticket.tell((), ABSENT)
            woken()

    def data_received(self, data: bytes) -> None:
        """Answers to their tickets."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                told = read_told(line)
            except ValueError as error:
                log.warning("inference: %s", error)
                continue
            found = self._waiting.pop(told.id, None)
            if found is not None:
                found[0].tell(told.told, told.why)
                found[1]()
        if len(self._rest) > MAX_LINE_BYTES:
            self.close()

    def _forget(self) -> None:
        now = self._clock.monotonic()
        for number in [number for number, (_, _, until) in self._waiting.items() if until < now]:
            self._waiting.pop(number)[0].tell((), "too late")
