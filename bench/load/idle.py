"""Idle streams: opens N, waits for the first event of each, then holds them until its input ends.

Prints one JSON object `{"open": n, "failed": n, "seconds": s}` when all are open. Run as
`python -m bench.load.idle --port P --headers JSON --streams N`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

import uvloop

from bench import payload
from bench.stage import request_bytes

AT_ONCE = 64
OPEN_LIMIT_S = 180.0
FIRST_EVENT_S = 20.0
FAILED_ENOUGH = 64


class Held(asyncio.Protocol):
    """One stream; says when its first event came or the connection was lost."""

    __slots__ = ("_first", "_seen")

    def __init__(self, first: asyncio.Future[bool]) -> None:
        self._first = first
        self._seen = b""

    def data_received(self, data: bytes) -> None:
        """Wait for a stamp."""
        if self._first.done():
            return
        self._seen += data
        if payload.STAMP.search(self._seen):
            self._first.set_result(True)
            self._seen = b""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol passes it
        """Lost before the first event: failed."""
        if not self._first.done():
            self._first.set_result(False)


class Holder:
    """Opens streams, a bounded number at a time."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._left = 0
        self.transports: list[asyncio.Transport] = []
        self.failed = 0

    async def open(self, streams: int) -> None:
        """Open so many, or as many as there is time for; give up after FAILED_ENOUGH failures."""
        self._left = streams
        deadline = time.monotonic() + OPEN_LIMIT_S
        await asyncio.gather(*(self._opener(deadline) for _ in range(AT_ONCE)))

    async def _opener(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while self._left > 0 and self.failed < FAILED_ENOUGH and time.monotonic() < deadline:
            self._left -= 1
            first: asyncio.Future[bool] = loop.create_future()
            held = Held(first)
            try:
                transport, _ = await loop.create_connection(lambda held=held: held, "127.0.0.1", self._port)
                transport.write(self._request)
                good = await asyncio.wait_for(first, FIRST_EVENT_S)
            except (OSError, TimeoutError):
                self.failed += 1
                continue
            if good:
                self.transports.append(transport)
            else:
                self.failed += 1


async def _run(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    body = payload.request_body(stream=True)
    holder = Holder(options.port, request_bytes(options.port, json.loads(options.headers), body))
    started = time.monotonic()
    await holder.open(options.streams)
    seconds = round(time.monotonic() - started, 2)
    still = sum(not transport.is_closing() for transport in holder.transports)
    print(json.dumps({"open": still, "failed": holder.failed, "seconds": seconds}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    still = sum(not transport.is_closing() for transport in holder.transports)
    print(json.dumps({"open_at_end": still}), flush=True)
    for transport in holder.transports:
        transport.abort()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.load.idle", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--headers", default="{}")
    parser.add_argument("--streams", type=int, default=1000)
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
