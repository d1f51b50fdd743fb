"""A server that answers with recorded replies, cut into pieces at random places."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.recorded.corpus import Recording

_NAME = re.compile(rb"recording-([A-Za-z0-9._-]+)-ends")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_KEPT = ("content-type", "x-request-id", "openai-processing-ms", "openai-version", "retry-after")
Rewrite = Callable[[Recording], bytes]


def model_of(recording: Recording) -> str:
    """The model name under which a recording is asked for."""
    return f"recording-{recording.id}-ends"


class ReplayServer:
    """Serves `recordings` by model name on a loopback port; each HTTP chunk is one piece."""

    def __init__(self, recordings: list[Recording], seed: int = 0) -> None:
        self._recordings = {recording.id: recording for recording in recordings}
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="replay", daemon=True)
        self.rewrite: Rewrite = lambda recording: recording.body
        self.bodies: dict[str, bytes] = {}
        self.port = 0

    @property
    def url(self) -> str:
        """Its base URL, as a provider's `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                name = _NAME.search(body)
                recording = self._recordings[name[1].decode()] if name else None
                if recording is None:
                    writer.write(b"HTTP/1.1 418 no recording\r\ncontent-length: 0\r\n\r\n")
                else:
                    self.bodies[recording.id] = body
                    writer.writelines(self._reply(recording))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _reply(self, recording: Recording) -> list[bytes]:
        head = [f"HTTP/1.1 {recording.status} X"]
        given = {name.lower(): value for name, value in recording.headers.items()}
        kind = "text/event-stream" if recording.streaming else "application/json"
        given.setdefault("content-type", kind)
        head += [f"{name}: {given[name]}" for name in _KEPT if name in given]
        head.append("transfer-encoding: chunked")
        pieces = ["\r\n".join([*head, "\r\n"]).encode("latin-1")]
        pieces += [b"%x\r\n%b\r\n" % (len(part), part) for part in self._cut(self.rewrite(recording))]
        pieces.append(b"0\r\n\r\n")
        return pieces

    def _cut(self, body: bytes) -> list[bytes]:
        """Cut about every 200 bytes; with luck in the middle of a character, a line end or a field name."""
        count = min(len(body) // 200 + 2, 400)
        places = sorted({self._random.randrange(len(body) + 1) for _ in range(count)} | {0, len(body)})
        return [body[start:end] for start, end in itertools.pairwise(places) if start < end]

    def __enter__(self) -> Self:
        self._thread.start()

        async def start() -> asyncio.Server:
            return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=64 * 1024 * 1024)

        self._server = asyncio.run_coroutine_threadsafe(start(), self._loop).result(30)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def stop() -> None:
            self._server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
