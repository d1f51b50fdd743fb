"""A gateway's end of the credentials process's socket. What arrives goes to memory, and stays there."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Collection
from pathlib import Path

from penstock.adapters.credentials.offers import MAX_LINE_BYTES, take
from penstock.adapters.credentials.place import address_of
from penstock.ports.credentials import CredentialSink

FIRST_POLL_S = 0.02
log = logging.getLogger("penstock.gateway")


class CredentialFeed(asyncio.Protocol):
    """Connects where credentials are wanted; that nobody is there stops nothing."""

    def __init__(self, path: Path, sink: CredentialSink) -> None:
        self._path = path
        self._sink = sink
        self._transport: asyncio.BaseTransport | None = None
        self._rest = b""

    async def tend(self, wanted: Collection[str]) -> None:
        """Connect if that is wanted and not so; call it again now and then."""
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

    async def first(self, wanted: Collection[str], most_s: float) -> None:
        """Wait, at a start, until something is known of each source, or for so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + most_s
        while not all(self._sink.heard(source) for source in wanted) and loop.time() < until:
            await self.tend(wanted)
            await asyncio.sleep(FIRST_POLL_S)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended; what it gave stays good until it expires."""
        del exc
        self._transport = None
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Whole lines to the sink."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                take(line, self._sink)
            except ValueError as error:
                log.warning("credentials: %s", error)
        if len(self._rest) > MAX_LINE_BYTES:
            self._rest = b""
            self.close()
