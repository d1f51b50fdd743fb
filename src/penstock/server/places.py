"""The gateways of one machine, side by side: how many connections each has, and doors to hand one over.

The kernel spreads connections over SO_REUSEPORT sockets by a hash, which leaves few connections unevenly spread
(docs/adr/0019). Who accepts one while it has clearly more than another hands it over before it has read a byte.
Counts stand in memory that all share, and are as exact as that needs: no lock guards them, and each process
looks at its own ten times a second.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import socket
from collections.abc import Callable
from typing import cast

VARIABLE = "PENSTOCK_PLACES"
COUNT_BYTES = 8
ABSENT = -1
# So many connections more than the least busy one are fine: one, or this part of all.
TOLERANCE_PARTS = 32
ONE = b"c"


class Places:
    """One process's view. `mine` is its own place; `doors` lead to the others, `door` to it."""

    def __init__(self, mine: int, memory: int, door: socket.socket, doors: list[socket.socket]) -> None:
        self.mine = mine
        self._doors = doors
        self._door = door
        self._map = mmap.mmap(memory, COUNT_BYTES * len(doors))
        self._counts = memoryview(self._map).cast("q")
        self._wrong = 0
        self._adopt: Callable[[socket.socket], None] | None = None
        for each in (door, *doors):
            each.setblocking(False)  # noqa: FBT003 - the name says it

    @classmethod
    def inherited(cls, text: str) -> Places:
        """From the supervisor's variable (`variable`). Raises ValueError, KeyError, OSError."""
        told = json.loads(text)
        doors = [socket.socket(fileno=number) for number in told["doors"]]
        return cls(told["mine"], told["memory"], socket.socket(fileno=told["door"]), doors)

    @staticmethod
    def variable(mine: int, memory: int, door: int, doors: list[int]) -> str:
        """What `inherited` reads: file descriptors that the process inherits."""
        return json.dumps({"mine": mine, "memory": memory, "door": door, "doors": doors})

    def enter(self, adopt: Callable[[socket.socket], None]) -> None:
        """Take part: others may hand connections over, which go to `adopt`."""
        self._adopt = adopt
        self._counts[self.mine] = 0
        asyncio.get_running_loop().add_reader(self._door.fileno(), self._receive)

    def leave(self) -> None:
        """Take no more. What waits in front of the door is for whoever has this place next."""
        if self._adopt is not None:
            self._adopt = None
            self._counts[self.mine] = ABSENT
            asyncio.get_running_loop().remove_reader(self._door.fileno())

    def count(self, connections: int) -> None:
        """So many there are, but for those that are on their way: only what stays wrong is put right."""
        if self._adopt is not None:
            wrong = self._counts[self.mine] - connections
            if wrong == self._wrong:
                self._counts[self.mine] = connections
                wrong = 0
            self._wrong = wrong

    def gone(self) -> None:
        """One is closed."""
        if self._adopt is not None:
            self._counts[self.mine] = max(0, self._counts[self.mine] - 1)

    def elsewhere(self) -> int | None:
        """One more was accepted: the place that it had better go to; None where it counts here."""
        if self._adopt is None:
            return None
        counts = self._counts.tolist()
        mine = counts[self.mine]
        least, place, total = mine, None, 0
        for number, count in enumerate(counts):
            if count == ABSENT:
                continue
            total += count
            if count < least:
                least, place = count, number
        if place is not None and mine - least >= max(1, total // TOLERANCE_PARTS):
            return place
        self._counts[self.mine] = mine + 1
        return None

    def hand_over(self, place: int, descriptor: int) -> bool:
        """Give a connection away; whether that was possible."""
        try:
            socket.send_fds(self._doors[place], [ONE], [descriptor])
        except OSError:
            self._counts[self.mine] += 1
            return False
        self._counts[place] += 1
        return True

    def _receive(self) -> None:
        adopt = self._adopt
        while adopt is not None:
            try:
                _, descriptors, _, _ = socket.recv_fds(self._door, 1, 1)
            except BlockingIOError:
                return
            for descriptor in descriptors:
                adopt(socket.socket(fileno=descriptor))


class HandedOver(asyncio.Protocol):
    """A connection that goes to another place; where that fails, it becomes what `instead` makes."""

    def __init__(self, places: Places, place: int, instead: Callable[[], asyncio.Protocol]) -> None:
        self._places = places
        self._place = place
        self._instead = instead

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing has been read yet: the other process finds all that the client sent."""
        sock = cast("socket.socket", transport.get_extra_info("socket"))
        if self._places.hand_over(self._place, sock.fileno()):
            cast("asyncio.Transport", transport).abort()  # our descriptor alone: the connection lives on
            return
        protocol = self._instead()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
