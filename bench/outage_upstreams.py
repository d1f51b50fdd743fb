"""The upstreams of the outage game, and the script of what befalls them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
from dataclasses import dataclass

from bench.process import free_port

_ID = re.compile(rb"request-(\d+)-ends")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Good day."}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }
).encode()
# (from second, to second, upstream, what happens). Between them everything is well.
SCRIPT: tuple[tuple[float, float, int, str], ...] = (
    (12, 22, 0, "503"),
    (36, 44, 0, "refused"),
    (58, 68, 0, "429"),
    (58, 68, 1, "503"),
    (82, 92, 0, "slow"),
    (106, 114, 0, "half"),
    (106, 114, 1, "garbage"),
    (128, 136, 0, "garbage"),
    (150, 158, 0, "hang"),
    (158, 162, 1, "503"),
)
LENGTH_S = 174.0


@dataclass
class Call:
    """One request at an upstream; `good` once a whole answer was sent."""

    request: int
    upstream: int
    began_s: float
    ended_s: float = 0.0
    good: bool = False


class Upstreams:
    """Three servers that follow the script once `began` is set; before that all is well."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.ports = [free_port() for _ in range(3)]
        self.servers: list[asyncio.Server | None] = [None, None, None]
        self.calls: list[Call] = []
        self.began = 0.0

    def fate(self, upstream: int) -> str:
        """What happens to a request that arrives now."""
        now = time.monotonic() - self.began if self.began else -1.0
        for start, end, which, what in SCRIPT:
            if which == upstream and start <= now < end:
                return what
        return "well"

    async def open(self, upstream: int) -> None:
        """Listen."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.serve(upstream, reader, writer)

        port = self.ports[upstream]
        self.servers[upstream] = await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)

    async def follow(self) -> None:
        """Open and close what the script says."""
        while True:
            for upstream in range(3):
                refused, server = self.fate(upstream) == "refused", self.servers[upstream]
                if refused and server is not None:
                    server.close()
                    self.servers[upstream] = None
                elif not refused and server is None:
                    await self.open(upstream)
            await asyncio.sleep(0.02)

    async def serve(self, upstream: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                found = _ID.search(body)
                call = Call(int(found[1]) if found else -1, upstream, time.monotonic())
                self.calls.append(call)
                fate = self.fate(upstream)
                if fate == "refused":
                    break
                if not await self.answer(fate, call, writer):
                    break
        writer.close()

    async def answer(self, fate: str, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can be used again."""
        delay_s = self.draw.uniform(0.05, 0.15)
        status, extra, body = 200, "", ANSWER
        if fate == "slow":
            delay_s *= 20
        elif fate == "503":
            delay_s, status, body = 0.005, 503, b'{"error":{"message":"overloaded","type":"server_error"}}'
        elif fate == "429" and self.draw.random() < 0.9:
            delay_s, status, extra = 0.005, 429, "retry-after: 1\r\n"
            body = b'{"error":{"message":"slow down","type":"rate_limit_error"}}'
        elif fate == "garbage":
            body = b"<html>it works</html>"
        elif fate == "hang":
            await asyncio.sleep(120)
        await asyncio.sleep(delay_s)
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}"
        head += f"content-length: {len(body)}\r\n\r\n"
        cut = fate == "half" and self.draw.random() < 0.5
        writer.write(head.encode() + (body[: len(body) // 2] if cut else body))
        call.ended_s = time.monotonic()
        call.good = status == 200 and not cut and fate not in {"garbage", "hang"}
        await writer.drain()
        return not cut
