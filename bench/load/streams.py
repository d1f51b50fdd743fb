"""Streaming load: N streams at a time, each started anew when it ends; reads the stamps in the events.

Prints "START" when the measured window begins and one JSON object when it is over. Run as
`python -m bench.load.streams --port P --headers JSON --streams N --seconds S`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from typing import cast

import httptools
import uvloop

from bench import payload
from bench.load.quantiles import quantile_ms
from bench.stage import request_bytes


class Window:
    """What is seen between two instants."""

    def __init__(self) -> None:
        self.opened_ns = 0
        self.ttft: list[float] = []
        self.delays: list[float] = []
        self.ended = 0
        self.broken = 0

    @property
    def is_open(self) -> bool:
        """Whether events count already."""
        return self.opened_ns > 0


class Stream(asyncio.Protocol):
    """One connection that asks for one stream after another."""

    def __init__(self, request: bytes, window: Window) -> None:
        self._request = request
        self._window = window
        self._parser = httptools.HttpResponseParser(self)
        self._asked_ns = 0
        self._first = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first stream."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        self._first = True
        self._asked_ns = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Note each stamped event; a piece may hold several."""
        now = time.monotonic_ns()
        window = self._window
        for stamp in payload.STAMP.findall(body):
            if window.is_open:
                window.delays.append((now - int(stamp)) / 1e9)
            if self._first:
                self._first = False
                if window.is_open and self._asked_ns >= window.opened_ns:
                    window.ttft.append((now - self._asked_ns) / 1e9)

    def on_message_complete(self) -> None:
        """One stream is whole; an answer that is no stream ends this connection, not to spin on errors."""
        if self._parser.get_status_code() != 200:
            self._window.broken += 1
            self._transport.close()
            return
        self._window.ended += 1
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """A lost connection is not replaced; it shows in the number of events."""


async def _run(options: argparse.Namespace) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    body = payload.request_body(stream=True)
    request = request_bytes(options.port, json.loads(options.headers), body)
    window = Window()
    opened: list[asyncio.Transport] = []
    for _ in range(options.streams):
        transport, _ = await loop.create_connection(lambda: Stream(request, window), "127.0.0.1", options.port)
        opened.append(transport)
        await asyncio.sleep(options.spread / options.streams)
    await asyncio.sleep(options.warm)
    gc.collect()
    gc.disable()
    window.opened_ns = time.monotonic_ns()
    print("START", flush=True)
    await asyncio.sleep(options.seconds)
    seconds = (time.monotonic_ns() - window.opened_ns) / 1e9
    seen = {
        "seconds": round(seconds, 3),
        "events": len(window.delays),
        "streams_started": len(window.ttft),
        "broken": window.broken,
        "ttft_p50_ms": quantile_ms(window.ttft, 0.5),
        "ttft_p99_ms": quantile_ms(window.ttft, 0.99),
        "delay_p50_ms": quantile_ms(window.delays, 0.5),
        "delay_p99_ms": quantile_ms(window.delays, 0.99),
    }
    for transport in opened:
        transport.abort()
    return seen


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.load.streams", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--headers", default="{}")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm", type=float, default=1.0)
    parser.add_argument("--spread", type=float, default=2.0, help="seconds over which the starts are spread")
    print(json.dumps(uvloop.run(_run(parser.parse_args()))), flush=True)


if __name__ == "__main__":
    main()
