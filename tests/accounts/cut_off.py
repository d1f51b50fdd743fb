"""A network between a gateway and a server that can go silent, in one direction or both, or be cut."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Line:
    """Passes bytes between clients and a server on a port of its own.

    While it is silent it takes bytes and passes none on, as a network that drops packets does; nobody is told.
    What it took meanwhile is lost with the connection.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.silent_up = self.silent_down = False
        self._target = target
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def silence(self, *, up: bool = True, down: bool = True) -> None:
        """Pass nothing on to the server, to the client, or both."""
        self.silent_up, self.silent_down = up, down

    def heal(self) -> None:
        """Pass on what comes from now on, over new connections: a stream that lost bytes cannot go on."""
        self.silent_up = self.silent_down = False
        self.cut()

    def cut(self) -> None:
        """Reset all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, far_writer]
        for source, sink, up in ((reader, far_writer, True), (far_reader, writer, False)):
            task = asyncio.get_running_loop().create_task(self._pass(source, sink, up=up))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool) -> None:
        try:
            while data := await source.read(65536):
                if not (self.silent_up if up else self.silent_down):
                    sink.write(data)
        except OSError:
            pass
        finally:
            sink.transport.abort()
