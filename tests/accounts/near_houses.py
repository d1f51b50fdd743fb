"""Owners of counters on the same machine: in memory, and behind a Unix socket."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from penstock.adapters.accounts.holder import AccountsSocket
from penstock.adapters.accounts.owner import Owner
from penstock.adapters.clock import LoopClock
from penstock.core.leases import Book
from penstock.testing.accounts import MemoryAccounts
from tests.accounts.houses import House, Process, until


class MemoryProcess:
    """A holder of counters that are owned by its own process."""

    def __init__(self, owner: MemoryAccounts, name: str) -> None:
        self.name = name
        self.shares = owner.holder(name)

    @property
    def is_ready(self) -> bool:
        return self.shares.up

    async def ready(self) -> None:
        await until(lambda: self.is_ready)

    async def leave(self) -> None:
        self.shares.leave()

    def die(self) -> None:
        self.shares.die()

    def cut(self) -> None:
        self.shares.cut()
        asyncio.get_running_loop().call_later(0.005, lambda: None if self.shares.up else self.shares.connect())


class MemoryHouse:
    """The book itself."""

    _names = itertools.count(1)

    def __init__(self) -> None:
        self._owner = MemoryAccounts(LoopClock(asyncio.get_running_loop()))

    def process(self) -> MemoryProcess:
        return MemoryProcess(self._owner, f"process{next(self._names)}")

    async def bury(self, process: Process, spent: Mapping[str, int]) -> None:
        self._owner.bury(process.name, spent)

    async def restart(self) -> None:
        self._owner.restart()

    async def end(self) -> None:
        self._owner.end()


class FakePast:
    """What journals would know. Implements adapters.accounts.owner.Past."""

    def __init__(self) -> None:
        self.dead: dict[str, Mapping[str, int]] = {}
        self.buried: set[str] = set()

    def alive(self, holder: str) -> bool:
        return holder not in self.dead

    def before(self, counter: str) -> int:
        return sum(self.dead[holder].get(counter, 0) for holder in self.buried)

    async def bury(self, holder: str, counters: list[str]) -> Mapping[str, int]:
        del counters
        self.buried.add(holder)
        return self.dead[holder]


class SocketProcess:
    """A holder of counters that a process behind a Unix socket owns."""

    def __init__(self, path: Path, name: str, holds: Callable[[str], bool]) -> None:
        self.name = name
        self._holds = holds
        self.is_dead = False
        self.shares = AccountsSocket(path, name, LoopClock(asyncio.get_running_loop()))
        self.shares.start()

    @property
    def is_ready(self) -> bool:
        return self.shares.is_up

    async def ready(self) -> None:
        await until(lambda: self.is_ready)

    async def leave(self) -> None:
        await self.ready()  # who is cut off cannot say that it leaves
        self.shares.close_all()
        await until(lambda: not self._holds(self.name))
        self.shares.hang_up()

    def die(self) -> None:
        self.is_dead = True
        self.shares.halt()

    def cut(self) -> None:
        self.shares.abort()


class SocketHouse:
    """The owner of one machine's accounts, on a real socket."""

    _names = itertools.count(1)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._past = FakePast()
        self._processes: dict[str, SocketProcess] = {}
        self._stop = asyncio.Event()

    async def start(self, expected: list[str]) -> None:
        """Listen."""
        clock = LoopClock(asyncio.get_running_loop())
        self._path.unlink(missing_ok=True)
        self._stop = asyncio.Event()
        self._owner = Owner(Book(expected, time.monotonic() + 0.2), self._past, clock.monotonic, clock.now_ms)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._owner.connection, str(self._path))
        self._running = loop.create_task(self._owner.run(self._stop))

    async def stop(self) -> None:
        """Forget everything."""
        self._stop.set()
        await self._running
        self._server.close()
        self._owner.hang_up()

    def process(self) -> SocketProcess:
        made = SocketProcess(self._path, f"process{next(self._names)}", self._holds)
        self._processes[made.name] = made
        return made

    def _holds(self, name: str) -> bool:
        leases = (counter.leases.get(name) for counter in self._owner.book.counters.values())
        return any(lease is not None and lease.held > 0 for lease in leases)

    async def bury(self, process: Process, spent: Mapping[str, int]) -> None:
        self._past.dead[process.name] = spent
        await until(lambda: process.name in self._past.buried)

    async def restart(self) -> None:
        await self.stop()
        await self.start([each.name for each in self._processes.values() if not each.is_dead])

    async def end(self) -> None:
        for process in self._processes.values():
            process.die()
        await self.stop()


@asynccontextmanager
async def memory_house() -> AsyncGenerator[House]:
    """An owner in memory."""
    house = MemoryHouse()
    yield house
    await house.end()


@asynccontextmanager
async def socket_house() -> AsyncGenerator[House]:
    """An owner behind a socket of its own."""
    with tempfile.TemporaryDirectory() as folder:
        house = SocketHouse(Path(folder) / "accounts.sock")
        await house.start([])
        yield house
        await house.end()
