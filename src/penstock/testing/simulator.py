"""A simulator in a thread of its own, for tests that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self, TypedDict, TypeVar, Unpack

import uvloop

from penstock.simulator import Counts, Received, Settings, Simulator

_Result = TypeVar("_Result")


class Place(TypedDict, total=False):
    """Where it listens, as Simulator has it."""

    host: str
    port: int
    certificate: tuple[str, str] | None


class SimulatorThread:
    """`with SimulatorThread() as simulator:` serves until the block ends; takes what Simulator takes.

    Every method may be called from any thread; it runs in the simulator's own.
    """

    def __init__(self, settings: Settings | None = None, **place: Unpack[Place]) -> None:
        self._simulator = Simulator(settings, **place)
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)

    @property
    def url(self) -> str:
        """Its base URL without a path; SDKs want `/v1` behind it."""
        return self._simulator.url

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._simulator.port

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._simulator.connections

    @property
    def counts(self) -> Counts:
        """How many requests it received, and how they ended."""
        return self._call(lambda: self._simulator.inbox.counts)

    def requests(self, *, model: str | None = None, marker: str | None = None) -> list[Received]:
        """The requests that it received and still keeps, in order."""
        return self._call(lambda: self._simulator.inbox.last(model=model, marker=marker))

    def play(
        self, *behaviours: str, model: str | None = None, count: int | None = 1, rate: float = 1.0
    ) -> None:
        """See Simulator.play."""
        self._call(lambda: self._simulator.play(*behaviours, model=model, count=count, rate=rate))

    def clear(self) -> None:
        """Drop the script and forget the received requests."""
        self._call(self._simulator.script.clear)
        self._call(self._simulator.inbox.clear)

    def refuse_connections(self) -> None:
        """Close the listening socket, so that connecting fails; open connections live on."""
        self._run(self._simulator.refuse_connections())

    def accept_connections(self) -> None:
        """Listen again on the same port."""
        self._run(self._simulator.accept_connections())

    def start(self) -> None:
        """Listen and serve. Raises OSError when the address cannot be had."""
        self._thread.start()
        try:
            self._run(self._simulator.start())
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Close every connection and end the thread."""
        self._run(self._simulator.stop())
        self._end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[object, object, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _call(self, function: Callable[[], _Result]) -> _Result:
        async def call() -> _Result:
            return function()

        return self._run(call())
