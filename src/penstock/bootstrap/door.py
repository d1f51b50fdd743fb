"""A gateway's door for the other processes of its installation: a Unix socket that only this user can open."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from penstock.adapters.clock import LoopClock
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.inspection import Inspection
from penstock.server.listener import HttpServer


class Door:
    """Open from `open` to `close`; what a dead gateway left behind is removed by the next one."""

    def __init__(self, ctx: GatewayContext, clock: LoopClock, path: Path) -> None:
        self._path = path
        self._server = HttpServer(Inspection(ctx), clock)

    async def open(self) -> None:
        """Listen. Raises OSError."""
        for stale in self._path.parent.glob("*.sock"):
            # Each gateway's socket stands beside its acknowledgement, and goes with it.
            if stale != self._path and _is_gateways(stale) and not _answers(stale):
                stale.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            sock.bind(str(self._path))
        finally:
            os.umask(before)
        sock.listen()
        sock.setblocking(False)  # noqa: FBT003 - the name says it
        await self._server.listen_unix(sock)

    async def close(self) -> None:
        """Listen no longer."""
        self._path.unlink(missing_ok=True)
        await self._server.drain(0.0)


def _is_gateways(path: Path) -> bool:
    return len(path.stem) > 16 and path.stem.isalnum()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as sock, contextlib.suppress(OSError):
        sock.settimeout(0.2)
        sock.connect(str(path))
        return True
    return False
