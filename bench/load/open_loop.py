"""Open-loop load: requests leave on a fixed schedule, whatever became of those before.

Latency counts from the scheduled instant, so a gateway that stalls is charged for every request it delays
(no coordinated omission). `select` is the selector because its timer is precise to microseconds, where
epoll's rounds to milliseconds. Run as
`python -m bench.load.open_loop --port P --headers JSON --rate R --seconds S`; prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import selectors
from typing import cast

import httptools

from bench import payload
from bench.load.quantiles import quantile_ms
from bench.stage import request_bytes

CONNECTIONS = 256
DRAIN_S = 10.0


class Connection(asyncio.Protocol):
    """One keep-alive connection that carries one request at a time."""

    def __init__(self, load: OpenLoop) -> None:
        self._load = load
        self._parser = httptools.HttpResponseParser(self)
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, due: float) -> None:
        """Send the request that was due at that instant."""
        self._due = due
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        """Look for the end of the answer."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Note the latency; serve a request that waits for a connection."""
        self._load.answered(self, self._due, good=self._parser.get_status_code() == 200)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol passes it
        """A lost connection is not replaced; its request never counts as answered."""
        self._load.lost(self)


class OpenLoop:
    """The schedule, the connections, and what was seen."""

    def __init__(self, port: int, request: bytes, rate: float, seconds: float, warm_s: float) -> None:
        self.request = request
        self._port = port
        self._interval = 1 / rate
        self._total = int(rate * (seconds + warm_s))
        self._skip = int(rate * warm_s)
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []
        self._waiting: list[float] = []
        self._over = self._loop.create_future()
        self._next = 0
        self._outstanding = 0
        self._measured_from = 0.0
        self.latencies: list[float] = []
        self.lateness: list[float] = []
        self.failed = 0

    async def run(self) -> None:
        """Open the connections, keep the schedule, wait for the last answers for a bounded time."""
        for _ in range(CONNECTIONS):
            _, connection = await self._loop.create_connection(
                lambda: Connection(self), "127.0.0.1", self._port
            )
            self._idle.append(connection)
        self._start = self._loop.time() + 0.1
        self._measured_from = self._start + self._skip * self._interval
        self._loop.call_at(self._start, self._tick)
        limit_s = self._total * self._interval + DRAIN_S
        try:
            await asyncio.wait_for(self._over, limit_s)
        except TimeoutError:
            self.failed += self._outstanding

    def _tick(self) -> None:
        now = self._loop.time()
        while self._next < self._total and (due := self._start + self._next * self._interval) <= now:
            self._next += 1
            self._outstanding += 1
            if due >= self._measured_from:
                self.lateness.append(now - due)
            if self._idle:
                self._idle.pop().ask(due)
            else:
                self._waiting.append(due)
        if self._next < self._total:
            self._loop.call_at(self._start + self._next * self._interval, self._tick)

    def answered(self, connection: Connection, due: float, *, good: bool) -> None:
        """One answer is whole."""
        if due >= self._measured_from:
            self.latencies.append(self._loop.time() - due)
            self.failed += not good
        self._outstanding -= 1
        if self._waiting:
            connection.ask(self._waiting.pop(0))
        else:
            self._idle.append(connection)
        if self._next >= self._total and not self._outstanding and not self._over.done():
            self._over.set_result(None)

    def lost(self, connection: Connection) -> None:
        """Forget a connection."""
        if connection in self._idle:
            self._idle.remove(connection)


async def _run(options: argparse.Namespace) -> dict[str, object]:
    headers = json.loads(options.headers)
    request = request_bytes(options.port, headers, payload.request_body())
    load = OpenLoop(options.port, request, options.rate, options.seconds, options.warm)
    gc.disable()
    await load.run()
    return {
        "rate": options.rate,
        "n": len(load.latencies),
        "failed": load.failed,
        "p50_ms": quantile_ms(load.latencies, 0.5),
        "p99_ms": quantile_ms(load.latencies, 0.99),
        "generator_late_p99_ms": quantile_ms(load.lateness, 0.99),
    }


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.load.open_loop", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--headers", default="{}")
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm", type=float, default=1.0)
    options = parser.parse_args()
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    print(json.dumps(loop.run_until_complete(_run(options))))


if __name__ == "__main__":
    main()
