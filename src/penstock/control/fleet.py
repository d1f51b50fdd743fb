"""What machines without a control process of their own are sent, and what their gateways say they serve."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

from penstock.config.snapshot import Snapshot
from penstock.ports.control_store import Served
from penstock.ports.fleet import Asked, Heard, Sent

# The longest that somebody is kept waiting; a line that is quiet for longer may be cut without a sign.
MOST_WAIT_S = 10.0
# A machine that has not come back for so long after its last wait is away.
AWAY_S = 5.0


@dataclass
class _Machine:
    gateways: dict[str, str]
    said_ns: int
    heard_at: float


class Fleet:
    """The newest snapshot, sealed for others, and who waits for the next one."""

    def __init__(self, pack: Callable[[Snapshot], bytes], monotonic: Callable[[], float]) -> None:
        self._pack = pack
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._content = ""
        self._sent: Sent | None = None
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._machines: dict[str, _Machine] = {}

    def publish(self, snapshot: Snapshot, number: int) -> None:
        """Send it to everybody; from any thread. Raises SnapshotError."""
        data = self._sent.data if self._sent and snapshot.revision == self._content else self._pack(snapshot)
        with self._lock:
            if self._sent is not None and number < self._sent.number:
                return
            self._content, self._sent = snapshot.revision, Sent(number=number, data=data)
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)

    async def newer(self, asked: Asked) -> Sent | None:
        """What is newer than the machine has, as soon as it is there.

        Who has a later revision than ours got it from another control process; we shall have it in a moment.
        If not, ours holds after all: the database was restored to an earlier state.
        """
        self.heard(asked)
        event = asyncio.Event()
        waits = (asyncio.get_running_loop(), event)
        with self._lock:
            self._waiting.add(waits)
        try:
            found = self._newer(asked)
            if found is None:
                async with asyncio.timeout(min(asked.wait_s, MOST_WAIT_S)):
                    await event.wait()
                found = self._newer(asked)
        except TimeoutError:
            found = self._sent if asked.have != self._content else None
        finally:
            with self._lock:
                self._waiting.discard(waits)
        self._seen(asked.machine)
        return found

    def _newer(self, asked: Asked) -> Sent | None:
        sent = self._sent
        if sent is None or asked.have == self._content or sent.number < asked.number:
            return None
        return sent

    def heard(self, heard: Heard) -> None:
        """A machine said what its gateways serve."""
        now = self._monotonic()
        with self._lock:
            known = self._machines.get(heard.machine)
            if known is None or known.said_ns <= heard.said_ns:
                self._machines[heard.machine] = _Machine(dict(heard.gateways), heard.said_ns, now)

    def _seen(self, machine: str) -> None:
        with self._lock:
            known = self._machines.get(machine)
            if known is not None:
                known.heard_at = self._monotonic()

    def served(self, number_of: Callable[[str], int], now_ms: int) -> list[Served]:
        """What gateways of machines serve that are not away."""
        since = self._monotonic() - MOST_WAIT_S - AWAY_S
        with self._lock:
            for name in [name for name, one in self._machines.items() if one.heard_at < since]:
                del self._machines[name]
            return [
                Served(boot=boot, machine=name, number=number_of(content), seen_ms=now_ms)
                for name, one in self._machines.items()
                for boot, content in one.gateways.items()
            ]

    def end(self) -> None:
        """Let all who wait go."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)
